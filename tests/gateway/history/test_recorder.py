import errno
import json
import os
import wave
from pathlib import Path

import numpy as np
import pytest

from vivavoce.audio.formats import PCM, PCMU
from vivavoce.gateway.history.recorder import Recorder

from .doubles import Session, audio

RATE = 24_000


def event(ms, **kwargs):
    return json.dumps({"type": "x", "audio": audio(ms, **kwargs)}).encode()


def read(path):
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)


@pytest.fixture
def broken():
    return []


@pytest.fixture
def recorder(tmp_path, broken):
    return Recorder(tmp_path / "recordings", broken.append)


async def test_both_sides_of_a_session_lie_on_its_clock(recorder):
    talk = Session(recording=recorder.record("sess_1"))
    talk.down("session.created", session={"type": "realtime", "id": "s", "expires_at": 0})
    for _ in range(25):
        talk.wait(0.04).up("input_audio_buffer.append", audio=audio(40))
    talk.say(ms=3000)
    await recorder.write()
    talk.wait(1).down("conversation.item.truncated", item_id="item_1", content_index=0, audio_end_ms=900)
    for _ in range(50):
        talk.wait(0.04).up("input_audio_buffer.append", audio=audio(40))
    talk.say("item_2", ms=500, response_id="resp_2")
    talk.wait(1).end()
    await recorder.write()
    row = talk.rows
    frames = read(recorder.path(row.session["recording"]))
    spoken = np.flatnonzero(frames[:, 1])
    for item_id in ("item_1", "item_2"):
        start, end = row.items[item_id]["start_ms"] * 24, row.items[item_id]["end_ms"] * 24
        assert frames[start:end, 1].all()
    assert len(spoken) == (900 + 500) * 24
    assert np.count_nonzero(frames[:, 0]) == 3000 * 24


async def test_telephone_audio_is_decoded_as_a_stream(recorder):
    recording = recorder.record("s")
    for chunk in range(10):
        recording.user(chunk * 20 * 24, event(20, rate=8000, width=1, value=b"\0"), PCMU)
    recording.user(RATE, event(20), PCM)
    recording.close()
    await recorder.write()
    frames = read(recorder.path("s.wav"))
    assert len(frames) == RATE + 20 * 24
    assert (frames[100 : 190 * 24, 0] < -30_000).all()


async def test_what_is_no_audio_is_silence(recorder):
    recording = recorder.record("s")
    recording.user(0, b'{"audio": "not base64"}', PCM)
    recording.user(0, b"no JSON", PCM)
    recording.user(0, json.dumps({"audio": "AQEB"}).encode(), PCM)
    recording.assistant(0, json.dumps({"delta": audio(10)}).encode(), PCM)
    recording.close()
    await recorder.write()
    frames = read(recorder.path("s.wav"))
    assert np.count_nonzero(frames[:, 1]) == 240
    assert np.count_nonzero(frames[:, 0]) == 1


async def test_one_in_which_nobody_spoke_has_no_file(recorder):
    recorder.record("s").close()
    await recorder.write()
    assert not recorder.path("s.wav").exists()


async def test_nothing_is_held_once_it_is_written(recorder):
    recording = recorder.record("s")
    for second in range(5):
        recording.user(second * RATE, event(1000), PCM)
        await recorder.write()
        assert recording.waiting == []
    assert recorder.path("s.wav").stat().st_size == 44 + 5 * RATE * 4
    await recorder.stop()


async def test_it_writes_by_itself_and_finishes_when_it_stops(recorder):
    recorder.start()
    recording = recorder.record("s")
    recording.user(0, event(100), PCM)
    await recorder.stop()
    assert len(read(recorder.path("s.wav"))) == RATE // 10


class TestFailing:
    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
    async def test_a_full_disk_ends_the_recording_and_nothing_else(self, tmp_path, broken, caplog):
        def opener(path, flags):
            return os.open("/dev/full", os.O_RDWR) if path.endswith("full.wav") else os.open(path, flags)

        recorder = Recorder(tmp_path, broken.append, opener=opener)
        full, other = recorder.record("full"), recorder.record("other")
        for recording in (full, other):
            recording.user(0, event(100), PCM)
        await recorder.write()
        assert broken == ["full"]
        assert os.strerror(errno.ENOSPC) in caplog.text
        full.user(RATE, event(100), PCM)
        full.close()
        other.close()
        await recorder.write()
        assert full.waiting == []
        assert len(read(recorder.path("other.wav"))) == RATE // 10
        assert broken == ["full"]

    async def test_a_disk_that_is_too_slow_costs_no_more_than_the_limit(self, tmp_path, broken):
        recorder = Recorder(tmp_path, broken.append, max_bytes=20_000)
        recording, other = recorder.record("s"), recorder.record("other")
        for chunk in range(10):
            recording.user(chunk * 960, event(40), PCM)
        assert broken == ["s"]
        assert recording.waiting == []
        recording.close()
        other.user(0, event(40), PCM)
        other.close()
        await recorder.write()
        assert len(read(recorder.path("other.wav"))) == 960

    async def test_no_folder_can_be_made(self, tmp_path, broken):
        (tmp_path / "file").touch()
        recorder = Recorder(tmp_path / "file", broken.append)
        recorder.record("s").user(0, event(40), PCM)
        await recorder.write()
        assert broken == ["s"]


def test_forgets_a_file_that_may_be_gone(recorder, tmp_path):
    recorder.folder.mkdir()
    recorder.path("s.wav").touch()
    recorder.forget("s.wav")
    recorder.forget("s.wav")
    assert not recorder.path("s.wav").exists()


def test_a_name_never_leads_out_of_the_folder(recorder):
    assert recorder.path("../../etc/passwd").parent == recorder.folder
