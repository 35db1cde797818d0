import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.audio.resample import Resampler, resample
from vivavoce.errors import AudioError

RATES = [
    (24_000, 16_000),
    (16_000, 24_000),
    (48_000, 24_000),
    (44_100, 24_000),
    (22_050, 24_000),
    (8_000, 24_000),
]


def sine(rate, hertz, seconds=1.0):
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)).astype(np.float32)


def streamed(samples, rate_in, rate_out, chunk):
    resampler = Resampler(rate_in, rate_out)
    parts = [resampler.push(samples[start : start + chunk]) for start in range(0, len(samples), chunk)]
    return np.concatenate([*parts, resampler.flush()])


@pytest.mark.parametrize(("rate_in", "rate_out"), RATES)
def test_chunks_of_40_ms_make_what_the_whole_makes(rate_in, rate_out):
    samples = sine(rate_in, 440)
    whole = resample(samples, rate_in, rate_out)
    assert np.array_equal(streamed(samples, rate_in, rate_out, rate_in // 25), whole)
    assert len(whole) == rate_out


@settings(max_examples=25, deadline=None)
@given(chunk=st.integers(1, 3000), length=st.integers(0, 4000))
def test_any_chunks_make_what_the_whole_makes(chunk, length):
    samples = np.random.default_rng(length).uniform(-1, 1, length).astype(np.float32)
    whole = resample(samples, 24_000, 16_000)
    assert np.array_equal(streamed(samples, 24_000, 16_000, chunk), whole)
    assert length < 64 or abs(len(whole) - length * 2 / 3) < 1


@pytest.mark.parametrize(("rate_in", "rate_out"), RATES)
def test_a_tone_stays_the_tone_in_place(rate_in, rate_out):
    made = resample(sine(rate_in, 1000), rate_in, rate_out)
    wanted = sine(rate_out, 1000)
    middle = slice(rate_out // 10, -rate_out // 10)
    assert np.abs(made[middle] - wanted[middle]).max() < 0.001


def test_what_the_lower_rate_cannot_carry_is_gone():
    made = resample(sine(48_000, 11_000), 48_000, 16_000)
    assert np.abs(made[1600:-1600]).max() < 0.5e-3  # 60 dB below


@pytest.mark.parametrize(("rate_in", "rate_out"), RATES)
def test_it_keeps_16_samples_of_the_lower_rate_to_itself(rate_in, rate_out):
    ready = Resampler(rate_in, rate_out).push(sine(rate_in, 440, 0.04))
    assert rate_out * 0.04 - len(ready) == pytest.approx(16 * rate_out / min(rate_in, rate_out), abs=1)


def test_it_is_as_new_after_a_flush():
    resampler = Resampler(24_000, 16_000)
    first, second = (np.concatenate((resampler.push(sine(24_000, 440)), resampler.flush())) for _ in range(2))
    assert np.array_equal(first, second)


def test_equal_rates_change_nothing():
    samples = sine(24_000, 440)
    assert np.array_equal(resample(samples, 24_000, 24_000), samples)


@pytest.mark.parametrize(("rate_in", "rate_out"), RATES)
@pytest.mark.parametrize("length", [64, 100, 101, 959, 2400])
def test_a_recording_lasts_as_long_as_before(rate_in, rate_out, length):
    assert (
        abs(len(resample(np.ones(length, np.float32), rate_in, rate_out)) - length * rate_out / rate_in) < 1
    )


def test_nothing_makes_nothing():
    nothing = np.zeros(0, np.float32)
    resampler = Resampler(24_000, 16_000)
    assert resampler.push(nothing).size == 0
    assert resampler.flush().size == 0


def test_a_rate_of_zero_is_refused():
    with pytest.raises(AudioError, match="0 to 16000"):
        Resampler(0, 16_000)
