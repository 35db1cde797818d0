import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vivavoce.errors import ProtocolError
from vivavoce.gateway.history.changes import Change
from vivavoce.gateway.history.places import MOST_PLACES
from vivavoce.gateway.history.stage import MOST_ITEMS, MOST_LATE, HistoryStage
from vivavoce.gateway.passage import End, Passage, ToClient, ToEndpoint
from vivavoce.protocol.codec import Frame

from .doubles import STARTED_AT, Rows, Session, audio, message, opening, response, session

WIRE = Path(__file__).parents[2] / "wire"


class TestSession:
    def test_is_told_from_its_first_event_on(self):
        talk = Session(key="laptop", group="family")
        assert talk.rows.changes == []
        talk.down("session.created", session=session(model="gpt-realtime-2.1"))
        assert talk.rows.session == {
            "user": "ada",
            "key_name": "laptop",
            "group_name": "family",
            "model": "gpt-realtime-2",
            "dialect": "ga",
            "upstream": "engine",
            "process": "proc_1",
            "started_at": STARTED_AT,
            "recording": None,
            "state": "open",
        }
        assert talk.tick().session["model"] == "gpt-realtime-2.1"
        assert talk.rows.session["endpoint_session_id"] == "sess_upstream"
        assert talk.rows.session["type"] == "realtime"

    def test_is_told_how_it_ended(self):
        talk = Session()
        talk.down("session.created", session=session())
        row = talk.wait(12.5).end(1001, "The server stops.").session
        assert (row["state"], row["close_code"], row["close_reason"]) == ("ended", 1001, "The server stops.")
        assert row["ended_at"] == STARTED_AT + 12.5

    def test_one_without_any_event_is_told_too(self):
        assert Session().end(1011).session["state"] == "ended"

    def test_counts_the_audio_of_both_sides(self):
        talk = Session()
        for _ in range(3):
            talk.up("input_audio_buffer.append", audio=audio(40))
        talk.say(ms=1500)
        row = talk.wait(10).end().session
        assert (row["audio_in_ms"], row["audio_out_ms"]) == (120, 1500)

    def test_counts_telephone_audio_by_its_own_format(self):
        talk = Session()
        formats = {"input": {"format": {"type": "audio/pcmu"}}, "output": {"format": {"type": "audio/pcma"}}}
        talk.down("session.created", session=session(audio=formats))
        talk.up("input_audio_buffer.append", audio=audio(40, rate=8000, width=1))
        talk.down(
            "response.output_audio.delta", response_id="r", item_id="i", delta=audio(60, rate=8000, width=1)
        )
        row = talk.wait(1).end().session
        assert (row["audio_in_ms"], row["audio_out_ms"]) == (40, 60)

    def test_nothing_is_told_when_nothing_has_changed(self):
        talk = Session()
        talk.down("session.created", session=session())
        talk.tick()
        told = len(talk.rows.changes)
        talk.tick()
        assert len(talk.rows.changes) == told


class TestItems:
    def test_an_item_is_told_once_however_many_events_speak_of_it(self):
        talk = Session()
        talk.say()
        talk.tick()
        assert [change.table for change in talk.rows.changes].count("items") == 1
        row = talk.rows.items["item_1"]
        assert row["content"] == [{"type": "output_audio", "transcript": "Good morning."}]
        assert (row["role"], row["status"], row["response_id"]) == ("assistant", "completed", "resp_1")
        assert row["created_at"] == STARTED_AT

    def test_order_is_the_conversations(self):
        talk = Session()
        for item_id, previous in (("a", None), ("c", "a"), ("b", "a"), ("z", "c"), ("first", None)):
            content = [{"type": "input_text", "text": item_id}]
            talk.down(
                "conversation.item.added", previous_item_id=previous, item=message(item_id, "user", content)
            )
            talk.tick()
        assert talk.rows.words() == ["first", "a", "b", "c", "z"]

    def test_a_turn_that_turn_detection_found_lies_where_it_was_spoken(self):
        talk = Session()
        talk.down("session.created", session=session())
        talk.wait(2)
        for _ in range(50):
            talk.wait(0.04).up("input_audio_buffer.append", audio=audio(40))
        talk.down("input_audio_buffer.speech_started", item_id="u", audio_start_ms=300)
        talk.down("input_audio_buffer.speech_stopped", item_id="u", audio_end_ms=1700)
        talk.down("input_audio_buffer.committed", item_id="u", previous_item_id=None)
        talk.down("conversation.item.added", item=message("u", "user", [{"type": "input_audio"}]))
        usage = {"type": "duration", "seconds": 2}
        talk.down(
            "conversation.item.input_audio_transcription.completed",
            item_id="u", content_index=0, transcript="Hello.", usage=usage,
        )  # fmt: skip
        row = talk.tick().items["u"]
        assert (row["start_ms"], row["end_ms"]) == (2300, 3700)
        assert row["usage"] == usage
        assert talk.rows.words() == ["Hello."]

    def test_a_turn_that_the_client_commits_lasts_from_the_last_one(self):
        talk = Session()
        talk.down("session.created", session=session())
        for item_id, begin in (("u1", 1), ("u2", 4)):
            talk.now = 100.0 + begin
            for _ in range(10):
                talk.wait(0.04).up("input_audio_buffer.append", audio=audio(40))
            talk.down("input_audio_buffer.committed", item_id=item_id)
            talk.down("conversation.item.added", item=message(item_id, "user", [{"type": "input_audio"}]))
        rows = talk.tick().items
        assert [(row["start_ms"], row["end_ms"]) for row in rows.values()] == [(1000, 1400), (4000, 4400)]

    def test_what_was_cleared_belongs_to_no_turn(self):
        talk = Session()
        talk.wait(1).up("input_audio_buffer.append", audio=audio(1000))
        talk.down("input_audio_buffer.cleared")
        talk.wait(0.5).up("input_audio_buffer.append", audio=audio(500))
        talk.down("input_audio_buffer.committed", item_id="u")
        talk.down("conversation.item.added", item=message("u", "user", [{"type": "input_audio"}]))
        row = talk.tick().items["u"]
        assert row["end_ms"] - row["start_ms"] == 500

    def test_silence_that_was_too_long_has_its_time(self):
        talk = Session()
        talk.wait(9).up("input_audio_buffer.append", audio=audio(9000))
        talk.down("input_audio_buffer.timeout_triggered", item_id="u", audio_start_ms=1000, audio_end_ms=6000)
        talk.down("conversation.item.added", item=message("u", "user", [{"type": "input_audio"}]))
        row = talk.tick().items["u"]
        assert row["end_ms"] - row["start_ms"] == 5000

    def test_an_answer_lies_where_it_is_heard(self):
        talk = Session()
        talk.down("session.created", session=session())
        talk.wait(3).say(ms=2500)
        row = talk.tick().items["item_1"]
        assert (row["start_ms"], row["end_ms"]) == (3000, 5500)

    def test_a_quick_answer_does_not_come_before_its_question(self):
        talk = Session()
        talk.down("session.created", session=session())
        question = message("u", "user", [{"type": "input_text", "text": "Who?"}])
        talk.wait(0.05).down("conversation.item.added", item=question)
        talk.wait(0.05).say()
        assert talk.tick().items["item_1"]["start_ms"] == 100

    def test_an_interruption_ends_it_where_it_was_heard_to(self):
        talk = Session()
        talk.down("session.created", session=session())
        talk.wait(1).say(ms=8000)
        talk.wait(2).down("conversation.item.truncated", item_id="item_1", content_index=0, audio_end_ms=1800)
        row = talk.tick().items["item_1"]
        assert (row["start_ms"], row["end_ms"], row["audio_end_ms"]) == (1000, 2800, 1800)
        assert talk.rows.words() == ["Good morning."]

    @pytest.mark.parametrize("how", ["cancelled", "cleared", "ended"])
    def test_what_is_broken_off_ends_there(self, how):
        talk = Session()
        talk.down("session.created", session=session())
        talk.wait(1).say(ms=8000)
        talk.wait(2)
        if how == "cancelled":
            talk.down("response.done", response=response(status="cancelled"))
        elif how == "cleared":
            talk.down("output_audio_buffer.cleared", response_id="resp_1")
        else:
            talk.end()
        assert talk.tick().items["item_1"]["end_ms"] == 3000

    def test_truncating_what_was_never_heard_does_no_harm(self):
        talk = Session()
        talk.say(ms=0)
        talk.down("conversation.item.truncated", item_id="nobody", content_index=0, audio_end_ms=10**12)
        talk.down("conversation.item.truncated", item_id="item_1", content_index=0, audio_end_ms=10**12)
        assert talk.tick().items["item_1"]["audio_end_ms"] == 2**31 - 1

    def test_what_is_deleted_was_said_nevertheless(self):
        talk = Session()
        talk.say()
        talk.down("conversation.item.deleted", item_id="item_1")
        row = talk.tick().items["item_1"]
        assert row["deleted"] is True
        assert row["content"] == [{"type": "output_audio", "transcript": "Good morning."}]

    def test_what_is_deleted_though_it_went_from_memory_is_told_too(self):
        talk = Session()
        talk.down("conversation.item.deleted", item_id="long ago")
        assert talk.rows.items == {"long ago": {"deleted": True}}

    def test_functions_that_are_called_are_told(self):
        talk = Session()
        call = {"type": "function_call", "id": "c", "name": "weather", "call_id": "call_1", "arguments": ""}
        talk.down("response.output_item.added", response_id="r", output_index=0, item=call)
        talk.down("conversation.item.added", item=call)
        talk.down(
            "response.function_call_arguments.done",
            response_id="r", item_id="c", output_index=0, call_id="call_1", name="weather", arguments="{}",
        )  # fmt: skip
        output = {"type": "function_call_output", "id": "o", "call_id": "call_1", "output": "sunny"}
        talk.down("conversation.item.added", previous_item_id="c", item=output)
        rows = talk.tick().items
        assert (rows["c"]["name"], rows["c"]["arguments"]) == ("weather", "{}")
        assert (rows["o"]["call_id"], rows["o"]["output"]) == ("call_1", "sunny")

    def test_speech_that_came_to_nothing_is_no_item(self):
        talk = Session()
        talk.down("input_audio_buffer.speech_started", item_id="u", audio_start_ms=0)
        assert talk.end().items == {}


PART = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}


def test_memory_is_bounded_however_long_they_talk():
    talk = Session()
    for number in range(2 * MOST_PLACES):
        content = [{"type": "input_text", "text": f"{number}"}]
        talk.down("conversation.item.added", item=message(f"i{number}", "user", content))
        talk.down("response.created", response=response(f"r{number}"))
        talk.down("response.done", response=response(f"r{number}"))
        talk.tick()
    assert talk.rows.words() == [f"{number}" for number in range(2 * MOST_PLACES)]
    assert len(talk.stage._mirror.items) <= MOST_ITEMS
    assert len(talk.stage._places._places) == MOST_PLACES
    assert talk.stage._answers._open == talk.stage._answers._waiting == talk.stage._answers._silent == {}


def test_many_items_at_once_are_all_told_in_their_order():
    talk = Session()
    for number in range(3 * MOST_PLACES):
        content = [{"type": "input_text", "text": f"{number}"}]
        previous = f"i{number - 1}" if number else None
        item = message(f"i{number}", "user", content)
        talk.down("conversation.item.added", previous_item_id=previous, item=item)
    assert talk.tick().words() == [f"{number}" for number in range(3 * MOST_PLACES)]


class TestDeltas:
    def begin(self):
        talk = Session()
        talk.down("response.created", response=response("r", "in_progress"))
        talk.down("response.output_item.added", response_id="r", output_index=0, item=message("i"))
        return talk

    def test_are_read_when_a_session_breaks_off_before_they_are_repeated(self):
        talk = self.begin()
        for word in ("Once ", "upon "):
            talk.down("response.output_audio_transcript.delta", delta=word, **PART)
        assert talk.tick().words() == [""]
        assert talk.end(1006).words() == ["Once upon "]

    def test_are_not_read_again_when_they_were_repeated(self):
        talk = self.begin()
        talk.down("response.output_audio_transcript.delta", delta="Once ", **PART)
        talk.down("response.output_audio_transcript.done", transcript="Once upon a time", **PART)
        assert talk.end(1006).words() == ["Once upon a time"]

    def test_are_not_collected_without_end(self):
        talk = self.begin()
        for _ in range(MOST_LATE):
            talk.down("response.output_text.delta", delta="x", **PART)
        assert talk.tick().words() == ["x" * MOST_LATE]
        talk.down("response.output_text.delta", delta="!", **PART)
        assert talk.end().words() == ["x" * MOST_LATE + "!"]

    def test_of_the_users_words_outlive_the_answer(self):
        talk = Session()
        talk.down("conversation.item.added", item=message("u", "user", [{"type": "input_audio"}]))
        talk.down(
            "conversation.item.input_audio_transcription.delta", item_id="u", content_index=0, delta="Hello"
        )
        talk.say()
        talk.down("response.done", response=response())
        assert talk.end(1006).words() == ["Hello", "Good morning."]


class TestOnTheWay:
    """In a passage, as the gateway has it."""

    def test_every_event_passes_as_it_was(self):
        passage = Passage([HistoryStage(opening(), Rows())])
        append = json.dumps({"type": "input_audio_buffer.append", "audio": audio(40)}).encode()
        assert passage.hear(append, 1.0) == [ToEndpoint(append)]
        odd = b'{"type": "conversation.item.added", "item": {"type": "hologram"}}'
        assert passage.receive(odd, 1.0) == [ToClient(odd)]

    def test_audio_is_never_decoded(self, monkeypatch):
        talk = Session()
        talk.say(ms=0)

        def refuse(_):
            raise AssertionError("decoded")

        monkeypatch.setattr(Frame, "server_event", refuse)
        monkeypatch.setattr(Frame, "client_event", refuse)
        talk.up("input_audio_buffer.append", audio=audio(40))
        talk.down("response.output_audio.delta", response_id="resp_1", item_id="item_1", delta=audio(40))
        talk.down("response.output_text.delta", response_id="resp_1", item_id="item_1", delta="x")


RECORDED = [
    json.loads(line) for path in sorted(WIRE.glob("*.jsonl")) for line in path.read_text().splitlines()
]
IDS = ("item_1", "item_2", "resp_1")
ODD = st.sampled_from([None, "", "x", "\ud83d", 0, -1, 10**400, 1.5, 1e308, True, [], {}, *IDS])


def damage(value, draw):
    """Replace some of the values inside of an event, and most of its ids by few that meet again."""
    if isinstance(value, dict):
        return {
            key: draw(st.sampled_from(IDS))
            if key in {"item_id", "id", "response_id"}
            else one
            if key == "type"
            else draw(ODD)
            if draw(st.integers(0, 30)) == 0
            else damage(one, draw)
            for key, one in value.items()
        }
    return [damage(one, draw) for one in value] if isinstance(value, list) else value


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_event_in_any_order_ends_a_session(data):
    rows = Rows()
    passage = Passage([HistoryStage(opening(), rows)])
    now = 0.0
    for line in data.draw(st.lists(st.sampled_from(RECORDED), max_size=30)):
        event = json.dumps(damage(line["event"], data.draw))
        now += data.draw(st.sampled_from([0.0, 0.04, 5.0]))
        if line["dir"] == "C":
            passage.hear(event.encode(), now)
        else:
            with contextlib.suppress(ProtocolError):  # where it is no event at all
                passage.receive(event, now)
        passage.tick(now)
    passage.ended(End(1006), now)
    for change in rows.changes:
        for value in change.values.values():
            assert not isinstance(value, int) or abs(value) < 2**31


@pytest.mark.parametrize("path", sorted(WIRE.glob("*.jsonl")), ids=lambda path: path.stem)
def test_a_session_with_openai_is_kept_as_it_was(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    rows = Rows()
    passage = Passage([HistoryStage(opening(), rows)])
    now = 0.0
    for line in lines:
        now += 0.04
        if line["dir"] == "C":
            passage.hear(json.dumps(line["event"]).encode(), now)
        else:
            passage.receive(json.dumps(line["event"]), now)
        passage.tick(now)
    passage.ended(End(1000), now)
    events = [line["event"] for line in lines if line["dir"] == "S"]
    done = {
        event["response"]["id"]: event["response"] for event in events if event["type"] == "response.done"
    }
    assert {name: row["status"] for name, row in rows.responses.items()} == {
        name: one["status"] for name, one in done.items()
    }
    for name, one in done.items():
        assert rows.responses[name]["usage"]["total_tokens"] == one["usage"]["total_tokens"]
    for event in events:
        if event["type"] == "conversation.item.added":
            assert rows.items[event["item"]["id"]]["type"] == event["item"]["type"]
        if event["type"].endswith(("input_audio_transcription.completed", "audio_transcript.done")):
            content = rows.items[event["item_id"]]["content"]
            assert content[event["content_index"]]["transcript"] == event["transcript"]
    assert all(isinstance(change, Change) for change in rows.changes)
