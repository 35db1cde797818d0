"""The asyncio shell around one session: it performs what the state machine asks for, and decides nothing.

Who owns what, and who lets go of it:

=====================  =============================  ====================================================
resource               made by                        released by
=====================  =============================  ====================================================
the state machine      `EngineSession.start`          only `_run` ever touches it (one writer)
inbox, outbox          `EngineSession.start`          bounded; emptied when the session ends
`_run` task            `EngineSession.start`          `close`, or itself when the machine says `Close`
listener task          the first `Listen`             `_run` on its way out
work tasks             `Recognise`, `Generate`, …     a cancelling effect, or `_run` on its way out
=====================  =============================  ====================================================

Back-pressure runs the whole way: a client that sends faster than the models hear waits in `send`; a client
that does not read fills its outbox, and its own session, nobody else's, waits.

What is done later than real time allows is told to ``on_late``, in seconds: audio that is heard later than it came,
a turn whose words take longer than it lasted, and speech that comes when what came before has been played.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vivavoce.audio.pcm import from_pcm16, to_pcm16
from vivavoce.audio.resample import Resampler, resample
from vivavoce.engine.models.protocols import (
    MODEL_RATE,
    ArgumentsDelta,
    CallStarted,
    EndOfTurn,
    Finished,
    LanguageModel,
    Prompt,
    Recogniser,
    Samples,
    Synthesiser,
    TextDelta,
    VoiceActivity,
)
from vivavoce.engine.pace import Playhead
from vivavoce.engine.session import effects, inputs
from vivavoce.engine.session.machine import WIRE_RATE, Session
from vivavoce.errors import ConnectionLost, ModelError
from vivavoce.protocol.codec import encode

__all__ = ["INBOX_LIMIT", "OUTBOX_LIMIT", "EngineSession", "Models"]

INBOX_LIMIT = 64
"""Events of the client under way; at 40 ms of audio each, 2.5 s. As many answers of models may wait beside them."""

OUTBOX_LIMIT = 512
"""Events waiting for the client; at 200 ms of audio each, more than a minute and a half of speech."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Models:
    """The models that every session shares."""

    voice_activity: VoiceActivity
    end_of_turn: EndOfTurn
    recogniser: Recogniser
    language_model: LanguageModel
    synthesiser: Synthesiser


class EngineSession:
    """One session of the engine, as a transport: client events go in, server events come out.

    It has the three methods that a connection to any Realtime endpoint has, so a client in this process needs
    no socket.
    """

    def __init__(
        self,
        machine: Session,
        models: Models,
        *,
        lifetime: float,
        on_end: Callable[["EngineSession"], None] = lambda _: None,
        on_late: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._on_end = on_end
        self._on_late = on_late
        self._machine = machine
        self._models = models
        self._lifetime = lifetime
        # A client's event holds its place until it is dealt with and, if it was audio, until that was heard. So the
        # queue of what is to be heard needs no limit of its own, and `_run` never waits for the detector, which in
        # turn may be waiting for `_run`.
        self._places = asyncio.Semaphore(INBOX_LIMIT)
        self._inbox: asyncio.Queue[str | bytes | inputs.ModelAnswer | inputs.Expired] = asyncio.Queue(
            2 * INBOX_LIMIT
        )
        self._outbox: asyncio.Queue[bytes | None] = asyncio.Queue(OUTBOX_LIMIT)
        self._work: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._clauses: dict[int, asyncio.Queue[effects.Synthesise]] = {}
        self._heard: asyncio.Queue[tuple[float, effects.Listen]] = asyncio.Queue()
        self._runner: asyncio.Task[None] | None = None
        self._closed: tuple[int, str] | None = None
        self._releasing = False

    def start(self) -> None:
        """Begin the session; ``session.created`` is the first thing that `receive` returns."""
        self._runner = asyncio.create_task(self._run(), name="engine session")

    async def send(self, data: str | bytes) -> None:
        """Take one client event, as JSON. Waits while the session is busy. Raises `ConnectionLost` once it is over."""
        await self._places.acquire()
        if self._closed is not None:
            self._places.release()  # for the next one who waits
            raise ConnectionLost(*self._closed)
        await self._inbox.put(data)

    async def receive(self) -> bytes:
        """Return the next server event, as JSON. Raises `ConnectionLost` when there will be no more."""
        if self._closed is not None and self._outbox.empty():
            raise ConnectionLost(*self._closed)
        data = await self._outbox.get()
        if data is None:
            raise ConnectionLost(*(self._closed or (1000, "")))
        return data

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the session and free what it holds. Closing twice does nothing more."""
        if self._closed is None:
            self._closed = (code, reason)
        if self._runner is not None and not self._runner.done():
            if not self._releasing:  # it would leave half of what it holds
                self._runner.cancel()
            await asyncio.wait([self._runner])
            if not self._releasing:  # it was cancelled before it began
                await self._release()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        expiry = loop.call_later(
            self._lifetime, lambda: self._spawn(("expire", 0), self._inbox.put(inputs.Expired()))
        )
        try:
            await self._perform(self._machine.begin())
            while self._closed is None:
                given = await self._inbox.get()
                asked = self._machine.take(given)
                await self._perform(asked)
                if isinstance(given, (str, bytes)) and not _to_be_heard(asked):
                    self._places.release()
        except asyncio.CancelledError:
            if self._closed is None:
                raise
        except Exception:  # noqa: BLE001 - a defect ends this session, and no other
            _log.exception("a session failed")
            self._closed = (1011, "The session failed; this is a defect of the server.")
        finally:
            expiry.cancel()
            await self._release()

    async def _release(self) -> None:
        self._releasing = True
        tasks = list(self._work.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        while not self._inbox.empty():  # frees a sender that waits in put
            self._inbox.get_nowait()
        self._places.release()
        if not self._outbox.full():
            self._outbox.put_nowait(None)
        self._on_end(self)

    async def _perform(self, asked: list[effects.Effect]) -> None:
        for effect in asked:
            match effect:
                case effects.Send(event):
                    await self._outbox.put(encode(event))
                case effects.Listen():
                    if ("listen", 0) not in self._work:
                        self._spawn(("listen", 0), self._listen())
                    self._heard.put_nowait((_now(), effect))
                case effects.Recognise(utterance=number):
                    self._spawn(("final" if effect.final else "partial", number), self._recognise(effect))
                case effects.Judge(utterance=number):
                    self._spawn(("judge", number), self._judge(effect))
                case effects.CancelRecognition(number):
                    self._cancel(("final", number), ("partial", number), ("judge", number))
                case effects.Prepare(prompt):
                    self._cancel(("prepare", 0))
                    self._spawn(("prepare", 0), self._prepare(prompt))
                case effects.Generate(generation=number):
                    self._cancel(("prepare", 0))
                    self._spawn(("generate", number), self._generate(effect))
                case effects.Synthesise(generation=number):
                    self._speak(number, effect)
                case effects.EndGeneration(number):
                    self._cancel(("generate", number), ("speak", number))
                    self._clauses.pop(number, None)
                case effects.Close(code, reason):
                    self._closed = (code, reason)

    def _spawn(self, key: tuple[str, int], work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=f"engine {key[0]} {key[1]}")
        self._cancel(key)
        self._work[key] = task
        task.add_done_callback(lambda done: self._forget(key, done))

    def _forget(self, key: tuple[str, int], task: asyncio.Task[None]) -> None:
        if self._work.get(key) is task:
            del self._work[key]
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("the work %s of a session failed", key[0], exc_info=error)
            if self._runner is not None and key[0] == "listen" and self._closed is None:
                self._closed = (1011, f"Nothing can be heard any more: {error}")
                self._runner.cancel()

    def _cancel(self, *keys: tuple[str, int]) -> None:
        for key in keys:
            if (task := self._work.pop(key, None)) is not None:
                task.cancel()

    async def _listen(self) -> None:
        """Hand what was heard to the voice detector, in order; a new listening starts a new stream."""
        listening = -1
        while True:
            came_at, heard = await self._heard.get()
            if heard.listening != listening:
                listening = heard.listening
                resampler = Resampler(WIRE_RATE, MODEL_RATE)
                stream = self._models.voice_activity.open()
            if (
                len(heard.pcm) > WIRE_RATE
            ):  # no microphone's frame: minutes of audio take tens of milliseconds
                audio = await asyncio.to_thread(_resampled, resampler, heard.pcm)
            else:
                audio = _resampled(resampler, heard.pcm)
            probabilities = await stream.push(audio)
            self._places.release()
            self._on_late(_now() - came_at - len(heard.pcm) / WIRE_RATE)
            if probabilities:
                await self._inbox.put(inputs.VoiceHeard(listening, probabilities))

    async def _recognise(self, work: effects.Recognise) -> None:
        began = _now()
        audio = await asyncio.to_thread(_model_audio, work.pcm)
        try:
            transcription = await self._models.recogniser.transcribe(
                audio,
                language=work.language,
                prompt=work.prompt,
                effort="final" if work.final else "partial",
            )
        except ModelError as error:
            _log.warning("recognising speech failed: %s", error)
            failed = inputs.RecognitionFailed(work.utterance, len(work.pcm), work.final, str(error))
            await self._inbox.put(failed)
        else:
            if work.final:
                self._on_late(_now() - began - len(work.pcm) / WIRE_RATE)
            answer = inputs.Recognised(work.utterance, len(work.pcm), work.final, transcription)
            await self._inbox.put(answer)

    async def _judge(self, work: effects.Judge) -> None:
        audio = await asyncio.to_thread(_model_audio, work.pcm)
        try:
            probability = await self._models.end_of_turn.probability(audio, work.text)
        except ModelError as error:
            _log.warning("judging a pause failed: %s", error)
        else:
            await self._inbox.put(inputs.Judged(work.utterance, len(work.pcm), probability))

    async def _prepare(self, prompt: Prompt) -> None:
        try:
            await self._models.language_model.prepare(prompt)
        except ModelError as error:
            _log.warning("reading a prompt ahead failed: %s", error)

    async def _generate(self, work: effects.Generate) -> None:
        generating = self._models.language_model.generate(work.prompt, max_tokens=work.max_tokens)
        try:
            async with aclosing(generating):
                async for piece in generating:
                    match piece:
                        case TextDelta(text):
                            await self._inbox.put(inputs.TextGenerated(work.generation, text))
                        case CallStarted(name):
                            await self._inbox.put(inputs.CallStarted(work.generation, name))
                        case ArgumentsDelta(text):
                            await self._inbox.put(inputs.ArgumentsWritten(work.generation, text))
                        case Finished():
                            await self._inbox.put(inputs.GenerationFinished(work.generation, piece))
        except ModelError as error:
            _log.warning("writing an answer failed: %s", error)
            await self._inbox.put(inputs.GenerationFailed(work.generation, str(error)))

    def _speak(self, generation: int, clause: effects.Synthesise) -> None:
        if generation not in self._clauses:
            self._clauses[generation] = asyncio.Queue()  # bounded by the answer's max_tokens
            self._spawn(("speak", generation), self._synthesise(generation, self._clauses[generation]))
        self._clauses[generation].put_nowait(clause)

    async def _synthesise(self, generation: int, clauses: asyncio.Queue[effects.Synthesise]) -> None:
        """Speak the clauses of one generation, one after the other, until `EndGeneration`."""
        synthesiser = self._models.synthesiser
        playhead = Playhead()
        try:
            while True:
                clause = await clauses.get()
                spoken = synthesiser.synthesise(clause.text, voice=clause.voice, speed=clause.speed)
                async with aclosing(spoken):
                    async for pcm in _at_wire_rate(spoken, synthesiser.rate):
                        self._on_late(playhead.arrived(len(pcm) / WIRE_RATE, _now()))
                        await self._inbox.put(inputs.SpeechSynthesised(generation, clause.clause, pcm))
                await self._inbox.put(inputs.SpeechFinished(generation, clause.clause))
        except ModelError as error:
            _log.warning("speaking failed: %s", error)
            await self._inbox.put(inputs.GenerationFailed(generation, str(error)))


def _now() -> float:
    return asyncio.get_running_loop().time()


def _to_be_heard(asked: list[effects.Effect]) -> bool:
    return any(isinstance(effect, effects.Listen) for effect in asked)


def _resampled(resampler: Resampler, pcm: npt.NDArray[np.int16]) -> Samples:
    return resampler.push(from_pcm16(pcm))


def _model_audio(pcm: npt.NDArray[np.int16]) -> Samples:
    return resample(from_pcm16(pcm), WIRE_RATE, MODEL_RATE)


async def _at_wire_rate(
    spoken: AsyncGenerator[Samples, None], rate: int
) -> AsyncGenerator[npt.NDArray[np.int16], None]:
    resampler = Resampler(rate, WIRE_RATE) if rate != WIRE_RATE else None
    async for audio in spoken:
        yield to_pcm16(resampler.push(audio) if resampler else audio)
    if resampler:
        yield to_pcm16(resampler.flush())
