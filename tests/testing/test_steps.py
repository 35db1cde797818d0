import json

import pytest

from vivavoce.errors import ScriptFailed
from vivavoce.protocol.server_events import InputAudioBufferCleared
from vivavoce.testing.matching import ref
from vivavoce.testing.steps import Close, Steps, close, emit, expect


def take(steps, kind, **fields):
    return [json.loads(event) for event in steps.take(json.dumps({"type": kind, **fields}))]


class TestOrder:
    def test_what_stands_first_is_sent_first(self):
        steps = Steps([emit("a"), emit("b"), expect("c"), emit("d")])
        assert [json.loads(event)["type"] for event in steps.begin()] == ["a", "b"]
        assert take(steps, "c") == [{"event_id": "event_3", "type": "d"}]
        steps.check()

    def test_the_end_is_a_step(self):
        steps = Steps([expect("a"), emit("b"), close(1001, "over")])
        assert steps.take('{"type": "a"}')[1] == Close(1001, "over")

    def test_what_is_ignored_may_come_at_any_time_but_is_heeded_where_it_is_expected(self):
        steps = Steps([expect("a"), expect("b"), emit("c")], ignore=("a",))
        assert [take(steps, kind) for kind in "aaa"] == [[], [], []]
        assert take(steps, "b")[0]["type"] == "c"


class TestEmitting:
    def test_an_event_of_the_protocol(self):
        (sent,) = Steps([emit(InputAudioBufferCleared(event_id="mine"))]).begin()
        assert json.loads(sent) == {"type": "input_audio_buffer.cleared", "event_id": "mine"}
        (sent,) = Steps([emit(InputAudioBufferCleared())]).begin()
        assert json.loads(sent)["event_id"] == "event_1"

    def test_what_a_function_makes_of_the_last_event(self):
        steps = Steps(
            [expect("a"), emit(lambda came: {"type": "error", "error": {"event_id": came["event_id"]}})]
        )
        assert take(steps, "a", event_id="e1")[0]["error"] == {"event_id": "e1"}

    def test_what_the_client_made_up(self):
        steps = Steps([expect("a", item={"id": ref("mine")}), emit("b", item_id=ref("mine"))])
        assert take(steps, "a", item={"id": "item_7"})[0]["item_id"] == "item_7"

    def test_fields_go_with_a_type_only(self):
        with pytest.raises(TypeError, match="got item_id beside a whole event"):
            emit({"type": "a"}, item_id="x")


class TestFailures:
    @pytest.mark.parametrize(
        ("steps", "came", "said"),
        [
            ([expect("a")], '{"type": "b"}', 'Step 1: expected a, got {"type":"b"}.'),
            ([emit("x")], '{"type": "b"}', 'Step 2: expected nothing more, got {"type":"b"}.'),
            (
                [expect("a", x=1)],
                '{"type": "a"}',
                'Step 1: a: x: expected 1, but it is absent; it came as {"type":"a"}.',
            ),
            ([expect("a")], "{", "Step 1: expected a, got no JSON: "),
            ([expect("a")], "[]", "Step 1: expected a, got []."),
            (
                [expect("a"), emit("b", id=ref("x"))],
                '{"type": "a"}',
                "Expected something to come for ref('x')",
            ),
        ],
    )
    def test_say_what_was_expected_and_what_came(self, steps, came, said):
        playing = Steps(steps)
        playing.begin()
        with pytest.raises(ScriptFailed) as failed:
            playing.take(came)
        assert said in str(failed.value)
        with pytest.raises(ScriptFailed) as again:
            playing.check()
        assert str(again.value) == str(failed.value)

    def test_steps_that_are_left_are_one(self):
        steps = Steps([emit("a"), expect("b"), emit("c")])
        steps.begin()
        with pytest.raises(ScriptFailed, match=r"^Step 2: expected b; 2 steps are left\.$"):
            steps.check()

    def test_long_events_are_cut(self):
        with pytest.raises(ScriptFailed) as failed:
            Steps([]).take(json.dumps({"type": "a", "audio": "x" * 1000}))
        assert len(str(failed.value)) < 400
