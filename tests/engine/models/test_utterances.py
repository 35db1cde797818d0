"""What recognisers have in common: pieces, silence, repetition."""

import numpy as np
import pytest

from vivavoce.engine.models.protocols import MODEL_RATE
from vivavoce.engine.models.utterances import LONGEST_S, audible, pieces, repetitive


def noise(seconds, level=0.1):
    return np.random.default_rng(0).normal(0, level, round(seconds * MODEL_RATE)).astype(np.float32)


def silence(seconds):
    return np.zeros(round(seconds * MODEL_RATE), np.float32)


class TestPieces:
    def test_short_audio_is_one(self):
        audio = noise(LONGEST_S)
        (piece,) = pieces(audio)
        assert piece is audio

    @pytest.mark.parametrize("seconds", [28.01, 60, 100])
    def test_together_they_are_the_audio(self, seconds):
        audio = noise(seconds)
        cut = list(pieces(audio))
        np.testing.assert_array_equal(np.concatenate(cut), audio)
        assert all(len(piece) <= LONGEST_S * MODEL_RATE for piece in cut)

    def test_are_cut_where_it_is_quietest(self):
        audio = noise(40)
        audio[23 * MODEL_RATE : 24 * MODEL_RATE] = 0
        first, _ = pieces(audio)
        assert 23 * MODEL_RATE <= len(first) <= 24 * MODEL_RATE


@pytest.mark.parametrize("audio", [silence(0), silence(3), noise(3, 0.001), noise(0.05)])
def test_nothing_to_hear(audio):
    assert not audible(audio)


@pytest.mark.parametrize("audio", [noise(0.1), np.concatenate([silence(20), noise(0.3, 0.01), silence(20)])])
def test_something_to_hear(audio):
    assert audible(audio)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("and then and then " * 10, True),
        ("", False),
        ("No, no, no, no.", False),
        ("Please remind me to call my mother on Sunday afternoon.", False),
    ],
)
def test_repetition(text, expected):
    assert repetitive(text) is expected
