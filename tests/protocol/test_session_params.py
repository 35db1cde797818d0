import msgspec
import pytest
from msgspec import UNSET
from openai.types.realtime import (
    audio_transcription,
    realtime_audio_config_input,
    realtime_audio_config_output,
    realtime_audio_input_turn_detection,
    realtime_session_create_request,
)

from vivavoce.protocol import session_params
from vivavoce.protocol.session import RealtimeSession, SemanticVad, ServerVad, Transcription
from vivavoce.protocol.session_params import (
    AudioInputParams,
    AudioOutputParams,
    MaxOutputTokens,
    RealtimeSessionParams,
    SemanticVadParams,
    ServerVadParams,
    TranscriptionParams,
)

STRUCTS = [
    value
    for name in session_params.__all__
    if isinstance(value := getattr(session_params, name), type) and issubclass(value, msgspec.Struct)
]


@pytest.mark.parametrize(
    ("ours", "official"),
    [
        (RealtimeSessionParams, realtime_session_create_request.RealtimeSessionCreateRequest),
        (AudioInputParams, realtime_audio_config_input.RealtimeAudioConfigInput),
        (AudioOutputParams, realtime_audio_config_output.RealtimeAudioConfigOutput),
        (TranscriptionParams, audio_transcription.AudioTranscription),
        (ServerVadParams, realtime_audio_input_turn_detection.ServerVad),
        (SemanticVadParams, realtime_audio_input_turn_detection.SemanticVad),
    ],
)
def test_the_fields_are_the_official_ones(ours, official):
    assert set(ours.__struct_fields__) == set(official.model_fields) - {"type"}


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        (RealtimeSessionParams, RealtimeSession),
        (TranscriptionParams, Transcription),
        (ServerVadParams, ServerVad),
        (SemanticVadParams, SemanticVad),
    ],
)
def test_what_can_be_asked_for_can_be_kept(asked, kept):
    assert set(asked.__struct_fields__) <= set(kept.__struct_fields__)


@pytest.mark.parametrize("struct", STRUCTS)
def test_everything_may_be_absent_and_nothing_unknown(struct):
    tag = {"type": struct.__struct_config__.tag} if struct.__struct_config__.tag else {}
    empty = msgspec.convert(tag, struct)
    assert {getattr(empty, name) for name in struct.__struct_fields__} == {UNSET}
    with pytest.raises(msgspec.ValidationError, match="unknown field `frobnicate`"):
        msgspec.convert({**tag, "frobnicate": 1}, struct)


@pytest.mark.parametrize(
    ("struct", "name", "fine", "refused"),
    [
        (RealtimeSessionParams, "max_output_tokens", [1, 4096, "inf", None], [0, 4097, 1.5, "none"]),
        (AudioOutputParams, "speed", [0.25, 1.5, 1, None], [0.24, 1.51, "fast"]),
        (ServerVadParams, "threshold", [0, 1, 0.5, None], [-0.1, 1.1]),
        (ServerVadParams, "silence_duration_ms", [0, 10_000], [-1, 0.5]),
        (ServerVadParams, "prefix_padding_ms", [0, 10_000], [-1, 0.5]),
        (ServerVadParams, "idle_timeout_ms", [5000, 30_000, None], [4999, 30_001]),
        (SemanticVadParams, "eagerness", ["low", "auto", None], ["", "LOW"]),
    ],
)
def test_limits(struct, name, fine, refused):
    tag = {"type": struct.__struct_config__.tag} if struct.__struct_config__.tag else {}
    for value in fine:
        assert getattr(msgspec.convert({**tag, name: value}, struct), name) == value
    for value in refused:
        with pytest.raises(msgspec.ValidationError, match=name):
            msgspec.convert({**tag, name: value}, struct)


def test_the_limit_of_a_response_is_the_limit_of_the_session():
    assert msgspec.convert(4096, MaxOutputTokens) == 4096
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(4097, MaxOutputTokens)
