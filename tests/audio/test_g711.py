import importlib
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.audio.g711 import decode_pcma, decode_pcmu, encode_pcma, encode_pcmu
from vivavoce.audio.pcm import from_pcm16, to_pcm16

EVERY_PCM16 = np.arange(-32768, 32768, dtype="<i2")
EVERY_BYTE = bytes(range(256))
LAWS = [(encode_pcmu, decode_pcmu, "ulaw"), (encode_pcma, decode_pcma, "alaw")]


@pytest.mark.parametrize(
    ("decode", "code", "pcm16"),
    [
        # The ends of the scale and the smallest steps, from the tables of ITU-T G.711.
        (decode_pcmu, 0x80, 32124),
        (decode_pcmu, 0x00, -32124),
        (decode_pcmu, 0xFF, 0),
        (decode_pcmu, 0x7F, 0),
        (decode_pcmu, 0xFE, 8),
        (decode_pcma, 0xAA, 32256),
        (decode_pcma, 0x2A, -32256),
        (decode_pcma, 0xD5, 8),
        (decode_pcma, 0x55, -8),
    ],
)
def test_codes_stand_for_the_values_of_the_standard(decode, code, pcm16):
    assert to_pcm16(decode(bytes([code])))[0] == pcm16


@pytest.mark.parametrize(("encode", "decode", "name"), LAWS)
def test_it_agrees_with_the_standard_library_on_everything(encode, decode, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            audioop = importlib.import_module("audioop")
        except ModuleNotFoundError:
            pytest.skip("audioop left the standard library with Python 3.13")
    samples = from_pcm16(EVERY_PCM16)
    assert encode(samples) == getattr(audioop, f"lin2{name}")(EVERY_PCM16.tobytes(), 2)
    assert to_pcm16(decode(EVERY_BYTE)).tobytes() == getattr(audioop, f"{name}2lin")(EVERY_BYTE, 2)


@pytest.mark.parametrize(("encode", "decode", "name"), LAWS)
def test_every_code_survives_decoding_and_encoding(encode, decode, name):
    same = decode(encode(decode(EVERY_BYTE)))
    assert np.array_equal(same, decode(EVERY_BYTE))  # µ-law has two codes for zero


@pytest.mark.parametrize(("encode", "decode", "name"), LAWS)
@given(samples=st.lists(st.floats(-1, 1, width=32), min_size=1))
def test_a_sample_keeps_its_size_within_a_step(encode, decode, name, samples):
    given_samples = np.float32(samples)
    got = decode(encode(given_samples))
    assert len(got) == len(given_samples)
    # A segment has sixteen steps, so half a step is 1/32 of its lower end; near zero a step is 16 of PCM16.
    assert np.all(np.abs(got - given_samples) <= np.abs(given_samples) / 32 + 16 / 32768)


@pytest.mark.parametrize(("encode", "decode", "name"), LAWS)
def test_what_is_beyond_full_scale_is_clipped(encode, decode, name):
    assert encode(np.float32([9.0, -9.0])) == encode(np.float32([1.0, -1.0]))
