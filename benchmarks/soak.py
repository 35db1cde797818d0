"""An hour of talk in one session: whether memory is flat, and the hundredth answer as quick as the fifth.

    python benchmarks/soak.py [--profile small] [--turns 120] [--turn-s 30] [--answer-tokens 24]

A caller asks a question every 30 s on the clock of the audio, and is silent for the rest. Nothing waits for that clock:
the audio is streamed as fast as the engine hears it, and the next question follows as soon as the answer has come and
the silence has been heard. All models of the profile run; answers are cut to a few tokens, to be through in minutes.

Prints the resident memory from time to time and two ratios. *Memory*: at the end, over that after half an hour: by
then the session holds the 600 s of speech that it keeps, the language model has read as much as it can, and nothing
should grow any more. *Latency*: from the last sound of the question, as sent, to the first sound of the answer; the
median of the turns around the hundredth, over the median of those around the fifth. A longer conversation takes the
language model longer for every token. The same is told in processor time, which busy neighbours change less.
"""

import argparse
import asyncio
import base64
import itertools
import json
import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from voice_latency import QUESTIONS, spoken

from vivavoce.audio.pcm import Samples, encode_pcm16, to_pcm16
from vivavoce.engine import Engine
from vivavoce.engine.profiles import PROFILES
from vivavoce.engine.runtime import EngineSession

RATE = 24_000
FRAME_S = 0.04
PATIENCE_S = 60
SETTLED_MINUTES = 30
"""After so long a session holds all that it keeps."""


def resident_mb() -> float:
    """Return this process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def stream(session: EngineSession, audio: Samples) -> None:
    """Send audio in frames, as fast as they are taken."""
    pcm = encode_pcm16(to_pcm16(audio))
    size = int(RATE * FRAME_S) * 2
    for start in range(0, len(pcm), size):
        frame = base64.b64encode(pcm[start : start + size]).decode()
        await session.send(json.dumps({"type": "input_audio_buffer.append", "audio": frame}))


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment on two clocks, in seconds."""

    wall: float
    processor: float

    @classmethod
    def now(cls) -> "Instant":
        """Return this one."""
        return cls(time.monotonic(), time.process_time())

    def since(self, other: "Instant") -> "Instant":
        """Return what went by."""
        return Instant(self.wall - other.wall, self.processor - other.processor)


async def answered(session: EngineSession) -> Instant:
    """Receive until the response is done; return when its first sound came."""
    first: Instant | None = None
    while True:
        try:
            async with asyncio.timeout(PATIENCE_S):
                event = json.loads(await session.receive())
        except TimeoutError:
            raise SystemExit(f"no answer within {PATIENCE_S} s") from None
        if event["type"] == "response.output_audio.delta":
            first = first or Instant.now()
        elif event["type"] == "response.done":
            return first or Instant.now()
        elif event["type"] == "error":
            raise SystemExit(f"the engine refuses: {event['error']['message']}")


async def talk(session: EngineSession, question: Samples, turn_s: float) -> Instant:
    """Ask, be silent for the rest of the turn, and return how long it took to the first sound of the answer."""
    answering = asyncio.create_task(answered(session))
    await stream(session, question)
    said = Instant.now()
    await stream(session, np.zeros(RATE, np.float32))  # enough to end the turn
    first = await answering
    await stream(session, np.zeros(int(RATE * (turn_s - 1)) - len(question), np.float32))
    return first.since(said)


def around(latencies: list[float], turn: int, spread: int) -> float:
    """Return the median latency of the turns around one."""
    return statistics.median(latencies[max(0, turn - 1 - spread) : turn + spread])


async def measure(arguments: argparse.Namespace) -> None:
    """Talk for as long as it takes, and print what it came to."""
    # A clip ends with its speech here; in `spoken` silence would follow only while the answer is waited for.
    clips = [clip[: int(end * RATE)] for clip, end in await spoken(QUESTIONS, None)]
    async with Engine(arguments.profile) as engine:
        session = engine.connect()
        update = {"type": "realtime", "max_output_tokens": arguments.answer_tokens}
        await session.send(json.dumps({"type": "session.update", "session": update}))
        latencies: list[Instant] = []
        memory: list[float] = []
        began = time.monotonic()
        print(f"{'turn':>6}{'minutes of talk':>17}{'latency ms':>12}{'memory MB':>11}")
        for turn, clip in enumerate(itertools.islice(itertools.cycle(clips), arguments.turns), 1):
            latencies.append(await talk(session, clip, arguments.turn_s))
            memory.append(resident_mb())
            if turn in {1, 5} or turn % 20 == 0:
                minutes = turn * arguments.turn_s / 60
                print(
                    f"{turn:6}{minutes:17.1f}{latencies[-1].wall * 1000:12.0f}{memory[-1]:11.1f}", flush=True
                )
        print(f"\n{arguments.turns} turns in {time.monotonic() - began:.0f} s")
        settled = min(len(memory) // 2, round(SETTLED_MINUTES * 60 / arguments.turn_s))
        minutes = settled * arguments.turn_s / 60
        print(f"memory, at the end over after {minutes:.0f} minutes: {memory[-1] / memory[settled - 1]:.3f}")
        late = min(100, len(latencies) - 5)
        for name, clock in (("latency", "wall"), ("processor time", "processor")):
            fifth, hundredth = (around([getattr(one, clock) for one in latencies], at, 4) for at in (5, late))
            print(
                f"{name}, turn {late} over turn 5: {hundredth / fifth:.2f} "
                f"({hundredth * 1000:.0f} and {fifth * 1000:.0f} ms)"
            )
        await session.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", default="small", choices=PROFILES, help="models of the engine")
    parser.add_argument("--turns", type=int, default=120, help="questions")
    parser.add_argument("--turn-s", type=float, default=30, help="seconds of audio from one to the next")
    parser.add_argument("--answer-tokens", type=int, default=24, help="the longest answer")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
