"""How long a spoken turn takes, stage by stage: ten spoken questions, from the acoustic end of each.

    python benchmarks/voice_latency.py [--profile default] [--noise-db 10] [--rounds 1] [--url URL]

The questions are spoken by the engine's synthesiser and streamed at the pace of speech, one session for each, as
`vivavoce ask` does. With ``--noise-db`` pink noise is mixed in, so many dB below the speech. Prints what was
understood, and the median and the 95th percentile of each stage.
"""

import argparse
import asyncio
import math
import resource
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

from vivavoce.audio.endpointing import acoustic_end
from vivavoce.audio.pcm import Samples
from vivavoce.cli.options import session_fields
from vivavoce.client.asking import Answer, ask_aloud
from vivavoce.client.latency import Stages
from vivavoce.client.realtime import RealtimeClient
from vivavoce.client.transport import Transport, WebSocketTransport
from vivavoce.engine import Engine
from vivavoce.engine.models.hibari import HibariSynthesiser

QUESTIONS = (
    "What is the capital of France?",
    "How many days are there in a leap year?",
    "Who wrote Romeo and Juliet?",
    "At what temperature does water boil?",
    "What is seven times eight?",
    "Which planet is the largest in the solar system?",
    "Could you tell me a short joke, please?",
    "How many legs does a spider have?",
    "What language do people speak in Brazil?",
    "I am bored, what could I do this evening?",
)
RATE = 24_000
LEAD_S = 0.5
"""Silence before a question, as there always is."""


async def spoken(questions: tuple[str, ...], noise_db: float | None) -> list[tuple[Samples, float]]:
    """Speak the questions: samples at 24 kHz, and where the speech in them ends, told before noise comes in."""
    synthesiser = HibariSynthesiser()
    clips = []
    for number, question in enumerate(questions):
        speech = np.concatenate([part async for part in synthesiser.synthesise(question, voice="ash")])
        clip = np.concatenate([np.zeros(int(LEAD_S * RATE), np.float32), 0.5 * speech])
        end = acoustic_end(clip, RATE)
        if end is None:
            raise SystemExit(f"there is no speech in {question!r}")
        if noise_db is not None:
            clip = clip + pink(len(clip), number) * _rms(speech * 0.5) / 10 ** (noise_db / 20)
        clips.append((clip.astype(np.float32), end))
    await synthesiser.close()
    return clips


def pink(length: int, seed: int) -> Samples:
    """Make noise whose power falls with its frequency, at a root mean square of one."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(length))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), length)
    return (noise / _rms(noise)).astype(np.float32)


def _rms(audio: npt.NDArray[Any]) -> float:
    return float(np.sqrt(np.mean(np.square(audio))))


@asynccontextmanager
async def connecting(arguments: argparse.Namespace) -> AsyncIterator[Callable[[], Awaitable[Transport]]]:
    """Yield what opens a session with the endpoint to measure."""
    if arguments.url:
        yield lambda: WebSocketTransport.connect(arguments.url, model="gpt-realtime")
        return
    began = time.monotonic()
    async with Engine(arguments.profile) as engine:
        print(f"{arguments.profile}: ready after {time.monotonic() - began:.1f} s")

        async def connect() -> Transport:
            return engine.connect()

        yield connect
        print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB of memory at the most")


async def measure(arguments: argparse.Namespace) -> None:
    """Ask all questions, and print what came."""
    clips = await spoken(QUESTIONS, arguments.noise_db)
    answers: list[Answer] = []
    async with connecting(arguments) as connect:
        for question, clip in list(zip(QUESTIONS, clips, strict=True)) * arguments.rounds:
            async with RealtimeClient(transport=connect, keep_audio=True, reconnect=False) as client:
                await client.update_session(**session_fields())
                await asyncio.sleep(arguments.pause)
                answer = await ask_aloud(client, *clip)
            answers.append(answer)
            cut = f"  [{answer.turns} turns]" if answer.turns > 1 else ""
            print(f"{question}  →  {answer.question}  →  {answer.text}{cut}")
    report([answer.stages for answer in answers])


def report(turns: list[Stages]) -> None:
    """Print each stage: when it comes, and what it adds to the one before."""
    print(f"\n{'ms after the acoustic end of speech':36}{'median':>8}{'p95':>8}{'adds':>8}")
    before: list[float] = [0.0] * len(turns)
    for stage in fields(Stages):
        times = [value if (value := getattr(turn, stage.name)) is not None else math.nan for turn in turns]
        adds = statistics.median(now - then for now, then in zip(times, before, strict=True))
        print(
            f"{stage.name.replace('_', ' '):36}{statistics.median(times):8.0f}"
            f"{float(np.percentile(times, 95)):8.0f}{adds:8.0f}"
        )
        before = times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", default="default", help="models of the engine")
    parser.add_argument("--url", help="measure this endpoint instead of the engine in this process")
    parser.add_argument("--noise-db", type=float, help="mix in pink noise, so many dB below the speech")
    parser.add_argument("--rounds", type=int, default=1, help="ask all questions so many times")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds before each question")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
