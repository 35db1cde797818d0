import numpy as np
import pytest

from vivavoce.testing.hearing import Ear, complete, words_so_far


def sound(seconds, amplitude):
    tone = amplitude * np.sin(2 * np.pi * 200 / 24_000 * np.arange(round(seconds * 24_000)))
    return np.rint(tone * 32767).astype(np.int16)


class TestEar:
    def test_hears_what_is_loud(self):
        heard = Ear().push(np.concatenate([sound(0.32, 0), sound(0.32, 0.2), sound(0.32, 0.005)]))
        assert heard == [0.0] * 10 + [1.0] * 10 + [0.0] * 10

    @pytest.mark.parametrize("size", [1, 767, 768, 5000])
    def test_hears_the_same_however_it_is_cut(self, size):
        audio, ear = np.concatenate([sound(0.1, 0), sound(0.3, 0.2), sound(0.2, 0)]), Ear()
        cut = [step for at in range(0, len(audio), size) for step in ear.push(audio[at : at + size])]
        assert cut == Ear().push(audio)


def test_words_come_one_after_the_other():
    said = [words_so_far("What time is it?", round(seconds * 24_000)) for seconds in (0.2, 0.3, 0.7, 5)]
    assert said == ["", "What", "What time", "What time is it?"]


@pytest.mark.parametrize(("text", "over"), [("It is late.", 1.0), ("It is the…", 0.0), ("Well, and", 0.0)])
def test_a_turn_is_over_when_it_sounds_so(text, over):
    assert complete(text) == over
