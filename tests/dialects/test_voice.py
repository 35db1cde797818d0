import json

import pytest

from vivavoce.dialects.voice import DEFAULTS, MOST_CALLS, Ask, Tell, Voice, defaults
from vivavoce.errors import ProtocolError
from vivavoce.protocol.codec import Frame, decode_client_event

NOW = 1234567890.125


class Talk:
    """One connection, in plain JSON: what is asked of the endpoint, and what is told the client."""

    def __init__(self):
        self.voice = Voice(lambda: NOW)

    def _read(self, said):
        for each in said:
            if isinstance(each, Ask):
                decode_client_event(each.frame.data)  # the endpoint reads strictly
        return [
            json.loads(each.frame.data if isinstance(each, Ask) else each.data)
            if isinstance(each, Ask) or not each.binary
            else each.data
            for each in said
        ]

    def client(self, kind, **fields):
        return self._read(self.voice.hear(json.dumps({"type": kind, **fields}).encode(), binary=False))

    def server(self, kind, **fields):
        return self._read(self.voice.say(Frame(json.dumps({"type": kind, "event_id": "event_1", **fields}))))

    def text(self, text="Hello"):
        return self.client(
            "conversation.item.input", conversation_item_input={"type": "input_text", "text": text}
        )

    def created(self, conversation_id="conv_1"):
        return self.server("response.created", response={"id": "resp_1", "conversation_id": conversation_id})

    def done(self, status="completed", **fields):
        return self.server("response.done", response={"id": "resp_1", "status": status, **fields})

    def spoken(self):
        return self.server("response.output_audio.delta", item_id="item_1", delta="AAAA")


@pytest.fixture
def talk():
    return Talk()


def kinds(events):
    return [event["type"] for event in events]


def test_a_session_begins_as_it_always_did():
    assert (DEFAULTS.voice, DEFAULTS.language, DEFAULTS.temperature) == ("alloy", "en", 0.8)
    params = defaults()
    assert params.max_output_tokens == 4096
    assert params.audio.output.voice == "alloy"
    assert params.audio.input.transcription.language == "en"
    assert (params.audio.input.format.type, params.audio.output.format.type) == ("audio/pcm", "audio/pcm")
    assert params.audio.input.turn_detection.type == "server_vad"


SESSION = {
    "id": "sess_1",
    "model": "gpt-realtime",
    "max_output_tokens": 4096,
    "audio": {
        "input": {"format": {"type": "audio/pcm"}, "turn_detection": None},
        "output": {"format": {"type": "audio/pcmu"}, "voice": "ash"},
    },
}


class TestSession:
    def test_it_is_changed_and_told(self, talk):
        changes = {
            "voice": "ash",
            "language": "de",
            "instructions": "Be kind.",
            "temperature": 0.7,
            "max_response_output_tokens": 100,
            "output_audio_format": "g711_ulaw",
            "turn_detection": "none",
        }
        (update,) = talk.client("session.update", session_update=changes)
        assert update["session"] == {
            "type": "realtime",
            "instructions": "Be kind.",
            "max_output_tokens": 100,
            "audio": {
                "input": {
                    "transcription": {"model": "gpt-4o-mini-transcribe", "language": "de"},
                    "turn_detection": None,
                },
                "output": {"voice": "ash", "format": {"type": "audio/pcmu"}},
            },
        }
        (told,) = talk.server("session.updated", session=SESSION)
        assert told == {
            "type": "session.update",
            "session": {
                "id": "sess_1",
                "model": "gpt-realtime",
                "voice": "ash",
                "language": "de",
                "temperature": 0.7,
                "max_response_output_tokens": 4096,
                "input_audio_format": "pcm16",
                "output_audio_format": "g711_ulaw",
                "turn_detection": "none",
                "audio_frames": "base64",
            },
        }

    def test_it_is_told_to_who_changed_it_and_once(self, talk):
        assert talk.server("session.created", session=SESSION) == []
        assert talk.server("session.updated", session=SESSION) == []
        talk.client("session.update", session_update={"voice": "ash"})
        assert kinds(talk.server("session.updated", session=SESSION)) == ["session.update"]
        assert talk.server("session.updated", session=SESSION) == []

    def test_a_change_that_is_refused_is_not_told(self, talk):
        (update,) = talk.client("session.update", session_update={"voice": "nobody"})
        error = {
            "code": "invalid_value",
            "message": "Invalid value for 'session.audio.output.voice'.",
            "event_id": update["event_id"],
        }
        assert talk.server("error", error=error) == [
            {
                "type": "error",
                "error": {"code": "invalid_value", "message": "Invalid value for 'session.voice'."},
            }
        ]
        assert talk.server("session.updated", session=SESSION) == []


class TestText:
    def test_it_is_answered(self, talk):
        item, create = talk.text("Hello")
        assert item["item"]["content"] == [{"type": "input_text", "text": "Hello"}]
        assert create["type"] == "response.create"
        assert talk.created() == []
        delta = {"delta": {"content": "Hi "}, "timestamp": NOW}
        for kind in ("response.output_audio_transcript.delta", "response.output_text.delta"):
            assert talk.server(kind, delta="Hi ") == [{"type": "response.delta", "response": delta}]
        assert talk.spoken() == [
            {
                "type": "response.audio",
                "response": {"audio": "AAAA", "item_id": "item_1", "timestamp": NOW},
            }
        ]
        usage = {"input_tokens": 10, "output_tokens": 20, "total_tokens": 30}
        assert talk.done(usage=usage) == [
            {
                "type": "response.done",
                "response": {
                    "usage": {"input_tokens": 10, "output_tokens": 20},
                    "status": "completed",
                    "timestamp": NOW,
                },
            }
        ]

    def test_it_takes_the_place_of_what_is_being_answered(self, talk):
        talk.text()
        talk.created()
        talk.spoken()
        assert kinds(talk.text("No, wait")) == [
            "conversation.item.create",
            "response.cancel",
            "response.interrupted",
        ]
        assert kinds(talk.text("One thing more")) == ["conversation.item.create"]
        assert kinds(talk.done("cancelled")) == ["response.done", "response.create"]
        assert talk.created() == []
        assert kinds(talk.done()) == ["response.done"]

    def test_it_may_come_before_the_answer_to_the_last_began(self, talk):
        talk.text()
        assert kinds(talk.text("Another")) == ["conversation.item.create"]
        assert kinds(talk.created()) == ["response.cancel"]
        assert kinds(talk.done("cancelled")) == ["response.done", "response.create"]

    def test_it_waits_for_an_answer_that_began_by_itself(self, talk):
        _, create = talk.text()
        talk.created()
        error = {"code": "conversation_already_has_active_response", "event_id": create["event_id"]}
        assert talk.server("error", error=error) == []
        assert kinds(talk.done()) == ["response.done", "response.create"]

    def test_an_answer_that_cannot_be_is_told(self, talk):
        _, create = talk.text()
        error = {"type": "server_error", "code": None, "message": "No.", "event_id": create["event_id"]}
        assert talk.server("error", error=error) == [
            {"type": "error", "error": {"code": "server_error", "message": "No."}}
        ]
        assert kinds(talk.text())[-1] == "response.create"

    def test_an_answer_that_failed_is_told(self, talk):
        failure = {"type": "server_error", "code": "model_failed", "message": "It failed."}
        error, done = talk.done("failed", status_details={"type": "failed", "error": failure})
        assert error == {"type": "error", "error": {"code": "model_failed", "message": "It failed."}}
        assert done["response"]["usage"] == {"input_tokens": 0, "output_tokens": 0}

    def test_answers_out_of_band_are_none_of_its_business(self, talk):
        assert talk.created(None) == talk.done(conversation_id=None) == []
        assert kinds(talk.text())[-1] == "response.create"


class TestAudio:
    def test_it_is_appended(self, talk):
        sent = {"type": "input_audio_buffer", "audio": "AAAA"}
        assert talk.client("conversation.item.input", conversation_item_input=sent) == [
            {"type": "input_audio_buffer.append", "audio": "AAAA"}
        ]

    def test_it_is_answered_when_it_is_committed(self, talk):
        assert kinds(talk.client("input_audio_buffer.commit")) == ["input_audio_buffer.commit"]
        assert kinds(talk.server("input_audio_buffer.committed", item_id="item_1")) == ["response.create"]

    def test_it_is_answered_by_the_endpoint_when_that_commits_it(self, talk):
        assert talk.server("input_audio_buffer.committed", item_id="item_1") == []

    def test_too_little_of_it_is_told_and_not_answered(self, talk):
        (commit,) = talk.client("input_audio_buffer.commit")
        error = {"code": "input_audio_buffer_commit_empty", "message": "m", "event_id": commit["event_id"]}
        assert kinds(talk.server("error", error=error)) == ["error"]
        assert talk.server("input_audio_buffer.committed", item_id="item_1") == []

    def test_binary_frames_are_for_those_who_asked_for_them(self, talk):
        with pytest.raises(ProtocolError, match="audio_frames"):
            talk.voice.hear(b"\0\0", binary=True)
        talk.client("session.update", session_update={"audio_frames": "binary"})
        assert talk._read(talk.voice.hear(b"\0\0\0", binary=True)) == [
            {"type": "input_audio_buffer.append", "audio": "AAAA"}
        ]
        frame = Frame('{"type":"response.output_audio.delta","item_id":"item_1","delta":"AAAA"}')
        assert talk.voice.say(frame) == [Tell(b"\0\0\0", binary=True)]

    def test_the_users_words_are_told(self, talk):
        told = talk.server(
            "conversation.item.input_audio_transcription.completed", item_id="item_1", transcript="Hello."
        )
        item = {"id": "item_1", "transcript": "Hello.", "timestamp": NOW}
        assert told == [{"type": "conversation.item.transcript", "item": item}]


class TestInterruptions:
    def test_speech_over_an_answer_is_told_once(self, talk):
        assert talk.server("input_audio_buffer.speech_started", item_id="item_2") == []
        talk.spoken()
        told = {"item_id": "item_1", "timestamp": NOW}
        assert talk.server("input_audio_buffer.speech_started", item_id="item_2") == [
            {"type": "response.interrupted", "response": told}
        ]
        assert talk.server("input_audio_buffer.speech_started", item_id="item_3") == []

    def test_an_answer_can_be_stopped(self, talk):
        talk.text()
        talk.created()
        talk.spoken()
        assert kinds(talk.client("response.cancel")) == ["response.cancel", "response.interrupted"]

    def test_stopping_nothing_is_no_error(self, talk):
        (cancel,) = talk.client("response.cancel")
        error = {"code": "response_cancel_not_active", "event_id": cancel["event_id"]}
        assert talk.server("error", error=error) == []

    def test_what_was_heard_can_be_told(self, talk):
        (truncate,) = talk.client("conversation.item.truncate", item_id="item_1", audio_end_ms=100)
        assert (truncate["item_id"], truncate["content_index"], truncate["audio_end_ms"]) == (
            "item_1",
            0,
            100,
        )


CALL = {"type": "function_call", "name": "get_weather", "call_id": "call_1", "arguments": "{}"}


class TestTools:
    def test_they_are_told_by_name_alone(self, talk):
        assert talk.server("conversation.item.added", item={**CALL, "status": "in_progress"}) == []
        (called,) = talk.server("response.output_item.done", item={**CALL, "status": "completed"})
        tool = {"name": "get_weather", "call_id": "call_1"}
        assert called["response"] == {"tool": {**tool, "status": "called"}, "timestamp": NOW}
        output = {"type": "function_call_output", "call_id": "call_1", "output": "secret"}
        (answered,) = talk.server("conversation.item.added", item=output)
        assert answered["response"] == {"tool": {**tool, "status": "answered"}, "timestamp": NOW}

    def test_no_more_of_them_are_remembered_than_that(self, talk):
        for number in range(MOST_CALLS + 1):
            talk.server("response.output_item.done", item={**CALL, "call_id": f"call_{number}"})
        output = {"type": "function_call_output", "call_id": f"call_{MOST_CALLS}"}
        (told,) = talk.server("conversation.item.added", item=output)
        assert told["response"]["tool"]["name"] is None


class TestPing:
    def test_it_gets_its_own_time_back_or_ours(self, talk):
        assert talk.client("ping", ping={"timestamp": 5.5}) == [{"type": "pong", "timestamp": 5.5}]
        assert talk.client("ping") == [{"type": "pong", "timestamp": NOW}]


def test_what_has_another_shape_harms_nobody(talk):
    for kind in ("response.created", "response.done", "error", "session.updated", "conversation.item.added"):
        for value in (None, 3, [], {}):
            talk.client("session.update", session_update={})
            talk.server(kind, response=value, error=value, session=value, item=value)
    assert talk.server("response.output_audio.delta", delta=None)[0]["response"]["audio"] == ""
    assert talk.done(usage=3)[0]["response"]["usage"] == {"input_tokens": 0, "output_tokens": 0}
    talk.client("session.update", session_update={"audio_frames": "binary"})
    with pytest.raises(ProtocolError, match="'delta'"):
        talk.server("response.output_audio.delta", delta="A")
