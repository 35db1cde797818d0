import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.audio.pcm import (
    SILENCE_DBFS,
    decode_pcm16,
    encode_pcm16,
    from_pcm16,
    level_dbfs,
    mix_down,
    to_pcm16,
)
from vivavoce.errors import AudioError


def test_bytes_are_little_endian_both_ways():
    pcm = decode_pcm16(b"\x00\x40\x00\x80")
    assert pcm.dtype == np.int16
    assert pcm.tolist() == [16384, -32768]
    assert encode_pcm16(pcm) == b"\x00\x40\x00\x80"


def test_full_scale_is_one():
    assert from_pcm16(np.int16([16384, -32768])).tolist() == [0.5, -1.0]
    assert to_pcm16(np.float32([0.5, -1.0])).tolist() == [16384, -32768]


@given(st.binary().filter(lambda data: len(data) % 2 == 0))
def test_pcm16_survives_the_way_there_and_back(data):
    samples = from_pcm16(decode_pcm16(data))
    assert samples.dtype == np.float32
    assert encode_pcm16(to_pcm16(samples)) == data


def test_what_is_beyond_full_scale_is_clipped():
    assert to_pcm16(np.float32([1.0, 2.0, -3.0])).tolist() == [32767, 32767, -32768]


def test_an_odd_number_of_bytes_is_refused():
    with pytest.raises(AudioError, match="even number of bytes, got 3"):
        decode_pcm16(b"abc")


def test_mixing_down_averages():
    mixed = mix_down(np.float32([[1, 0, 0.5], [0, 0, -0.5]]))
    assert mixed.tolist() == [0.5, 0, 0]
    assert mixed.dtype == np.float32


def test_level_counts_from_full_scale():
    assert level_dbfs(np.ones(100, np.float32)) == pytest.approx(0)
    sine = np.sin(2 * np.pi * np.arange(48_000) / 48).astype(np.float32)
    assert level_dbfs(sine) == pytest.approx(-3.01, abs=0.01)
    assert level_dbfs(sine / 10) == pytest.approx(-23.01, abs=0.01)


@pytest.mark.parametrize(
    "nothing", [np.zeros(10, np.float32), np.zeros(0, np.float32), np.full(10, 1e-12, np.float32)]
)
def test_level_of_nothing_has_a_floor(nothing):
    assert level_dbfs(nothing) == SILENCE_DBFS
