"""Timbre: what a voice of known pitch and known resonance becomes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engine.models.timbre import Timbre, shaped

RATE, HOP = 24_000, 300
F0, RESONANCE = 200.0, 1500.0


def vowel(seconds=1.0, f0=F0, resonance=RESONANCE):
    """Return pulses through one resonance, and their pitch at each hop."""
    frames = int(seconds * RATE / HOP)
    size = frames * HOP
    turns = np.floor(np.arange(1, size + 1) * f0 / RATE)
    pulses = np.diff(turns, prepend=0.0)
    time = np.arange(RATE // 50) / RATE
    ringing = np.exp(-400 * time) * np.sin(2 * np.pi * resonance * time)
    return (0.2 * np.convolve(pulses, ringing)[:size]).astype(np.float32), np.full(frames, f0, np.float32)


def pitch_of(audio):
    middle = audio[RATE // 4 : RATE // 2]
    alike = np.correlate(middle, middle, "full")[len(middle) - 1 :]
    lags = np.arange(RATE // 500, RATE // 60)
    return RATE / lags[alike[lags].argmax()]


def resonance_of(audio):
    """Return the centre of gravity of the spectrum around its peak."""
    power = np.abs(np.fft.rfft(audio * np.hanning(len(audio)))) ** 2
    hertz = np.fft.rfftfreq(len(audio), 1 / RATE)
    near = (hertz > 600) & (hertz < 3000)
    return float((power[near] * hertz[near]).sum() / power[near].sum())


@pytest.mark.parametrize("pitch", [0.5, 0.75, 1.2])
def test_pitch_moves_and_the_resonance_stays(pitch):
    audio, f0 = vowel()
    made = shaped(audio, f0, RATE, Timbre(pitch=pitch))
    assert pitch_of(made) == pytest.approx(F0 * pitch, rel=0.02)
    assert resonance_of(made) == pytest.approx(resonance_of(audio), rel=0.05)


@pytest.mark.parametrize("formants", [0.82, 1.13])
def test_the_resonance_moves_and_pitch_stays(formants):
    audio, f0 = vowel()
    made = shaped(audio, f0, RATE, Timbre(formants=formants))
    assert pitch_of(made) == pytest.approx(F0, rel=0.02)
    assert resonance_of(made) == pytest.approx(resonance_of(audio) * formants, rel=0.05)


@pytest.mark.parametrize("timbre", [Timbre(0.47, 0.82), Timbre(1.18, 1.13)])
def test_length_and_loudness_stay(timbre):
    audio, f0 = vowel()
    made = shaped(audio, f0, RATE, timbre)
    assert made.shape == audio.shape
    assert made.dtype == np.float32
    assert np.sqrt(np.mean(made**2)) == pytest.approx(np.sqrt(np.mean(audio**2)), rel=1e-4)


@pytest.mark.parametrize("pace", [0.9, 1.15])
def test_the_pace_changes_and_pitch_and_resonance_stay(pace):
    audio, f0 = vowel()
    made = shaped(audio, f0, RATE, Timbre(), pace)
    assert len(made) == round(len(audio) / pace)
    assert pitch_of(made) == pytest.approx(F0, rel=0.02)
    assert resonance_of(made) == pytest.approx(resonance_of(audio), rel=0.05)


def test_what_has_no_pitch_stays_as_it_is():
    noise = np.random.default_rng(0).normal(0, 0.1, 80 * HOP).astype(np.float32)
    made = shaped(noise, np.zeros(80, np.float32), RATE, Timbre(0.5, 0.8))
    np.testing.assert_allclose(made, noise, atol=1e-4)


def test_a_pause_between_two_vowels_stays_where_it_is():
    audio, f0 = vowel(0.3)
    pause = np.zeros(20 * HOP, np.float32)
    made = shaped(
        np.concatenate([audio, pause, audio]),
        np.concatenate([f0, np.zeros(20, np.float32), f0]),
        RATE,
        Timbre(0.6, 0.9),
    )
    middle = made[len(audio) + 5 * HOP : len(audio) + 15 * HOP]
    assert np.abs(middle).max() < 0.01 * np.abs(made).max()


@given(
    f0=st.lists(st.floats(-5, 500, width=32), min_size=1, max_size=30),
    pitch=st.floats(0.4, 1.5),
    formants=st.floats(0.7, 1.4),
    pace=st.floats(0.8, 1.3),
)
def test_any_pitch_is_laid_out(f0, pitch, formants, pace):
    audio = np.random.default_rng(0).normal(0, 0.1, len(f0) * HOP).astype(np.float32)
    made = shaped(audio, np.array(f0, np.float32), RATE, Timbre(pitch, formants), pace)
    assert len(made) == round(len(audio) / pace)
    assert np.isfinite(made).all()


def test_silence_stays_silent():
    made = shaped(np.zeros(10 * HOP, np.float32), np.full(10, F0, np.float32), RATE, Timbre(0.5, 0.8))
    assert not made.any()
