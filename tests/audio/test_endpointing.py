import numpy as np
import pytest

from vivavoce.audio.endpointing import acoustic_end

RATE = 24_000


def noise(seconds, dbfs, seed=1):
    return (10 ** (dbfs / 20) * np.random.default_rng(seed).standard_normal(round(seconds * RATE))).astype(
        np.float32
    )


def speech(seconds, dbfs=-20):
    """Return noise that comes and goes four times a second, as syllables do, and is loud at its end."""
    time = np.arange(round(seconds * RATE)) / RATE
    envelope = 0.05 + 0.95 * np.sin(np.pi * 4 * (time - time[-1] if time.size else time) + np.pi / 2) ** 2
    return (noise(seconds, dbfs, seed=2) * envelope).astype(np.float32)


def clip(after=1.0, background=None):
    samples = np.concatenate((np.zeros(RATE // 2), speech(1.5), np.zeros(round(after * RATE)))).astype(
        np.float32
    )
    return samples if background is None else samples + noise(len(samples) / RATE, background)


@pytest.mark.parametrize("background", [None, -70, -50, -40])
def test_it_finds_the_end_within_two_steps(background):
    assert acoustic_end(clip(background=background), RATE) == pytest.approx(2.0, abs=0.02)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_the_rate_does_not_matter(rate):
    from vivavoce.audio.resample import resample

    assert acoustic_end(resample(clip(), RATE, rate), rate) == pytest.approx(2.0, abs=0.02)


def test_the_end_of_a_clip_without_silence_is_its_end():
    samples = speech(1.234)
    assert acoustic_end(samples, RATE) == pytest.approx(1.234, abs=0.011)
    assert acoustic_end(samples, RATE) <= 1.234


def test_a_click_is_not_the_end():
    samples = clip()
    samples[-RATE // 2 : -RATE // 2 + RATE // 100] = 0.5
    assert acoustic_end(samples, RATE) == pytest.approx(2.0, abs=0.02)


@pytest.mark.parametrize(
    "nothing",
    [
        np.zeros(0, np.float32),
        np.zeros(RATE, np.float32),
        noise(2, -75),
        noise(2, -30),
        np.full(RATE, 0.25, np.float32),
        clip()[: RATE // 4],
    ],
    ids=["empty", "zeros", "faint hiss", "loud hiss", "constant", "before the speech"],
)
def test_nothing_that_stands_out_has_no_end(nothing):
    assert acoustic_end(nothing, RATE) is None


def test_a_lone_click_is_nothing():
    samples = np.zeros(RATE, np.float32)
    samples[1000:1200] = 0.5
    assert acoustic_end(samples, RATE) is None
