import wave

import numpy as np
import pytest

from vivavoce.client.track import Track

TEN = np.full(10, 7, np.int16)


@pytest.fixture
def track(tmp_path):
    track = Track(tmp_path / "a.wav", 100)
    yield track
    track.close()


def read(tmp_path):
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 100)
        return np.frombuffer(file.readframes(10**6), "<i2").tolist()


def test_every_sound_stands_at_its_time(track, tmp_path):
    track.put(TEN, 0.5)
    track.put(TEN, 0.8)
    track.flush()
    assert read(tmp_path) == [0] * 50 + [7] * 10 + [0] * 20 + [7] * 10


def test_sound_that_is_a_little_late_or_comes_too_fast_follows_what_precedes_it(track, tmp_path):
    track.put(TEN, 0.05)
    track.put(TEN, 0.15)
    track.put(TEN, 0.15)
    track.flush()
    assert read(tmp_path) == [7] * 30


def test_what_was_never_heard_is_cut(track, tmp_path):
    track.put(TEN, 0)
    track.cut(0.04)
    track.cut(9)
    track.flush()
    assert read(tmp_path) == [7] * 4
    track.put(TEN, 0.04)
    track.flush()
    assert read(tmp_path) == [7] * 14


def test_it_can_be_read_from_the_beginning_on(track, tmp_path):
    assert read(tmp_path) == []


def test_it_lasts_as_long_as_it_should(tmp_path):
    track = Track(tmp_path / "a.wav", 100)
    track.put(TEN, 0)
    track.close(0.2)
    assert read(tmp_path) == [7] * 10 + [0] * 10
