"""How many conversations this machine holds in real time, and how many the engine lets in.

    python benchmarks/sessions.py [--profile default] [--seconds 60] [--sessions 1 2 3 4 6 8] [--bound-ms 3000]

So many simulated callers at once: each streams audio all the time, at the pace of speech, asks a question, listens to
the answer to its end, thinks, and asks the next one, a turn every 20 s as `vivavoce.engine.capacity.Duty` has it, or
as soon as the answer has been heard. They begin at different times. The engine in this process is told to admit them
all.

A number is held in real time when the answer to at most one turn in twenty comes later than the bound, and a listener
waits in the middle of at most one in twenty for two seconds or longer. The callers take processor time too, about a
hundredth of a core each.
"""

import argparse
import asyncio
import base64
import itertools
import json
import random
import time
from dataclasses import dataclass, field

import numpy as np
from voice_latency import QUESTIONS, spoken

from vivavoce.audio.pcm import Samples
from vivavoce.cli.options import session_fields
from vivavoce.client.asking import ask_aloud
from vivavoce.client.realtime import RealtimeClient
from vivavoce.client.transport import Transport
from vivavoce.engine import Engine
from vivavoce.engine.capacity import Costs, Duty, capacity, loads
from vivavoce.engine.measuring import usable_cores
from vivavoce.engine.pace import BEHIND_S, Playhead
from vivavoce.engine.profiles import PROFILES, Loaded, Report
from vivavoce.errors import ConnectionFailed, VivaVoceError

BYTES_PER_SECOND = 48_000
FRAME_S = 0.04
SILENCE = json.dumps(
    {
        "type": "input_audio_buffer.append",
        "audio": base64.b64encode(bytes(int(BYTES_PER_SECOND * FRAME_S))).decode(),
    }
)
THINK_S = 1.0
"""The least time between the end of an answer and the next question."""

TOLERATED = 0.05
"""Share of turns that may come late."""

Clips = list[tuple[Samples, float]]


@dataclass
class Turn:
    """One question and its answer."""

    first_audio_ms: float
    """From the acoustic end of the question; infinite where no answer came."""
    waited_s: float = 0.0
    """The longest that the listener waited in the middle of the answer."""


@dataclass
class Watched:
    """A transport that notes when speech comes too late to be played without a gap."""

    inner: Transport
    waited_s: float = 0.0
    _playhead: Playhead = field(default_factory=Playhead)

    async def send(self, data: str | bytes) -> None:
        """Pass an event on."""
        await self.inner.send(data)

    async def receive(self) -> str | bytes:
        """Return the next event."""
        data = await self.inner.receive()
        event = json.loads(data)
        if event["type"] == "response.created":
            self._playhead, self.waited_s = Playhead(), 0.0
        elif event["type"] == "response.output_audio.delta":
            seconds = len(event["delta"]) * 3 / 4 / BYTES_PER_SECOND
            self.waited_s = max(self.waited_s, self._playhead.arrived(seconds, time.monotonic()))
        return data

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Pass it on."""
        await self.inner.close(code, reason)


async def admitted(engine: Engine) -> Transport:
    """Open a session, as soon as the models have recovered from what came before."""
    for _ in range(60):
        try:
            return engine.connect()
        except ConnectionFailed:
            await asyncio.sleep(1)
    raise SystemExit("the models did not recover within a minute")


async def call(engine: Engine, clips: Clips, number: int, count: int, seconds: float) -> list[Turn]:
    """Hold one conversation; return its turns."""
    turn_s = Duty().turn_every_s
    transport = Watched(await admitted(engine))
    client = RealtimeClient(transport=lambda: transport, keep_audio=True, reconnect=False)
    await client.connect()
    await client.update_session(**session_fields())
    ends = time.monotonic() + seconds
    await _be_silent(transport, turn_s * number / count)
    turns: list[Turn] = []
    for clip in itertools.cycle(random.Random(number).sample(clips, len(clips))):
        began = time.monotonic()
        if began >= ends:
            break
        try:
            answer = await ask_aloud(client, *clip)
        except VivaVoceError as error:
            print(f"  a turn failed: {error}")
            turns.append(Turn(float("inf")))
        else:
            turns.append(Turn(answer.stages.first_audio or float("inf"), transport.waited_s))
            await _be_silent(transport, len(answer.pcm) / BYTES_PER_SECOND + THINK_S)
        await _be_silent(transport, began + turn_s - time.monotonic())
    await client.close()
    return turns


async def _be_silent(transport: Transport, seconds: float) -> None:
    began = time.monotonic()
    for number in range(1, int(seconds / FRAME_S) + 1):
        await transport.send(SILENCE)
        await asyncio.sleep(began + number * FRAME_S - time.monotonic())


async def try_number(engine: Engine, clips: Clips, count: int, arguments: argparse.Namespace) -> bool:
    """Let so many callers talk, print how it went, and return whether it was in real time."""
    wall, processor = time.monotonic(), time.process_time()
    calls = [call(engine, clips, number, count, arguments.seconds) for number in range(count)]
    turns = [turn for turns in await asyncio.gather(*calls) for turn in turns]
    cores = (time.process_time() - processor) / (time.monotonic() - wall)
    first = [turn.first_audio_ms for turn in turns]
    late = sum(time > arguments.bound_ms for time in first) / len(turns)
    waited = sum(turn.waited_s > BEHIND_S for turn in turns) / len(turns)
    held = late <= TOLERATED and waited <= TOLERATED
    print(
        f"{count:8}{len(turns):8}{np.median(first):10.0f}{np.percentile(first, 95, method='higher'):8.0f}"
        f"{100 * late:8.0f} %{100 * waited:8.0f} %{cores:8.2f}   {'yes' if held else 'no'}",
        flush=True,
    )
    return held


async def measure(arguments: argparse.Namespace) -> None:
    """Try one number after the other, and compare with what the engine expects."""
    clips = await spoken(QUESTIONS, None)
    measured: list[Costs | None] = []

    async def load(report: Report) -> Loaded:
        loaded = await PROFILES[arguments.profile].load(report)
        measured.append(loaded.costs)
        return loaded

    async with Engine(load=load, capacity=max(arguments.sessions)) as engine:
        (costs,) = measured
        cores = usable_cores()
        if costs is not None:
            shares = ", ".join(f"{part} {share:.3f}" for part, share in loads(costs).items())
            print(f"{arguments.profile}: a session takes of a core: {shares}")
            print(f"Engine.capacity with {cores} cores: {capacity(costs, cores)}\n")
        print(
            f"{'sessions':>8}{'turns':>8}{'first':>10}{'p95 ms':>8}{'late':>10}{'waited':>10}{'cores':>8}   held"
        )
        held = [await try_number(engine, clips, count, arguments) for count in arguments.sessions]
    numbers = list(itertools.takewhile(lambda tried: tried[1], zip(arguments.sessions, held, strict=True)))
    print(f"\nin real time: {numbers[-1][0] if numbers else 0} sessions")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", default="default", choices=PROFILES, help="models of the engine")
    parser.add_argument("--seconds", type=float, default=60, help="how long each number of callers talks")
    parser.add_argument(
        "--sessions", type=int, nargs="+", default=[1, 2, 3, 4, 6, 8], help="numbers of callers"
    )
    parser.add_argument("--bound-ms", type=float, default=3000, help="an answer that begins later is late")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
