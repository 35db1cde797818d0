import msgspec
import pytest

from vivavoce.cli.options import session_fields
from vivavoce.client.configuration import session_changes


def session(**wanted):
    return msgspec.to_builtins(session_changes(session_fields(**wanted)))


def test_the_defaults_are_left_to_the_endpoint():
    pcm = {"type": "audio/pcm", "rate": 24_000}
    assert session() == {
        "type": "realtime",
        "output_modalities": ["audio"],
        "audio": {
            "input": {
                "format": pcm,
                "transcription": {"model": "gpt-4o-mini-transcribe"},
                "turn_detection": {"type": "server_vad"},
            },
            "output": {"format": pcm},
        },
    }


def test_what_is_wanted_is_asked_for():
    changed = session(instructions="Be brief.", voice="marin", push_to_talk=True)
    assert changed["instructions"] == "Be brief."
    assert changed["audio"]["output"]["voice"] == "marin"
    assert changed["audio"]["input"]["turn_detection"] is None


@pytest.mark.parametrize("empty", ["instructions", "voice"])
def test_what_is_empty_is_asked_for_too(empty):
    assert session_fields(**{empty: ""})[empty] == ""
