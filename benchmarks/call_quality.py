"""What is understood over a bad network, and whether speech keeps its time there.

    python benchmarks/call_quality.py [--minutes 1] [--delay-ms 200] [--jitter-ms 30] [--loss 0.05] [--machines]

Recordings of people (`spoken_clips.py`) are spoken into a call at their own pace, by both sides at once, over a network
that delays, loses and reorders packets in each direction. What arrives is recognised by Whisper base, as is what was
spoken. Prints the word errors of both, the packets that were lost, how much longer what arrived is than what was
spoken, after the first half and at the end (a drift would grow), and for how long the machine kept a side from
speaking: who listens then hears a pause, and the words after it come later than they are looked for.

The network is in this process, and carries the call alone. With ``--machines`` (as root, on Linux) the two sides are
processes on machines of their own (`machines.py`), and all that they send goes over it.
"""

import argparse
import asyncio
import itertools
import json
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from lossy import BadLine, BadNetwork
from machines import Machine, Machines, unavailable
from spoken_clips import Spoken, spoken
from word_errors import errors, normalised

from vivavoce.audio.pcm import Pcm, Samples, from_pcm16, to_pcm16
from vivavoce.audio.resample import resample
from vivavoce.engine.models.protocols import MODEL_RATE, Recogniser
from vivavoce.engine.models.whisper import WhisperRecogniser
from vivavoce.engine.weights import ensure
from vivavoce.webrtc.door import without_candidates
from vivavoce.webrtc.leg import Leg
from vivavoce.webrtc.media import FRAME_SECONDS, LATE_SECONDS
from vivavoce.webrtc.playout import FRAME_SAMPLES, RATE

PAUSE_S = 1.0
MARGIN_S = 0.4
"""What is listened to around a recording: it may come a little late."""
REST_S = 2.0
"""For the last of it to arrive."""
SPEECH = "speech.npy"


@dataclass(frozen=True, slots=True)
class Heard:
    """What one side heard, and how it kept its time: see `Talker`."""

    pcm: Pcm
    halfway: float
    kept: float


class Talker:
    """One side of the call: speaks all of it, and keeps what it hears meanwhile."""

    def __init__(self, pcm: Pcm) -> None:
        self._frames = np.split(pcm[: len(pcm) // FRAME_SAMPLES * FRAME_SAMPLES], len(pcm) // FRAME_SAMPLES)
        self._spoken = 0
        self._heard: list[Pcm] = []
        self._done = asyncio.Event()
        self._spoke_at = 0.0
        self.kept = 0.0
        """Seconds that the machine had other things to do, as far as they make a pause."""
        self.halfway = 0.0
        """How many seconds more it had heard than spoken when it had spoken half."""
        self.leg = Leg(self._next, self._heard.append, lambda _: None)

    def _next(self) -> Pcm | None:
        if self._spoken == len(self._frames):
            self._done.set()
            return None
        before, self._spoke_at = self._spoke_at, (now := time.monotonic())
        if before and now - before > LATE_SECONDS + FRAME_SECONDS:
            self.kept += now - before - FRAME_SECONDS
        self._spoken += 1
        if self._spoken == len(self._frames) // 2:
            self.halfway = (sum(map(len, self._heard)) - self._spoken * FRAME_SAMPLES) / RATE
        return self._frames[self._spoken - 1]

    async def heard(self) -> Pcm:
        """Return all that was heard, once all has been spoken. Raises `ConnectionLost` where the call ends before."""
        await self.leg.until(self._done.wait())
        await asyncio.sleep(REST_S)
        return np.concatenate(self._heard)


def script(clips: list[Spoken], minutes: float) -> tuple[Samples, list[tuple[float, Spoken]]]:
    """Return so many minutes of speech, and where in it each recording begins, in seconds."""
    parts: list[Samples] = []
    starts: list[tuple[float, Spoken]] = []
    seconds = 0.0
    for clip in itertools.cycle(clips):
        if seconds > 60 * minutes:
            break
        audio = resample(clip.audio, MODEL_RATE, RATE)
        starts.append((seconds, clip))
        parts += [audio, np.zeros(int(PAUSE_S * RATE), np.float32)]
        seconds += (len(parts[-2]) + len(parts[-1])) / RATE
    return np.concatenate(parts), starts


async def call_here(pcm: Pcm, network: BadNetwork) -> list[Heard]:
    """Let both sides speak in this process; return what each heard."""
    caller, called = Talker(pcm), Talker(pcm)
    answer = await called.leg.answer(without_candidates(await caller.leg.offer()))
    await caller.leg.accept(await network.between(answer))
    heard = await asyncio.gather(caller.heard(), called.heard())
    for one in (caller, called):
        await one.leg.close()
    network.close()
    return [Heard(pcm, one.halfway, one.kept) for pcm, one in zip(heard, (caller, called), strict=True)]


async def call_between_machines(pcm: Pcm, line: BadLine) -> list[Heard]:
    """Let both sides speak on machines of their own; return the same."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / SPEECH, pcm)
        async with Machines(line) as machines:
            caller = await _started(machines.near, "caller", folder)
            called = await _started(machines.far, "called", folder)
            _tell(called, await _told(caller))
            _tell(caller, await _told(called))
            times = [json.loads(await _told(one)) for one in (caller, called)]
            for one in (caller, called):
                _tell(one, json.dumps("both have heard all") + "\n")
                await one.wait()
        heard = [np.load(folder / f"{side}.npy") for side in ("caller", "called")]
        return [Heard(pcm, *kept_time) for pcm, kept_time in zip(heard, times, strict=True)]


async def _started(machine: Machine, side: str, folder: Path) -> Process:
    command = machine.command(sys.executable, __file__, "--side", side, "--folder", str(folder))
    return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)


def _tell(process: Process, line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line.encode())


async def _told(process: Process) -> str:
    assert process.stdout is not None
    if line := await process.stdout.readline():
        return line.decode()
    raise SystemExit("one side of the call has ended too early")


async def be_side(side: str, folder: Path) -> None:
    """Be one side of the call, in a process of its own that is told the other's description."""

    async def read() -> str:
        return str(json.loads(await asyncio.to_thread(sys.stdin.readline)))

    talker = Talker(np.load(folder / SPEECH))
    if side == "caller":
        print(json.dumps(await talker.leg.offer()), flush=True)
        await talker.leg.accept(await read())
    else:
        print(json.dumps(await talker.leg.answer(await read())), flush=True)
    np.save(folder / side, await talker.heard())
    print(json.dumps([talker.halfway, talker.kept]), flush=True)
    await read()  # the other may speak a little longer
    await talker.leg.close()


async def word_errors(recogniser: Recogniser, audio: Samples, starts: list[tuple[float, Spoken]]) -> float:
    """Return the share of the words that were misheard."""
    wrong = words = 0
    for start, clip in starts:
        begin = max(0, int((start - MARGIN_S) * RATE))
        end = int((start + len(clip.audio) / MODEL_RATE + MARGIN_S) * RATE)
        said = normalised(clip.words)
        heard = await recogniser.transcribe(resample(audio[begin:end], RATE, MODEL_RATE), language="en")
        wrong += errors(said, normalised(heard.text))
        words += len(said)
    return wrong / words


async def measure(arguments: argparse.Namespace) -> None:
    """Call, listen, and compare."""
    speech, starts = script(spoken(), arguments.minutes)
    pcm = to_pcm16(speech)
    of_line = {
        "delay": arguments.delay_ms / 1000,
        "jitter": arguments.jitter_ms / 1000,
        "loss": arguments.loss,
    }
    line: BadLine
    if arguments.machines:
        line = BadLine(**of_line)
        sides = await call_between_machines(pcm, line)
    else:
        line = network = BadNetwork(**of_line)
        sides = await call_here(pcm, network)
    lost = line.lost / (line.lost + line.carried)
    print(f"{len(starts)} recordings, {len(speech) / RATE / 60:.1f} minutes; {lost:.1%} of the packets lost")
    recogniser = WhisperRecogniser(await ensure("whisper-base"))
    print(f"word errors: {await word_errors(recogniser, speech, starts):.1%} as spoken")
    for who, side in zip(("caller", "called"), sides, strict=True):
        wrong = await word_errors(recogniser, from_pcm16(side.pcm), starts)
        at_the_end = (len(side.pcm) - len(speech)) / RATE
        print(
            f"what the {who} heard: {wrong:.1%} word errors; "
            f"{side.halfway * 1000:+.0f} ms longer by half, {at_the_end * 1000:+.0f} ms at the end; "
            f"kept from speaking for {side.kept * 1000:.0f} ms"
        )
    await recogniser.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=1, help="how long the call lasts")
    parser.add_argument("--delay-ms", type=float, default=200, help="in each direction")
    parser.add_argument("--jitter-ms", type=float, default=30, help="more or less than that")
    parser.add_argument("--loss", type=float, default=0.05, help="share of the packets, in each direction")
    parser.add_argument("--machines", action="store_true", help="each side on a machine of its own")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        asyncio.run(be_side(arguments.side, arguments.folder))
        return
    if arguments.machines and (missing := unavailable()) is not None:
        parser.error(f"--machines needs {missing}")
    asyncio.run(measure(arguments))


if __name__ == "__main__":
    main()
