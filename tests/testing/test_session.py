"""The scripted state machine by hand: nothing runs, so nothing is a matter of time."""

import base64
import json
import random

import msgspec
import numpy as np
import pytest

from vivavoce.engine.models.protocols import Finished
from vivavoce.engine.session import effects, inputs
from vivavoce.protocol.codec import encode
from vivavoce.protocol.ids import Ids
from vivavoce.testing.script import parse_script
from vivavoce.testing.session import ScriptedSession

TRANSCRIBED = {"audio": {"input": {"transcription": {"model": "whisper-1"}}}}


class Stage:
    def __init__(self, text, **session):
        self.machine = ScriptedSession(
            parse_script(text),
            ids=Ids(random.Random(1)),
            model="gpt-realtime",
            voices=("alloy", "marin"),
            step_ms=32,
            budget_tokens=10_000,
            expires_at=2_000_000_000,
        )
        self.begun = self.told(self.machine.begin())
        self.asked = []
        if session:
            self.client("session.update", session={"type": "realtime", **session})

    def told(self, asked):
        return [json.loads(encode(effect.event)) for effect in asked if isinstance(effect, effects.Send)]

    def tell(self, happened):
        asked = self.machine.take(happened)
        self.asked += [effect for effect in asked if not isinstance(effect, effects.Send)]
        return self.told(asked)

    def client(self, kind, **fields):
        return self.tell(msgspec.json.encode({"type": kind, **fields}))

    def sound(self, *spans):
        noise = np.random.default_rng(1)
        audio = np.concatenate([noise.uniform(-a, a, int(s * 24_000)) for s, a in spans]) * 32767
        return self.client(
            "input_audio_buffer.append", audio=base64.b64encode(audio.astype("<i2").tobytes()).decode()
        )

    @property
    def generate(self):
        return next(effect for effect in reversed(self.asked) if isinstance(effect, effects.Generate))


def types(events):
    return [event["type"] for event in events]


class TestHearing:
    def test_a_turn_by_voice_is_answered_within_the_event_that_ends_it(self):
        stage = Stage('turns: [{hear: "What time is it?", say: Late.}]', **TRANSCRIBED)
        events = stage.sound((0.5, 0), (1, 0.3), (0.6, 0))
        assert [kind for kind in types(events) if not kind.endswith(".delta")] == [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            "conversation.item.input_audio_transcription.completed",
            "response.created",
        ]
        assert events[0]["audio_start_ms"] == pytest.approx(500 - 300, abs=64)
        assert stage.generate.prompt.messages[-1].text == "What time is it?"
        assert not any(
            isinstance(effect, effects.Listen | effects.Recognise | effects.Prepare) for effect in stage.asked
        )

    def test_it_does_not_matter_how_the_audio_is_cut(self):
        whole, cut = (
            Stage("turns: [{hear: One two three four., say: Yes.}]", **TRANSCRIBED) for _ in range(2)
        )
        pcm = (
            np.concatenate([np.zeros(12_000), np.full(36_000, 5000), np.zeros(12_000)])
            .astype("<i2")
            .tobytes()
        )
        seen = []
        for stage, size in ((whole, len(pcm)), (cut, 482)):
            seen.append([])
            for at in range(0, len(pcm), size):
                audio = base64.b64encode(pcm[at : at + size]).decode()
                seen[-1] += stage.client("input_audio_buffer.append", audio=audio)
        assert seen[0] == seen[1]
        assert len(seen[0]) > 7

    def test_words_come_while_somebody_speaks(self):
        stage = Stage("turns: [{hear: one two three four five six, say: Yes.}]", **TRANSCRIBED)
        events = []
        for _ in range(30):
            events += stage.sound((0.1, 0.3))
        deltas = [event["delta"] for event in events if event["type"].endswith("transcription.delta")]
        assert len(deltas) > 2
        assert "one two three four five six".startswith("".join(deltas))

    def test_a_pause_does_not_end_the_turn(self):
        stage = Stage("turns: [{hear: One. Two., say: Yes.}, {hear: Three., say: No.}]")
        stage.sound((1, 0.3), (0.15, 0))
        assert not any(isinstance(effect, effects.Generate) for effect in stage.asked)
        stage.sound((1, 0.3), (0.6, 0))
        assert stage.generate.prompt.messages[-1].text == "One. Two."

    @pytest.mark.parametrize(("words", "over"), [("That is all.", True), ("And then the", False)])
    def test_semantic_turns_end_by_the_words(self, words, over):
        detection = {"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}}
        stage = Stage(f"turns: [{{hear: {words}, say: Yes.}}]", **detection)
        assert ("response.created" in types(stage.sound((1, 0.3), (0.7, 0)))) is over

    def test_a_turn_without_words_gets_no_answer_and_takes_no_turn(self):
        stage = Stage('turns: [{hear: ["", Hello.], say: Yes.}]')
        assert "response.created" not in types(stage.sound((1, 0.3), (0.6, 0)))
        assert "response.created" in types(stage.sound((1, 0.3), (0.6, 0)))

    def test_a_transcription_fails_and_the_response_goes_on(self):
        stage = Stage("turns: [{fail_transcription: too quiet, say: Pardon.}]", **TRANSCRIBED)
        events = stage.sound((1, 0.3), (0.6, 0))
        (failed,) = [event for event in events if event["type"].endswith("transcription.failed")]
        assert failed["error"]["message"] == "too quiet"
        assert types(events)[-1] == "response.created"

    def test_audio_in_the_input_of_a_response_is_heard_before_it_is_answered(self):
        stage = Stage('turns: [{hear: "Hello?", say: Yes.}]')
        content = {"type": "input_audio", "audio": base64.b64encode(bytes(48_000)).decode()}
        item = {"type": "message", "role": "user", "content": [content]}
        stage.client("response.create", response={"conversation": "none", "input": [item]})
        assert stage.generate.prompt.messages[-1].text == "Hello?"

    def test_a_silence_that_times_out_has_no_words_and_is_answered(self):
        idle = {"audio": {"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 5000}}}}
        stage = Stage("turns: [{say: Yes.}, {say: Well.}, {hear: I am., say: Good.}]", **idle)
        stage.client("response.create")
        stage.tell(inputs.GenerationFinished(stage.generate.generation, Finished("stop", 0, 0)))
        events = stage.sound(*[(1, 0)] * 7)
        assert "input_audio_buffer.timeout_triggered" in types(events)
        assert "response.created" in types(events)
        stage.sound((1, 0.3), (0.6, 0))
        assert stage.generate.prompt.messages[-1].text == "I am."


class TestEnds:
    def respond(self, text, end, **response):
        stage = Stage(text)
        began = stage.client("response.create", response=response)
        number = stage.generate.generation
        return began, stage.tell(end(number))

    def test_a_failure_has_the_code_of_the_script(self):
        _, events = self.respond(
            "turns: [{error: {message: No more., code: quota_exceeded, type: insufficient_quota}}]",
            lambda number: inputs.GenerationFailed(number, "No more."),
        )
        assert events[0]["response"]["status"] == "failed"
        assert events[0]["response"]["status_details"]["error"] == {
            "type": "insufficient_quota",
            "code": "quota_exceeded",
            "message": "No more.",
        }

    @pytest.mark.parametrize("reason", ["content_filter", "max_output_tokens"])
    def test_an_incomplete_response_has_the_reason_of_the_script(self, reason):
        _, events = self.respond(
            f"turns: [{{incomplete: {reason}}}]",
            lambda number: inputs.GenerationFinished(number, Finished("length", 0, 0)),
        )
        assert events[0]["response"]["status"] == "incomplete"
        assert events[0]["response"]["status_details"]["reason"] == reason

    def test_a_response_that_was_cancelled_is_only_cancelled(self):
        stage = Stage("turns: [{error: No more.}]")
        stage.client("response.create")
        done = stage.client("response.cancel")[0]["response"]
        assert (done["status"], done["status_details"]["reason"]) == ("cancelled", "client_cancelled")

    def test_raw_events_are_sent_where_the_script_has_them(self):
        began, events = self.respond(
            "turns: [{say: Hi., emit: [{type: x.begun, of: {response: [$response_id]}}],"
            " emit_after: [{type: error, event_id: mine, error: {message: $response_id}}]}]",
            lambda number: inputs.GenerationFinished(number, Finished("stop", 0, 0)),
        )
        response = began[0]["response"]["id"]
        assert types(began) == ["response.created", "x.begun"]
        assert began[1]["of"] == {"response": [response]}
        assert began[1]["event_id"].startswith("event_")
        at = types(events).index("response.done")
        assert events[at + 1] == {"type": "error", "event_id": "mine", "error": {"message": response}}

    def test_raw_events_can_begin_the_session(self):
        stage = Stage("{emit: [{type: hello, session: $session_id}], turns: [{say: Hi.}]}")
        assert types(stage.begun) == ["session.created", "hello"]
        assert stage.begun[1]["session"] == stage.begun[0]["session"]["id"]


def test_responses_beside_each_other_keep_their_turns():
    stage = Stage("turns: [{error: {message: one, code: first}}, {error: {message: two, code: second}}]")
    stage.client("response.create")
    one = stage.generate.generation
    stage.client("response.create", response={"conversation": "none"})
    two = stage.generate.generation
    for number, code in ((two, "second"), (one, "first")):
        done = stage.tell(inputs.GenerationFailed(number, "x"))[0]["response"]
        assert done["status_details"]["error"]["code"] == code
