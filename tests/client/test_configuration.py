import msgspec
import pytest

from vivavoce.client.configuration import FIELDS, session_changes
from vivavoce.protocol.session import AudioPcm
from vivavoce.protocol.session_params import (
    AudioInputParams,
    AudioOutputParams,
    RealtimeSessionParams,
    ServerVadParams,
)
from vivavoce.protocol.tools import FunctionTool


@pytest.mark.parametrize(
    ("fields", "made"),
    [
        ({}, {}),
        ({"instructions": "Be brief."}, {"instructions": "Be brief."}),
        ({"voice": "marin"}, {"audio": {"output": {"voice": "marin"}}}),
        (
            {"voice": "marin", "speed": 1.2, "output_format": "audio/pcmu"},
            {"audio": {"output": {"voice": "marin", "speed": 1.2, "format": {"type": "audio/pcmu"}}}},
        ),
        (
            {"input_format": AudioPcm()},
            {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 24_000}}}},
        ),
        ({"turn_detection": None}, {"audio": {"input": {"turn_detection": None}}}),
        ({"turn_detection": False}, {"audio": {"input": {"turn_detection": None}}}),
        (
            {"turn_detection": "semantic_vad"},
            {"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}},
        ),
        (
            {"turn_detection": ServerVadParams(threshold=0.7)},
            {"audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 0.7}}}},
        ),
        ({"transcription": "whisper-1"}, {"audio": {"input": {"transcription": {"model": "whisper-1"}}}}),
        (
            {"transcription": {"language": "de"}},
            {"audio": {"input": {"transcription": {"language": "de"}}}},
        ),
        ({"noise_reduction": True}, {"audio": {"input": {"noise_reduction": {"type": "near_field"}}}}),
        ({"tool_choice": "required"}, {"tool_choice": "required"}),
        ({"tool_choice": "get_time"}, {"tool_choice": {"type": "function", "name": "get_time"}}),
        ({"tools": [FunctionTool(name="f")]}, {"tools": [{"type": "function", "name": "f"}]}),
        ({"max_output_tokens": "inf"}, {"max_output_tokens": "inf"}),
    ],
)
def test_flat_names_find_their_place(fields, made):
    assert msgspec.to_builtins(session_changes(fields)) == {"type": "realtime", **made}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"vioce": "marin"}, "no 'vioce'; it has audio"),
        ({"voice": 3}, "Expected `str | object | null`, got `int`"),
        ({"speed": 9.0}, "1.5"),
        ({"turn_detection": "magic"}, "magic"),
    ],
)
def test_what_cannot_be_is_refused_before_it_is_sent(fields, words):
    with pytest.raises(TypeError, match=words.replace("|", r"\|").replace("it has audio", "it has")):
        session_changes(fields)


def test_every_field_of_a_session_has_a_name():
    named = {path[-1] for path in FIELDS.values()}
    parts = (RealtimeSessionParams, AudioInputParams, AudioOutputParams)
    assert named == {name for part in parts for name in part.__struct_fields__} - {"audio"}
