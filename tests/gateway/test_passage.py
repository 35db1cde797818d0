import asyncio
import json

import pytest

from vivavoce.errors import ProtocolError
from vivavoce.gateway.passage import (
    EVERY,
    OTHER,
    Counts,
    Down,
    End,
    Passage,
    Run,
    Stage,
    Task,
    ToClient,
    ToEndpoint,
    Up,
    Want,
)
from vivavoce.protocol.codec import Frame

from .doubles import gateway


def frame(kind, **fields):
    return Frame(json.dumps({"type": kind, **fields}))


class Marks(Stage):
    """Writes its name into every event."""

    wants_up = wants_down = EVERY

    def __init__(self, name):
        self.name = name
        self.end = None

    def up(self, frame, now):
        return [Up(self._marked(frame))]

    def down(self, frame, now):
        return [Down(self._marked(frame))]

    def ended(self, end, now):
        self.end = (end, now)

    def _marked(self, frame):
        return frame.replace(by=[*json.loads(frame.data).get("by", []), self.name])


class Answers(Stage):
    """Takes `ask` for itself: both sides and everybody between hear of it."""

    wants_up = frozenset({"ask", "refuse", "work", "leave"})

    def up(self, frame, now):
        match frame.type:
            case "ask":
                return [Down(frame_of("answered")), Up(frame_of("asked"))]
            case "refuse":
                raise ProtocolError("No.", code="forbidden", event_id="e1")
            case "work":
                return [Run(self._work)]
            case _:
                return [End(4000, "enough")]

    def tick(self, now):
        return [Down(frame_of("tick", at=now))]

    async def _work(self):
        return [Up(frame_of("worked")), Down(frame_of("done"))]


frame_of = frame


def read(output):
    return json.loads(output.data)


class TestOrder:
    def test_passes_what_nobody_wants_byte_for_byte(self):
        passage = Passage([Stage(), Stage()])
        data = b'{ "type":"x" }'
        assert passage.hear(data, 0.0) == [ToEndpoint(data)]
        assert passage.receive(data, 0.0) == [ToClient(data)]

    def test_goes_through_the_stages_in_order_and_back(self):
        passage = Passage([Marks("near"), Stage(), Marks("far")])
        assert read(passage.hear(b'{"type":"x"}', 0.0)[0])["by"] == ["near", "far"]
        assert read(passage.receive(b'{"type":"x"}', 0.0)[0])["by"] == ["far", "near"]

    def test_what_a_stage_adds_meets_only_those_on_its_way(self):
        passage = Passage([Marks("near"), Answers(), Marks("far")])
        down, up = passage.hear(b'{"type":"ask"}', 0.0)
        assert isinstance(down, ToClient)
        assert (read(down)["type"], read(down)["by"]) == ("answered", ["near"])
        assert isinstance(up, ToEndpoint)
        assert (read(up)["type"], read(up)["by"]) == ("asked", ["far"])

    async def test_work_comes_back_to_where_it_was_started(self):
        passage = Passage([Marks("near"), Answers(), Marks("far")])
        (task,) = passage.hear(b'{"type":"work"}', 0.0)
        assert isinstance(task, Task)
        up, down = passage.enter(task.position, await task.work(), 1.0)
        assert (read(up)["type"], read(up)["by"]) == ("worked", ["far"])
        assert (read(down)["type"], read(down)["by"]) == ("done", ["near"])

    def test_a_tick_goes_down_through_those_beneath(self):
        (tick,) = Passage([Marks("near"), Answers()]).tick(7.5)
        assert read(tick) == {"type": "tick", "at": 7.5, "by": ["near"]}

    def test_ends(self):
        assert Passage([Answers()]).hear(b'{"type":"leave"}', 0.0) == [End(4000, "enough")]

    def test_tells_all_that_it_is_over(self):
        stages = [Marks("near"), Marks("far")]
        Passage(stages).ended(End(1000), 3.0)
        assert [stage.end for stage in stages] == [(End(1000), 3.0)] * 2

    def test_remembers_no_end_of_types(self):
        passage = Passage([Marks("near")])
        for number in range(1000):
            assert read(passage.hear(b'{"type":"%d"}' % number, 0.0)[0])["by"] == ["near"]
        assert len(passage._up) <= 256


class TestRefusing:
    def test_a_stage_that_refuses_lets_nothing_through(self):
        (complaint,) = Passage([Marks("near"), Answers()]).hear(b'{"type":"refuse"}', 0.0)
        assert isinstance(complaint, ToClient)
        event = read(complaint)
        assert event["type"] == "error"
        assert event["event_id"].startswith("event_")
        assert (event["error"]["code"], event["error"]["event_id"]) == ("forbidden", "e1")
        assert event["by"] == ["near"]

    @pytest.mark.parametrize(
        ("data", "binary", "code"),
        [(b"{", False, "invalid_json"), (b"\xff", False, "invalid_json"), (b"\x00\x00", True, None)],
    )
    def test_what_is_no_event_goes_no_further(self, data, binary, code):
        (complaint,) = Passage([Answers()]).hear(data, 0.0, binary=binary)
        assert read(complaint)["type"] == "error"
        if code:
            assert read(complaint)["error"]["code"] == code

    def test_an_endpoint_that_says_no_events_is_at_fault(self):
        with pytest.raises(ProtocolError):
            Passage().receive(b"{", 0.0)


class Polite:
    """A dialect in which greetings are answered, and every `done` is asked whether there is more."""

    def hear(self, data, *, binary):
        return [ToClient(b"hello", binary=binary)] if data == b"hello" else [Up(Frame(data))]

    def say(self, frame):
        if frame.type != "done":
            return []
        return [ToClient(b"that was all"), Up(frame_of("more"))]

    def same(self, kind):
        return kind == "audio"


class TestDialects:
    def test_one_may_answer_by_itself(self):
        assert Passage(dialect=Polite()).hear(b"hello", 0.0, binary=True) == [ToClient(b"hello", binary=True)]

    def test_one_may_go_on_where_the_endpoint_lets_it(self):
        said, asked = Passage([Marks("near")], Polite()).receive(b'{"type":"done"}', 0.0)
        assert said == ToClient(b"that was all")
        assert read(asked) == {"type": "more", "by": ["near"]}

    def test_one_may_have_no_words_for_a_complaint(self):
        assert Passage(dialect=Polite()).complain(ProtocolError("No."), 0.0) == []


class Glances(Stage):
    """Has a glance at `audio`, and while it ``lets`` none pass, marks it."""

    wants_up = wants_down = glances_up = glances_down = frozenset({"audio"})

    def __init__(self):
        self.seen = []
        self.lets = True

    def lets_up(self, data):
        return self.lets

    lets_down = lets_up

    def saw_up(self, data, now):
        self.seen.append(("up", data, now))

    def saw_down(self, data, now):
        self.seen.append(("down", data, now))

    def up(self, frame, now):
        return (Up(frame.replace(by=["strictly"])),)

    def down(self, frame, now):
        return (Down(frame.replace(by=["strictly"])),)


class TestShortCut:
    def test_is_open_to_what_nobody_wants_to_see(self):
        passage = Passage([Answers()])
        event = frame("audio").data
        assert not passage.lets_up(event, "audio")  # not before it is known who wants it
        assert passage.hear(event, 0) == [ToEndpoint(event)]
        assert passage.receive(event, 0) == [ToClient(event)]
        assert passage.lets_up(event, "audio")
        assert passage.lets_down(event, "audio")

    def test_is_closed_to_what_a_stage_wants(self):
        passage = Passage([Marks("one")])
        event = frame("audio").data
        for take, lets in ((passage.hear, passage.lets_up), (passage.receive, passage.lets_down)):
            take(event, 0)
            assert not lets(event, "audio")

    def test_is_closed_to_what_the_dialect_says_otherwise(self):
        passage = Passage(dialect=Polite())
        for kind, same in (("audio", True), ("done", False)):
            event = frame(kind).data
            passage.hear(event, 0)
            passage.receive(event, 0)
            assert passage.lets_up(event, kind) == passage.lets_down(event, kind) == same

    def test_is_open_to_what_a_glance_is_enough_for(self):
        first, last = Glances(), Glances()
        passage = Passage([first, Stage(), last])
        event = frame("audio").data
        for _ in range(2):
            assert passage.hear(event, 1.0) == [ToEndpoint(event)]
            assert passage.receive(event, 2.0) == [ToClient(event)]
            assert first.seen == last.seen == [("up", event, 1.0), ("down", event, 2.0)]
            first.seen.clear()
            last.seen.clear()
        assert passage.lets_up(event, "audio")
        assert passage.lets_down(event, "audio")
        assert first.seen == []  # not before it has gone on
        passage.saw_up(event, "audio", 3.0)
        passage.saw_down(event, "audio", 4.0)
        assert first.seen == last.seen == [("up", event, 3.0), ("down", event, 4.0)]

    def test_is_closed_while_one_that_glances_does_not_let_it_pass(self):
        near, strict, far = Glances(), Glances(), Glances()
        passage = Passage([near, strict, far])
        event = frame("audio").data
        passage.hear(event, 0.0)
        passage.receive(event, 0.0)
        strict.lets = False
        for stage in (near, strict, far):
            stage.seen.clear()
        assert not passage.lets_up(event, "audio")
        assert not passage.lets_down(event, "audio")
        (up,) = passage.hear(event, 0.0)
        (down,) = passage.receive(event, 0.0)
        assert read(up)["by"] == read(down)["by"] == ["strictly"]
        assert near.seen == [("up", event, 0.0), ("down", down.data, 0.0)]
        assert far.seen == [("up", up.data, 0.0), ("down", event, 0.0)]

    def test_is_closed_while_another_stage_wants_more_than_a_glance(self):
        glances = Glances()
        passage = Passage([glances, Marks("one")])
        event = frame("audio").data
        passage.hear(event, 0.0)
        assert not passage.lets_up(event, "audio")
        assert glances.seen == [("up", event, 0.0)]


class TestInASession:
    async def test_stages_answer_add_and_work_beside_the_session(self):
        async with gateway(stages=(lambda _: Answers(),)) as running, running.connect() as ws:
            assert (await ws.receive_json())["type"] == "session.created"
            await ws.send_str('{"type":"ask"}')
            assert (await ws.receive_json())["type"] == "answered"
            assert (await ws.receive_json())["event"] == {"type": "asked"}
            await ws.send_str('{"type":"work"}')
            assert sorted([(await ws.receive_json())["type"] for _ in range(2)]) == ["done", "echo"]
            assert json.loads(running.upstream.sessions[0].heard[-1]) == {"type": "worked"}
            await ws.send_str('{"type":"leave"}')
            await ws.receive()
            assert ws.close_code == 4000
            assert await running.upstream.sessions[0].closed == (4000, "enough")

    async def test_work_ends_with_the_session(self):
        cancelled = asyncio.get_running_loop().create_future()

        class Waits(Stage):
            wants_down = frozenset({"session.created"})

            def down(self, frame, now):
                return [Run(self._wait), Down(frame)]

            async def _wait(self):
                try:
                    await asyncio.Event().wait()
                finally:
                    cancelled.set_result(None)

        async with gateway(stages=(lambda _: Waits(),)) as running:
            async with running.connect() as ws:
                await ws.receive()
            await cancelled


class TestCounts:
    def test_what_passes_is_counted_however_it_passes(self):
        counts = Counts()
        passage = Passage([Answers()], counts=counts)
        for _ in range(3):
            data = b'{"type":"plain"}'
            if passage.lets_up(data, "plain"):
                passage.saw_up(data, "plain", 0.0)
                passage.saw_down(data, "plain", 0.0)
            else:
                passage.hear(data, 0.0)
                passage.receive(data, 0.0)
        passage.hear(b'{"type":"ask"}', 0.0)
        assert counts.up == {"plain": 3, "ask": 1}  # and not what a stage adds
        assert counts.down == {"plain": 3, "answered": 1}

    def test_types_that_are_too_many_are_counted_as_others(self):
        counts = Counts()
        passage = Passage(counts=counts)
        for number in range(300):
            passage.hear(b'{"type":"t%d"}' % number, 0.0)
        assert len(counts.up) == 257
        assert counts.up[OTHER] == 300 - 256


class Once(Stage):
    """Sees one `first`, and then one `second`."""

    wants_down = frozenset({"first"})

    def __init__(self):
        self.seen = []

    def down(self, frame, now):
        self.seen.append(frame.type)
        return [Down(frame), Want(frozenset({"second"} if frame.type == "first" else ()))]


def test_a_stage_may_want_other_events_later():
    stage = Once()
    passage = Passage([stage])
    for kind in ("second", "first", "first", "second", "second"):
        passage.receive(frame(kind).data, 0.0)
    assert stage.seen == ["first", "second"]
    assert passage.lets_down(frame("second").data, "second")
