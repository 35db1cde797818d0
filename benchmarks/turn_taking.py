"""How well turns are taken: cuts in mid-sentence, and how long the end of a turn is waited for.

    python benchmarks/turn_taking.py [--profile default] [--source synthetic|recorded|read] [--cuts]

The clips are those of `turn_clips.py`: sentences with a pause of 0.3, 0.6 or 1 s inside. Each goes through the
session's state machine with the profile's voice detector, recogniser and end-of-turn model, once for each kind of
turn detection. No language model runs and nothing is played. The clock counts samples, so it goes as fast as the
models compute; what they answer arrives as much later, on that clock, as they took. (The hypotheses while somebody
speaks are left out: they decide nothing.)

Prints, for each kind, the share of pauses at which the turn was taken for finished, and the time from the acoustic end
of the speech to the decision.
"""

import argparse
import asyncio
import base64
import heapq
import itertools
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from turn_clips import PAUSES_MS, RATE, Clip, read_aloud, recorded, synthetic

from vivavoce.audio.pcm import from_pcm16, to_pcm16
from vivavoce.audio.resample import Resampler, resample
from vivavoce.engine.models.protocols import MODEL_RATE
from vivavoce.engine.profiles import PROFILES, Report
from vivavoce.engine.runtime import Models
from vivavoce.engine.session import effects, inputs
from vivavoce.engine.session.machine import Session
from vivavoce.protocol import server_events as ev

A = TypeVar("A")
Pcm = npt.NDArray[np.int16]

FRAME_MS = 32
SLACK_S = 0.06
"""A decision so shortly before the acoustic end is at the end."""

DETECTIONS: dict[str, dict[str, Any]] = {
    "server_vad 200 ms": {"type": "server_vad", "silence_duration_ms": 200},
    "server_vad 500 ms": {"type": "server_vad", "silence_duration_ms": 500},
    **{
        f"semantic_vad {eagerness}": {"type": "semantic_vad", "eagerness": eagerness}
        for eagerness in ("high", "auto", "medium", "low")
    },
}


@dataclass
class Memory:
    """What the models said to what, and how long they took: every kind of turn detection asks the same."""

    models: Models
    answers: dict[Any, tuple[Any, float]] = field(default_factory=dict)

    async def ask(self, key: Any, work: Callable[[], Awaitable[A]]) -> tuple[A, float]:
        """Return the answer and its duration, in seconds."""
        if key not in self.answers:
            began = time.monotonic()
            answer = await work()
            self.answers[key] = (answer, time.monotonic() - began)
        return self.answers[key]

    async def voice(self, pcm: Pcm) -> list[list[float]]:
        """Return the probabilities of speech that each frame of a clip completes."""

        async def listen() -> list[list[float]]:
            stream, resampler = self.models.voice_activity.open(), Resampler(RATE, MODEL_RATE)
            return [await stream.push(resampler.push(from_pcm16(frame))) for frame in _frames(pcm)]

        return (await self.ask(pcm.tobytes(), listen))[0]


def _frames(pcm: Pcm) -> list[Pcm]:
    size = RATE * FRAME_MS // 1000
    return [pcm[start : start + size] for start in range(0, len(pcm) // size * size, size)]


class Run:
    """One clip through one session, on the clock of its samples."""

    def __init__(self, memory: Memory, detection: dict[str, Any]) -> None:
        self.decided: list[float] = []
        """When turns were taken for finished, in seconds."""
        self._memory = memory
        self._now = 0.0
        self._due: list[tuple[float, int, inputs.ModelAnswer]] = []
        self._order = itertools.count()
        self._busy: dict[str, float] = {"recogniser": 0.0, "end_of_turn": 0.0}
        self._machine = Session(
            model="gpt-realtime",
            voices=tuple(memory.models.synthesiser.voices),
            step_ms=memory.models.voice_activity.step * 1000 // MODEL_RATE,
            budget_tokens=2000,
            expires_at=2_000_000_000,
        )
        self._detection = detection

    async def through(self, clip: Clip) -> "Run":
        """Say the clip."""
        pcm = to_pcm16(clip.audio)
        voice = await self._memory.voice(pcm)
        await self._perform(self._machine.begin(), [])
        audio = {"input": {"turn_detection": self._detection}}
        await self._tell({"type": "session.update", "session": {"type": "realtime", "audio": audio}})
        for frame, probabilities in zip(_frames(pcm), voice, strict=True):
            self._now += FRAME_MS / 1000
            while self._due and self._due[0][0] <= self._now:
                await self._perform(self._machine.take(heapq.heappop(self._due)[2]), [])
            said = base64.b64encode(frame.tobytes()).decode()
            await self._tell({"type": "input_audio_buffer.append", "audio": said}, probabilities)
        return self

    async def _tell(self, event: dict[str, Any], heard: list[float] | None = None) -> None:
        await self._perform(self._machine.take(json.dumps(event)), heard or [])

    async def _perform(self, asked: list[effects.Effect], heard: list[float]) -> None:
        for effect in asked:
            match effect:
                case effects.Send(event=ev.InputAudioBufferSpeechStopped()):
                    self.decided.append(self._now)
                case effects.Send(event=ev.ErrorEvent(error=error)):
                    raise SystemExit(f"the session refuses: {error.message}")
                case effects.Listen(listening=number) if heard:
                    await self._perform(self._machine.take(inputs.VoiceHeard(number, heard)), [])
                case effects.Recognise(final=True):
                    await self._recognise(effect)
                case effects.Judge():
                    await self._judge(effect)

    async def _recognise(self, work: effects.Recognise) -> None:
        recogniser = self._memory.models.recogniser
        words, took = await self._memory.ask(
            work.pcm.tobytes(), lambda: recogniser.transcribe(_model_audio(work.pcm))
        )
        self._later(
            "recogniser",
            took,
            inputs.Recognised(work.utterance, len(work.pcm), final=True, transcription=words),
        )

    async def _judge(self, work: effects.Judge) -> None:
        end_of_turn = self._memory.models.end_of_turn
        probability, took = await self._memory.ask(
            (work.pcm.tobytes(), work.text),
            lambda: end_of_turn.probability(_model_audio(work.pcm), work.text),
        )
        self._later("end_of_turn", took, inputs.Judged(work.utterance, len(work.pcm), probability))

    def _later(self, model: str, took: float, answer: inputs.ModelAnswer) -> None:
        """Let a model answer when it is through, after what it was asked before."""
        self._busy[model] = max(self._busy[model], self._now) + took
        heapq.heappush(self._due, (self._busy[model], next(self._order), answer))


def _model_audio(pcm: Pcm) -> npt.NDArray[np.float32]:
    return resample(from_pcm16(pcm), RATE, MODEL_RATE)


@dataclass
class Result:
    """What became of a clip."""

    clip: Clip
    cuts: int
    """How often the turn was taken for finished before it was."""
    delay_ms: float | None
    """From the acoustic end to the decision; None where none came there."""


async def take(memory: Memory, detection: dict[str, Any], clips: list[Clip]) -> list[Result]:
    """Send all clips through sessions with one kind of turn detection."""
    results = []
    for clip in clips:
        decided = (await Run(memory, detection).through(clip)).decided
        early = [at for at in decided if at < clip.end_s - SLACK_S]
        delay = (decided[-1] - clip.end_s) * 1000 if len(decided) > len(early) else None
        results.append(Result(clip, len(early), delay))
    return results


def report(name: str, results: list[Result]) -> None:
    """Print one line: cuts by the length of the pause, by its kind, all in all; delays."""

    def cuts(chosen: list[Result]) -> str:
        pauses = sum(max(1, result.clip.pauses) for result in chosen)
        cut = sum(result.cuts for result in chosen)
        return f"{100 * cut / pauses:5.0f} %" if chosen else "      –"

    paused = [result for result in results if result.clip.pauses]
    by_length = [cuts([result for result in paused if result.clip.pause_ms == ms]) for ms in PAUSES_MS]
    by_kind = [
        cuts([result for result in paused if result.clip.kind == kind]) for kind in ("breath", "search")
    ]
    ended = [result.delay_ms for result in results if result.delay_ms is not None]
    middle, late = np.percentile(ended, [50, 95]) if ended else (np.nan, np.nan)
    missed = (
        f"   {len(results) - len(ended)} without a decision at the end" if len(ended) < len(results) else ""
    )
    print(
        f"{name:20}{''.join(f'{cell:>8}' for cell in (*by_length, *by_kind, cuts(paused)))}"
        f"{middle:9.0f}{late:8.0f}{missed}"
    )


async def measure(arguments: argparse.Namespace) -> None:
    """Make the clips, run them, print the tables."""
    clips = {"synthetic": await synthetic(), "recorded": recorded(), "read": read_aloud()}
    loaded = await PROFILES[arguments.profile].load(Report(lambda _: None, lambda _: None))
    memory = Memory(loaded.models)
    for source in arguments.source or clips:
        if not clips[source]:
            continue
        seconds = sum(len(clip.audio) for clip in clips[source]) / RATE
        print(
            f"\n{source}: {len(clips[source])} clips, {sum(clip.pauses for clip in clips[source])} pauses, "
            f"{seconds:.0f} s"
        )
        print(
            f"{'cut at a pause of':20}{'0.3 s':>8}{'0.6 s':>8}{'1 s':>8}{'breath':>8}{'search':>8}{'all':>8}"
            f"{'delay ms':>9}{'p95':>8}"
        )
        for name, detection in DETECTIONS.items():
            results = await take(memory, detection, clips[source])
            report(name, results)
            if arguments.cuts:
                for number, result in enumerate(results):
                    if result.cuts:
                        print(
                            f"    clip {number}: {result.clip.kind} {result.clip.pause_ms} ms, {result.cuts}"
                        )
    await loaded.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", default="default", choices=PROFILES, help="models of the engine")
    parser.add_argument(
        "--source", action="append", choices=("synthetic", "recorded", "read"), help="these clips only"
    )
    parser.add_argument("--cuts", action="store_true", help="name the clips that were cut")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
