import errno
import os
import stat
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.gateway.history.stereo import MAX_SECONDS, Side, StereoFile

RATE = 24_000


def tone(samples, value=1000):
    return np.full(samples, value, np.int16)


def read(path):
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)


def test_each_side_lies_where_it_was_spoken(tmp_path):
    file = StereoFile(tmp_path / "a.wav")
    file.write(Side.USER, 0, tone(100))
    file.write(Side.ASSISTANT, 50, tone(100, -7))
    file.write(Side.USER, 300, tone(10))
    file.close()
    frames = read(tmp_path / "a.wav")
    assert frames.shape == (310, 2)
    assert list(np.flatnonzero(frames[:, 0])) == [*range(100), *range(300, 310)]
    assert list(np.flatnonzero(frames[:, 1])) == list(range(50, 150))


def test_what_was_not_heard_is_silent(tmp_path):
    file = StereoFile(tmp_path / "a.wav")
    file.write(Side.USER, 0, tone(3 * RATE))
    file.write(Side.ASSISTANT, 0, tone(3 * RATE, -7))
    file.silence(Side.ASSISTANT, RATE)
    file.close()
    frames = read(tmp_path / "a.wav")
    assert frames[:RATE, 1].all()
    assert not frames[RATE:, 1].any()
    assert frames[:, 0].all()


def test_a_file_that_is_broken_off_can_be_played_to_where_it_was_saved(tmp_path):
    file = StereoFile(tmp_path / "a.wav")
    file.write(Side.USER, 0, tone(100))
    file.save()
    file.write(Side.USER, 100, tone(100))
    assert len(read(tmp_path / "a.wav")) == 100
    file.close()
    assert len(read(tmp_path / "a.wav")) == 200


def test_without_sound_it_is_a_file_nevertheless(tmp_path):
    StereoFile(tmp_path / "a.wav").close()
    assert len(read(tmp_path / "a.wav")) == 0


def test_has_an_end(tmp_path):
    file = StereoFile(tmp_path / "a.wav")
    file.write(Side.USER, MAX_SECONDS * RATE - 1, tone(2))
    file.write(Side.USER, MAX_SECONDS * RATE + 5, tone(2))
    file.close()
    with wave.open(str(tmp_path / "a.wav")) as sound:
        assert sound.getnframes() == MAX_SECONDS * RATE


def test_never_goes_over_another(tmp_path):
    (tmp_path / "a.wav").touch()
    with pytest.raises(FileExistsError):
        StereoFile(tmp_path / "a.wav")


def test_its_opener_says_who_may_read_it(tmp_path):
    StereoFile(tmp_path / "a.wav", lambda path, flags: os.open(path, flags, 0o600)).close()
    assert stat.S_IMODE((tmp_path / "a.wav").stat().st_mode) == 0o600


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_told():
    with pytest.raises(OSError) as error:  # noqa: PT011 - told apart by its number
        StereoFile("/dev/full", lambda path, _: os.open(path, os.O_RDWR))
    assert error.value.errno == errno.ENOSPC


PIECE = st.tuples(st.sampled_from(Side), st.integers(0, 400), st.integers(0, 200), st.integers(1, 9))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.one_of(PIECE, st.integers(0, 500)), max_size=15))
def test_is_what_writing_into_memory_would_give(tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("stereo") / "a.wav"
    file, memory, end = StereoFile(path), np.zeros((1000, 2), np.int16), 0
    for step in steps:
        if isinstance(step, int):
            file.silence(Side.ASSISTANT, step)
            memory[step:, Side.ASSISTANT] = 0
        else:
            side, position, length, value = step
            file.write(side, position, tone(length, value))
            memory[position : position + length, side] = value
            end = max(end, position + length if length else 0)
    file.close()
    assert np.array_equal(read(path), memory[:end])
