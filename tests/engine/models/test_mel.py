"""The spectrogram: shape, scale, and where a tone is seen."""

import os
import subprocess
import sys

import numpy as np
import pytest

from vivavoce.engine.models.mel import FRAMES_PER_SECOND, log_mel
from vivavoce.engine.models.protocols import MODEL_RATE


def tone(hertz, seconds=1.0, amplitude=0.5):
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * MODEL_RATE)) / MODEL_RATE)


@pytest.mark.parametrize("seconds", [0.1, 1, 2.345])
@pytest.mark.parametrize("wanted", [80, 128])
def test_has_as_many_bands_as_wanted_and_a_frame_every_ten_milliseconds(seconds, wanted):
    bands, frames = log_mel(tone(440, seconds), wanted).shape
    assert bands == wanted
    assert frames - 1 == int(seconds * FRAMES_PER_SECOND + 1e-9)  # one more, for what follows the end


@pytest.mark.parametrize(
    ("hertz", "mel"),
    [
        (200, 3.0),
        (500, 7.5),
        (1000, 15.0),
        (6400, 42.0),
    ],  # Slaney's scale: 200/3 Hz a step, 27 for the factor 6.4
)
@pytest.mark.parametrize("bands", [80, 128])
def test_sees_a_tone_in_its_band(hertz, mel, bands):
    top = 15 + 27 * np.log(8) / np.log(6.4)  # 8 kHz
    expected = mel / top * (bands + 1) - 1  # so many centres between nothing and the top
    assert abs(log_mel(tone(hertz), bands).mean(axis=1).argmax() - expected) <= 1


def test_ten_times_the_amplitude_is_half_more():
    loud, soft = log_mel(tone(1000)), log_mel(tone(1000, amplitude=0.05))
    assert loud.max() - soft.max() == pytest.approx(2 / 4, abs=1e-4)  # 20 dB are two powers of ten, over 4


def test_raises_what_is_far_below_the_loudest():
    seen = log_mel(np.concatenate([tone(1000), np.zeros(MODEL_RATE)]))
    assert seen.max() - seen.min() == pytest.approx(8 / 4, abs=1e-4)


def test_silence_is_flat():
    seen = log_mel(np.zeros(MODEL_RATE, np.float32))
    assert np.unique(seen).tolist() == [pytest.approx((-10 + 4) / 4)]
    assert seen.dtype == np.float32


def test_keeps_to_the_thread_of_its_caller():
    """CPU time that other threads take meanwhile and in the quarter of a second after it: a pool would spin."""
    script = """
import time
import numpy as np
from vivavoce.engine.models.mel import log_mel
time.sleep(0.25)  # whatever importing has woken is asleep again
before = time.process_time() - time.thread_time()
log_mel(np.ones(32000, np.float32))
time.sleep(0.25)
print(time.process_time() - time.thread_time() - before)
"""
    unset = {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"}
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={name: value for name, value in os.environ.items() if name not in unset},
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(run.stdout) < 0.03
