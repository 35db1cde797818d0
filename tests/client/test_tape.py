import base64
import json

import numpy as np
import pytest

from vivavoce.audio import formats
from vivavoce.audio.pcm import decode_pcm16, encode_pcm16, from_pcm16
from vivavoce.audio.wav import read_wav
from vivavoce.client.tape import SessionInfo, Tape
from vivavoce.errors import RecordingError

SECOND = np.full(24_000, 8000, np.int16)


@pytest.fixture
def tape(tmp_path):
    tape = Tape(tmp_path / "it", SessionInfo(endpoint="wss://host/v1", model="m"))
    yield tape
    if tape.info.seconds is None:
        tape.close(0)


def said(pcm, **fields):
    return json.dumps(
        {"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode(), **fields}
    )


def spoken(pcm):
    return json.dumps({"type": "response.output_audio.delta", "delta": base64.b64encode(pcm).decode()})


def sound(tmp_path, side):
    """Return where there is sound, in tenths of a second."""
    samples, rate = read_wav(tmp_path / "it" / f"{side}.wav")
    assert rate == 24_000
    return [bool(np.abs(samples[at : at + 2400]).max() > 0.1) for at in range(0, len(samples), 2400)]


def test_both_sides_stand_on_one_timeline(tape, tmp_path):
    tape.note("C", 0.5, said(encode_pcm16(SECOND)))
    tape.note("S", 2.0, spoken(encode_pcm16(SECOND[:12_000])))
    tape.note("S", 2.1, spoken(encode_pcm16(SECOND[:12_000])))
    tape.close(3.5)
    assert sound(tmp_path, "user") == [False] * 5 + [True] * 10 + [False] * 20
    assert sound(tmp_path, "assistant") == [False] * 20 + [True] * 10 + [False] * 5
    assert tape.info.seconds == 3.5


def test_what_a_speaker_plays_stands_where_it_was_heard(tape, tmp_path):
    tape.await_sound()
    tape.note("S", 0.1, spoken(encode_pcm16(SECOND)))
    tape.play(from_pcm16(SECOND))
    tape.hear(0.5, 0)
    tape.hear(1.0, 12_000)
    tape.clear(1.2, 16_800)  # 0.7 s were heard, and the rest never
    tape.play(from_pcm16(SECOND[:4800]))
    tape.hear(1.7, 4800)
    tape.close(1.8)
    assert sound(tmp_path, "assistant") == [False] * 5 + [True] * 7 + [False] * 3 + [True] * 2 + [False]


def test_without_a_speaker_a_truncation_tells_what_was_never_heard(tape, tmp_path):
    tape.note("S", 0.0, spoken(encode_pcm16(SECOND)))
    tape.note("C", 0.4, json.dumps({"type": "conversation.item.truncate", "item_id": "a"}))
    tape.close(1.0)
    assert sound(tmp_path, "assistant") == [True] * 4 + [False] * 6


def test_telephone_audio_is_understood(tape, tmp_path):
    g711 = {"format": {"type": "audio/pcmu"}}
    session = {"type": "session.updated", "session": {"audio": {"input": g711, "output": g711}}}
    tape.note("S", 0.0, json.dumps(session))
    speech = formats.encode(SECOND, "audio/pcmu")
    tape.note("C", 0.0, said(speech))
    tape.note("S", 0.0, spoken(speech))
    tape.close(0)
    assert sound(tmp_path, "user") == sound(tmp_path, "assistant") == [True] * 10


@pytest.mark.parametrize(
    "data",
    [
        "no JSON",
        b"\xff",
        "[]",
        '{"type": 1}',
        said(b"x"),
        json.dumps({"type": "input_audio_buffer.append", "audio": "x"}),
        json.dumps({"type": "input_audio_buffer.append", "audio": 1}),
        json.dumps({"type": "session.updated", "session": None}),
        json.dumps({"type": "session.updated", "session": {"audio": {"input": {"format": {"type": "x"}}}}}),
        json.dumps({"type": "session.updated", "session": {"audio": {"input": {"format": {"type": []}}}}}),
    ],
)
def test_nothing_that_passes_can_break_it(tape, tmp_path, data):
    tape.note("S", 0.0, data)
    tape.note("C", 0.1, data)
    tape.flush()
    assert len((tmp_path / "it" / "events.jsonl").read_bytes().splitlines()) == 2


def test_no_key_gets_into_it(tape, tmp_path):
    tape.note(
        "C", 0.0, json.dumps({"type": "session.update", "session": {"tools": [{"authorization": "x1y2"}]}})
    )
    tape.note("C", 0.0, said(b"ab"))
    tape.flush()
    first, second = map(json.loads, (tmp_path / "it" / "events.jsonl").read_text().splitlines())
    assert first["event"]["session"]["tools"][0]["authorization"] == "REDACTED"
    assert decode_pcm16(base64.b64decode(second["event"]["audio"])).tolist() == [0x6261]


def test_a_folder_can_be_read_at_any_time(tape, tmp_path):
    tape.note("C", 0.25, said(encode_pcm16(SECOND)))
    tape.flush()
    info = json.loads((tmp_path / "it" / "session.json").read_text())
    assert (info["endpoint"], info["model"], info["seconds"], info["format"]) == (
        "wss://host/v1",
        "m",
        None,
        1,
    )
    assert json.loads((tmp_path / "it" / "events.jsonl").read_text())["t"] == 0.25
    assert sound(tmp_path, "user")[2:] == [True] * 11


def test_no_recording_is_written_over(tape, tmp_path):
    with pytest.raises(RecordingError, match="without a recording"):
        Tape(tmp_path / "it", SessionInfo())


def test_a_folder_that_cannot_be_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="Cannot record into"):
        Tape(tmp_path / "file" / "it", SessionInfo())
