import base64

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.audio import formats
from vivavoce.engine.models.protocols import Finished, Transcription
from vivavoce.engine.session import wire
from vivavoce.engine.session.conversation import Entry, Part
from vivavoce.errors import ProtocolError
from vivavoce.protocol.items import Item
from vivavoce.protocol.session import AudioInput, AudioOutput, AudioPcm, AudioPcma, AudioPcmu, SessionAudio
from vivavoce.protocol.usage import TranscriptionDuration, TranscriptionTokens

SOUND = base64.b64encode(b"\x01\x00\xff\xff\x00\x80").decode()
SAMPLES = [1, -1, -32768]


def entry(**given):
    return wire.entry(msgspec.convert(given, Item), "item_1", SessionAudio())


def told(kept, audio=None):
    return msgspec.to_builtins(wire.item(kept, audio))


def message(role, *content):
    return {"type": "message", "role": role, "content": list(content)}


def part(kind, text="", samples=()):
    made = Part(kind, text)
    if samples:
        made.add_audio(np.array(samples, np.int16))
    return made


class TestAudio:
    @given(st.binary(max_size=100))
    def test_comes_back_as_it_went(self, data):
        assert wire.audio_bytes(wire.base64_of(data), AudioPcmu()) == data

    @pytest.mark.parametrize("data", ["%%%", "AAA", "AA AA", "AAAA\n", "größe", "A", "====", "\x00"])
    def test_what_is_no_base64(self, data):
        with pytest.raises(ProtocolError, match="expected base64") as refused:
            wire.audio_bytes(data, AudioPcmu(), "item.content[0].audio")
        assert (refused.value.code, refused.value.param) == ("invalid_value", "item.content[0].audio")

    @pytest.mark.parametrize("data", ["AA==", "AAAA"])
    def test_half_a_sample(self, data):
        with pytest.raises(ProtocolError, match=r"two bytes for each sample, but got [13] bytes"):
            wire.audio_bytes(data, AudioPcm())
        assert wire.audio_bytes(data, AudioPcma())


class TestItems:
    @pytest.mark.parametrize(
        "given",
        [
            message("system", {"type": "input_text", "text": "Be brief."}),
            message("user", {"type": "input_text", "text": "Hi"}, {"type": "input_text", "text": ""}),
            message("user", {"type": "input_audio", "transcript": "Hi"}),
            message("user", {"type": "input_audio", "transcript": None}),
            message("user"),
            message("assistant", {"type": "output_text", "text": "Hi"}),
            message("assistant", {"type": "output_audio", "transcript": "Hi"}),
            {"type": "function_call", "name": "f", "call_id": "call_1", "arguments": "{"},
        ],
    )
    def test_come_back_as_they_went(self, given):
        assert told(entry(**given)) == {**given, "id": "item_1", "status": "completed"}

    def test_what_a_function_gave_has_no_status(self):
        given = {"type": "function_call_output", "call_id": "call_1", "output": "rain"}
        assert told(entry(**given)) == {**given, "id": "item_1"}

    @pytest.mark.parametrize(("role", "kind"), [("user", "input_audio"), ("assistant", "output_audio")])
    def test_audio_goes_along_when_it_was_asked_for(self, role, kind):
        kept = entry(**message(role, {"type": kind, "audio": SOUND, "transcript": "Hi"}))
        assert kept.parts[0].samples == 3
        assert kept.parts[0].pcm().tolist() == SAMPLES
        assert told(kept)["content"] == [{"type": kind, "transcript": "Hi"}]
        assert told(kept, SessionAudio())["content"] == [{"type": kind, "audio": SOUND, "transcript": "Hi"}]

    @pytest.mark.parametrize(("role", "kind"), [("user", "input_audio"), ("assistant", "output_audio")])
    def test_audio_is_in_the_format_of_its_direction(self, role, kind):
        law = {"user": AudioPcmu(), "assistant": AudioPcma()}
        audio = SessionAudio(
            input=AudioInput(format=law["user"]), output=AudioOutput(format=law["assistant"])
        )
        sound = base64.b64encode(formats.encode(np.full(2400, 1000, np.int16), law[role].type)).decode()
        given = msgspec.convert(message(role, {"type": kind, "audio": sound, "transcript": "Hi"}), Item)
        kept = wire.entry(given, "item_1", audio)
        assert kept.parts[0].samples == 2400
        assert kept.parts[0].pcm()[1200] == pytest.approx(1000, abs=20)
        assert told(kept, audio)["content"][0]["audio"] == sound

    def test_audio_that_was_forgotten_is_left_out(self):
        kept = Entry("item_1", "message", role="user", parts=[part("input_audio", "Hi", SAMPLES)])
        kept.parts[0].audio.clear()
        assert told(kept, SessionAudio())["content"] == [{"type": "input_audio", "transcript": "Hi"}]

    def test_an_answer_that_was_cut_says_so(self):
        kept = Entry("item_1", "message", role="assistant", status="incomplete")
        assert told(kept)["status"] == "incomplete"

    @pytest.mark.parametrize(
        ("given", "param", "words"),
        [
            (
                message("system", {"type": "input_audio", "audio": SOUND}),
                "item.content[0].type",
                "Invalid value: 'input_audio'. Supported values are: 'input_text'.",
            ),
            (
                message("user", {"type": "input_text", "text": "Hi"}, {"type": "output_text", "text": "Hi"}),
                "item.content[1].type",
                "Supported values are: 'input_text', 'input_audio', and 'input_image'.",
            ),
            (
                message("assistant", {"type": "input_text", "text": "Hi"}),
                "item.content[0].type",
                "Supported values are: 'output_text' and 'output_audio'.",
            ),
            (
                message("user", {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}),
                "item.content[0].type",
                "does not see images",
            ),
            (
                message("user", {"type": "input_text", "text": ""}, {"type": "input_audio", "audio": "?"}),
                "item.content[1].audio",
                "expected base64",
            ),
            (
                {"type": "mcp_approval_response", "approval_request_id": "a", "approve": True},
                "item.type",
                "'mcp_approval_response'. Supported values are: 'message', 'function_call', and",
            ),
        ],
    )
    def test_what_is_not_served_is_refused_with_its_place(self, given, param, words):
        with pytest.raises(ProtocolError) as refused:
            entry(**given)
        assert words in str(refused.value)
        assert (refused.value.code, refused.value.param) == ("invalid_value", param)


class TestResponses:
    def test_parts_have_names_of_their_own(self):
        assert msgspec.to_builtins(wire.content_part(part("output_text", "Hi"))) == {
            "type": "text",
            "text": "Hi",
        }
        assert msgspec.to_builtins(wire.content_part(part("output_audio", "Hi", SAMPLES))) == {
            "type": "audio",
            "transcript": "Hi",
        }

    def test_status_details(self):
        cancelled = wire.status_details("cancelled", "turn_detected", None)
        assert (cancelled.type, cancelled.reason) == ("cancelled", "turn_detected")
        failed = wire.status_details("failed", None, "out of memory")
        assert failed.type == "failed"
        assert (failed.error.type, failed.error.code, failed.error.message) == (
            "server_error",
            "model_error",
            "out of memory",
        )

    def test_usage_adds_up(self):
        usage = wire.token_usage(Finished("stop", 40, 7, 30), heard=48_000, written=0, spoken=3 * 24_000)
        assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (60, 67, 127)
        assert usage.input_token_details.cached_tokens == 30
        details = usage.input_token_details
        assert (details.text_tokens, details.audio_tokens) == (40, 20)  # 10 a second
        assert usage.output_token_details.text_tokens == 7
        assert usage.output_token_details.audio_tokens == 60  # 20 a second

    def test_what_never_finished_used_what_was_heard(self):
        usage = wire.token_usage(None, heard=0, written=3, spoken=12_000)
        assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (0, 13, 13)


@pytest.mark.parametrize("model", ["whisper-1", "gpt-realtime-whisper"])
def test_whisper_is_counted_in_seconds(model):
    usage = wire.transcription_usage(model, Transcription("Hi", tokens=7), 36_000)
    assert usage == TranscriptionDuration(seconds=1.5)


@pytest.mark.parametrize("model", ["gpt-4o-transcribe", "gpt-transcribe", "of our own"])
def test_others_in_tokens(model):
    usage = wire.transcription_usage(model, Transcription("Hi", tokens=7), 36_000)
    assert isinstance(usage, TranscriptionTokens)
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (15, 7, 22)
    assert msgspec.to_builtins(usage.input_token_details) == {"text_tokens": 0, "audio_tokens": 15}
