"""Why the voices are made as they are: their pitch, how well they are understood, and what they cost.

    python experiments/voices.py [--quality sig_bak_ovr.onnx]

For each voice, and for the plain one at the ends of the speeds, prints the median pitch, the word error rate of what
Whisper base makes of ten sentences, the processor's share of real time, and the time to the first audio of one
sentence. Beside them, what was tried and dropped:

- *spectra*: pitch and resonances changed in the spectra that hibari's network tells, instead of in their sound;
- *British sounds as they are*: letters of the British lexicon that the weights of "heart" never met.

With the network of DNSMOS (``sig_bak_ovr.onnx``, in the wheel `speechmos`) also an estimate of what listeners would
say, from 1 to 5.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from hibari import SAMPLE_RATE, Hibari, dsp
from hibari.g2p import G2P

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from word_errors import errors, normalised

from vivavoce.audio.pcm import Samples
from vivavoce.audio.resample import resample
from vivavoce.engine.models.hibari import OUTPUTS, HibariSynthesiser
from vivavoce.engine.models.hibari_voices import CHARACTERS
from vivavoce.engine.models.protocols import MODEL_RATE
from vivavoce.engine.models.timbre import Timbre
from vivavoce.engine.models.whisper import WhisperRecogniser
from vivavoce.engine.weights import ensure

SENTENCES = (
    "Good morning, how can I help you today?",
    "The weather in London will be sunny with a light breeze from the west.",
    "I have set a timer for twenty five minutes.",
    "Please remember to lock the garden gate before you leave the house.",
    "The train to Cambridge departs at eleven from platform nine.",
    "My favourite recipe needs two onions, a carrot and some fresh basil.",
    "She wanted to know whether the museum was open on Sunday afternoon.",
    "There are three new messages from your brother about the birthday party.",
    "Turn down the heating in the bedroom and close the kitchen window.",
    "Scientists have discovered a very large river under the frozen mountains.",
)

Say = Callable[[str], Samples]

QUALITY_S = 9.01
"""What DNSMOS listens to at once."""


@dataclass
class Judge:
    """What a voice is measured with."""

    recogniser: WhisperRecogniser
    quality: onnxruntime.InferenceSession | None

    async def report(self, name: str, say: Say) -> None:
        """Print one line."""
        say(SENTENCES[0])  # loads what is needed
        took, first, wrong, words, pitch, marks = 0.0, [], 0, 0, [], []
        audio = []
        for sentence in SENTENCES:
            began = time.thread_time()
            audio.append(say(sentence))
            first.append(1000 * (time.thread_time() - began))
            took += first[-1] / 1000
            at_model_rate = resample(audio[-1], SAMPLE_RATE, MODEL_RATE)
            heard = await self.recogniser.transcribe(at_model_rate, language="en")
            said = normalised(sentence)
            wrong, words = wrong + errors(said, normalised(heard.text)), words + len(said)
            pitch.append(median_f0(audio[-1]))
            marks.append(self._mark(at_model_rate))
        seconds = sum(map(len, audio)) / SAMPLE_RATE
        told = f"  quality {np.mean(marks):.2f}" if self.quality else ""
        print(
            f"{name:28}{np.median(pitch):5.0f} Hz  {100 * wrong / words:4.1f} % wrong  {seconds:6.1f} s"
            f"  {100 * took / seconds:5.2f} % of real time  first audio {np.median(first):4.0f} ms{told}"
        )

    def _mark(self, audio: Samples) -> float:
        if self.quality is None:
            return 0.0
        size = int(QUALITY_S * MODEL_RATE)
        (marks,) = self.quality.run(None, {"input_1": np.resize(audio, size)[None]})
        return float(marks[0][2])


def median_f0(audio: Samples, lowest: int = 60, highest: int = 400) -> float:
    """Return the pitch in Hz where it is clear, by autocorrelation."""
    size, found = SAMPLE_RATE // 15, []
    for start in range(0, len(audio) - size, size // 2):
        frame = audio[start : start + size] * np.hanning(size)
        if np.sqrt(np.mean(frame**2)) < 0.01:
            continue
        alike = np.fft.irfft(np.abs(np.fft.rfft(frame, 2 * size)) ** 2)[:size] / (1 - np.arange(size) / size)
        lags = np.arange(SAMPLE_RATE // highest, SAMPLE_RATE // lowest)
        best = lags[alike[lags] > 0.9 * alike[lags].max()][0]
        if alike[best] > 0.5 * alike[0]:
            found.append(SAMPLE_RATE / best)
    return float(np.median(found))


def voiced_by(synthesiser: HibariSynthesiser, voice: str, speed: float) -> Say:
    """Return how a voice says a sentence: as the synthesiser does, without its thread."""

    def say(text: str) -> Samples:
        pace = synthesiser._casts[voice].pace * speed  # noqa: SLF001 - measured without the thread
        sentences = synthesiser._read(voice, text)  # noqa: SLF001
        return np.concatenate([synthesiser._say(voice, sentence, pace) for sentence in sentences])  # noqa: SLF001

    return say


def in_spectra(speaker: Hibari, timbre: Timbre) -> Say:
    """Return how a sentence sounds if pitch and resonances are changed in the spectra."""

    def say(text: str) -> Samples:
        made = []
        for phonemes in speaker.phonemize(text):
            given = {"ids": np.array([speaker.ids(phonemes)]), "speed": np.ones(1, np.float32)}
            *spectrum, f0 = (rows[0] for rows in speaker.sess.run(OUTPUTS, given))
            bins = np.minimum(np.arange(len(spectrum[0])) / timbre.formants, len(spectrum[0]) - 1)
            moved = [rows[np.round(bins).astype(int)] for rows in spectrum]
            made.append(dsp.synth(*moved, f0 * timbre.pitch, np.random.default_rng(0)))
        return np.concatenate(made)

    return say


async def measure(quality: Path | None) -> None:
    """Print all lines."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    network = onnxruntime.InferenceSession(str(quality), options) if quality else None
    judge = Judge(WhisperRecogniser(await ensure("whisper-base")), network)
    synthesiser = HibariSynthesiser()
    for voice in CHARACTERS:
        await judge.report(voice, voiced_by(synthesiser, voice, 1.0))
    for speed in (0.25, 0.5, 1.5):
        await judge.report(f"alloy at {speed}", voiced_by(synthesiser, "alloy", speed))
    plain = Hibari(threads=1)
    for voice in ("onyx", "ash", "shimmer"):
        await judge.report(f"{voice} in spectra", in_spectra(plain, CHARACTERS[voice].own.timbre))
    foreign = Hibari(threads=1, g2p=G2P(british=True))
    await judge.report("British sounds as they are", lambda text: foreign(text, seed=0))
    await synthesiser.close()
    await judge.recogniser.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quality", type=Path, help="the network of DNSMOS")
    asyncio.run(measure(parser.parse_args().quality))


if __name__ == "__main__":
    main()
