"""How well people are understood, clean and in noise, how quickly, and what is heard where nobody speaks.

    python benchmarks/recognition.py [--recogniser whisper-base] [--errors]

The recordings are those of `spoken_clips.py`. Noise is pink and as loud, in mean power, as the signal-to-noise ratio
says. Each recording is one utterance, transcribed as final, in English, on one thread; the time that passes is also
that of the machine's other work, the processor time is its own. Words are compared by
`word_errors.py`: small letters, no punctuation, numbers in letters, a few contractions in full.

What is no speech, 2 to 5 s long and at a level that passes for speech: noise of three colours, mains hum, clicks, and
music. It goes to the recogniser as if the voice detector had let it through.
"""

import argparse
import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from spoken_clips import Spoken, music, spoken
from word_errors import errors, normalised

from vivavoce.audio.pcm import Samples
from vivavoce.engine.models.moonshine import MoonshineRecogniser
from vivavoce.engine.models.protocols import MODEL_RATE, Recogniser
from vivavoce.engine.models.whisper import WhisperRecogniser
from vivavoce.engine.weights import ensure

RECOGNISERS: dict[str, Callable[[Path], WhisperRecogniser | MoonshineRecogniser]] = {
    "whisper-base": WhisperRecogniser,
    "moonshine-tiny-en": MoonshineRecogniser,
}
RATIOS_DB = {"clean": None, "10 dB": 10, "5 dB": 5}
COLOURS = {"white": 0.0, "pink": -0.5, "brown": -1.0}
"""The power of the frequency that amplitudes follow."""

LEVELS_DBFS = (-45, -35, -25)


def coloured(size: int, slope: float, seed: int) -> Samples:
    """Return noise of unit power whose amplitudes follow a power of the frequency."""
    rng = np.random.default_rng(seed)
    hertz = np.fft.rfftfreq(size, 1 / MODEL_RATE)
    spectrum = rng.normal(size=(2, len(hertz))).T.copy().view(np.complex128)[:, 0]
    spectrum *= np.where(hertz < 20, 0, np.maximum(hertz, 20) ** slope)
    noise = np.fft.irfft(spectrum, size)
    unit: Samples = (noise / np.sqrt(np.mean(noise**2))).astype(np.float32)
    return unit


def in_noise(audio: Samples, ratio_db: float | None, seed: int) -> Samples:
    """Return a recording in pink noise."""
    if ratio_db is None:
        return audio
    level = np.float32(np.sqrt(np.mean(audio**2)) * 10 ** (-ratio_db / 20))
    return audio + level * coloured(len(audio), COLOURS["pink"], seed)


def no_speech() -> Iterator[tuple[str, Samples]]:
    """Yield what nobody says."""
    for level in LEVELS_DBFS:
        gain = np.float32(10 ** (level / 20))
        for seed, seconds in enumerate((2, 3, 5)):
            size = seconds * MODEL_RATE
            for slope in COLOURS.values():
                yield "noise", gain * coloured(size, slope, seed)
            yield "hum", gain * _hum(size, 50 + 10 * (seed % 2))
            yield "clicks", gain * _clicks(size, seed)
    for piece in music():
        yield "music", piece


def _hum(size: int, hertz: int) -> Samples:
    """Return the mains and what comes with it, of unit amplitude."""
    turns = 2 * np.pi * hertz * np.arange(size) / MODEL_RATE
    hum = np.sum([np.sin(turns * harmonic) / harmonic for harmonic in range(1, 9)], axis=0)
    audio: Samples = hum.astype(np.float32)
    return audio


def _clicks(size: int, seed: int) -> Samples:
    """Return knocks of a few milliseconds, two to six a second, whose peaks are ten times what their level says."""
    rng = np.random.default_rng(seed)
    audio = np.zeros(size, np.float32)
    knock = 160
    for at in np.flatnonzero(rng.random(size - knock) < (2 + 2 * seed) / MODEL_RATE):
        audio[at : at + knock] += 4 * rng.normal(size=knock) * np.exp(-np.arange(knock) / 30)
    return audio


async def words_of(recogniser: Recogniser, audio: Samples) -> tuple[list[str], tuple[float, float]]:
    """Return what was heard, and how many milliseconds passed and were computed."""
    began = time.perf_counter(), time.process_time()
    heard = await recogniser.transcribe(audio, language="en")
    passed, computed = time.perf_counter() - began[0], time.process_time() - began[1]
    return normalised(heard.text), (1000 * passed, 1000 * computed)


async def understood(recogniser: Recogniser, clips: list[Spoken], *, tell: bool) -> None:
    """Print the word error rate at each ratio, by source and all in all, and the time for an utterance."""
    took = []
    for name, ratio_db in RATIOS_DB.items():
        wrong: dict[str, list[int]] = {}
        for number, clip in enumerate(clips):
            said = normalised(clip.words)
            heard, times = await words_of(recogniser, in_noise(clip.audio, ratio_db, number))
            if len(clip.audio) < 8 * MODEL_RATE:
                took.append(times)
            wrong.setdefault(clip.source, []).append(errors(said, heard))
            if tell and heard != said:
                print(f"      {' '.join(said)}\n   -> {' '.join(heard)}")
        counts = {
            source: sum(len(normalised(c.words)) for c in clips if c.source == source) for source in wrong
        }
        rates = [f"{source} {100 * sum(wrong[source]) / counts[source]:.1f} %" for source in wrong]
        total = 100 * sum(map(sum, wrong.values())) / sum(counts.values())
        print(f"  {name:8}{total:5.1f} %   ({', '.join(rates)})")
    for name, times in zip(("time", "processor time"), zip(*took, strict=True), strict=True):
        middle, late = np.percentile(times, [50, 95])
        print(f"  {name} for an utterance of up to 8 s: {middle:.0f} ms, p95 {late:.0f} ms")


async def invented(recogniser: Recogniser, *, tell: bool) -> None:
    """Print how often words are heard where there are none."""
    counts: dict[str, list[int]] = {}
    for kind, audio in no_speech():
        heard, _ = await words_of(recogniser, audio)
        counts.setdefault(kind, []).append(len(heard))
        if tell and heard:
            print(f"      {kind} -> {' '.join(heard)}")
    told = [f"{kind} {sum(map(bool, found))} of {len(found)}" for kind, found in counts.items()]
    print(f"  words invented: {', '.join(told)}")


async def measure(arguments: argparse.Namespace) -> None:
    """Load the recognisers, one after the other, and print what they understand."""
    clips = spoken()
    if not clips:
        raise SystemExit("there are no recordings")
    seconds = sum(len(clip.audio) for clip in clips) / MODEL_RATE
    words = sum(len(normalised(clip.words)) for clip in clips)
    print(f"{len(clips)} recordings, {seconds:.0f} s, {words} words")
    for name in arguments.recogniser or RECOGNISERS:
        recogniser = RECOGNISERS[name](await ensure(name))
        await recogniser.warm_up()
        print(name)
        await understood(recogniser, clips, tell=arguments.errors)
        await invented(recogniser, tell=arguments.errors)
        await recogniser.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recogniser", action="append", choices=RECOGNISERS, help="these only")
    parser.add_argument("--errors", action="store_true", help="show what was misheard")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
