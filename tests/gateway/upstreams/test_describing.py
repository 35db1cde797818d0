import msgspec
import pytest

from vivavoce.gateway.upstreams.describing import described
from vivavoce.protocol.session_params import RealtimeSessionParams, TranscriptionSessionParams


@pytest.mark.parametrize("kind", [RealtimeSessionParams, TranscriptionSessionParams])
def test_nothing_asked_is_the_default(kind):
    session = described("sess_1", kind())
    assert (session.id, session.type, session.expires_at) == ("sess_1", kind().type, 0)
    assert session.audio.input.turn_detection.silence_duration_ms == 200


def _asked(**fields):
    return msgspec.convert({"type": "realtime", **fields}, RealtimeSessionParams)


def test_what_is_asked_is_merged_with_the_defaults():
    params = _asked(
        model="m",
        instructions="Be.",
        audio={
            "output": {"voice": "marin"},
            "input": {"turn_detection": {"type": "server_vad", "threshold": 0.9}},
        },
    )
    session = described("sess_1", params)
    assert (session.model, session.instructions) == ("m", "Be.")
    assert (session.audio.output.voice, session.audio.output.speed) == ("marin", 1.0)
    detection = session.audio.input.turn_detection
    assert (detection.threshold, detection.prefix_padding_ms) == (0.9, 300)


def test_another_kind_takes_the_place_of_the_default():
    params = _asked(
        audio={"input": {"turn_detection": {"type": "semantic_vad"}, "format": {"type": "audio/pcmu"}}}
    )
    heard = described("sess_1", params).audio.input
    assert (heard.turn_detection.type, heard.turn_detection.eagerness, heard.format.type) == (
        "semantic_vad",
        "auto",
        "audio/pcmu",
    )


def test_null_turns_the_detection_off_and_changes_nothing_else():
    session = described(
        "sess_1", _asked(instructions=None, audio={"input": {"turn_detection": None, "transcription": None}})
    )
    assert session.instructions == ""
    assert session.audio.input.turn_detection is session.audio.input.transcription is None


def test_a_transcription_has_a_model():
    session = described("sess_1", _asked(audio={"input": {"transcription": {"language": "de"}}}))
    transcription = session.audio.input.transcription
    assert (transcription.model, transcription.language) == ("gpt-4o-mini-transcribe", "de")
