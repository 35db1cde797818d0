"""One question, one answer: say it or write it to an endpoint, and measure the turn."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np

from vivavoce.audio.pcm import Samples, encode_pcm16, to_pcm16
from vivavoce.client.connection import NORMAL_CLOSURE
from vivavoce.client.conversation import ConversationItem
from vivavoce.client.latency import Stages, TurnLatency
from vivavoce.client.notices import Notice
from vivavoce.client.realtime import RealtimeClient
from vivavoce.client.streams import EventStream, StreamEvent
from vivavoce.errors import AudioFileError, ConnectionLost, ProtocolError, VivaVoceError
from vivavoce.protocol.codec import UnknownEvent
from vivavoce.protocol.responses import Response
from vivavoce.protocol.server_events import (
    ConversationItemInputAudioTranscriptionFailed,
    ErrorEvent,
    InputAudioBufferSpeechStarted,
    ResponseCreated,
    ResponseDone,
    ServerEvent,
)
from vivavoce.protocol.session import PCM_RATE

__all__ = ["Answer", "ask_aloud", "ask_in_writing"]

FRAME_SECONDS = 0.04
"""Audio in one ``input_audio_buffer.append``."""

PATIENCE_SECONDS = 5.0
"""Silence after the question in which an endpoint must begin to notice that there was speech."""

TRANSCRIPT_SECONDS = 3.0
"""How long after the answer a late transcript is waited for."""

STALL_SECONDS = 60.0
"""An endpoint that says nothing for so long has forgotten us."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, and how it came."""

    question: str
    """What the endpoint understood."""
    text: str
    """What it said, or wrote."""
    pcm: bytes
    """How it said it: PCM16 at 24 kHz."""
    stages: Stages
    turns: int
    """Turns that the endpoint made of the question; 0 when it was written."""
    status: str
    """The response's: completed, incomplete or cancelled."""


async def ask_aloud(client: RealtimeClient, question: Samples, speech_end: float) -> Answer:
    """Say a question to a session that detects turns, at the pace of speech, and wait for the answer.

    The client must keep audio, as PCM16. ``question`` is at 24 kHz; its speech ends after ``speech_end`` seconds, and
    from there the stages count. After it comes silence, as from a microphone in a quiet room. Raises `AudioFileError`
    when the endpoint hears no speech.
    """
    with _Turn(client) as turn:
        began = _now()
        turn.latency.anchor = began + speech_end
        saying = asyncio.create_task(_say(client, question, began, turn.said), name="say the question")
        try:
            response = await turn.answered()
        finally:
            saying.cancel()
            await asyncio.gather(saying, return_exceptions=True)
        await turn.transcribed()
        return turn.answer(response)


async def ask_in_writing(client: RealtimeClient, question: str) -> Answer:
    """Write a question, and wait for the answer. The stages count from the moment when it is asked."""
    with _Turn(client, said=True) as turn:
        turn.latency.anchor = _now()
        await client.send_text(question)
        return turn.answer(await turn.answered())


async def _say(client: RealtimeClient, question: Samples, began: float, said: Callable[[], None]) -> None:
    """Send a question in frames, each when a microphone would have had it, and then silence without end."""
    size = round(PCM_RATE * FRAME_SECONDS)
    pcm = encode_pcm16(to_pcm16(np.pad(question, (0, -len(question) % size))))
    frames = [pcm[start : start + size * 2] for start in range(0, len(pcm), size * 2)]
    for number in itertools.count():
        if number == len(frames):
            said()
        frame = frames[number] if number < len(frames) else bytes(size * 2)
        await asyncio.sleep(began + (number + 1) * FRAME_SECONDS - _now())
        await client.send_audio(frame)


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _next(events: EventStream) -> ServerEvent | UnknownEvent:
    """Return the next event; an ``error`` event is raised."""
    try:
        async with asyncio.timeout(STALL_SECONDS):
            event = await anext(events, None)
            while isinstance(event, Notice):
                event = await anext(events, None)
    except TimeoutError as error:
        raise VivaVoceError(f"The endpoint has said nothing for {STALL_SECONDS:g} s.") from error
    if event is None:
        raise ConnectionLost(NORMAL_CLOSURE)
    if isinstance(event, ErrorEvent):
        wrong = event.error
        raise ProtocolError(wrong.message, code=wrong.code, param=wrong.param, type=wrong.type)
    return event


class _Turn:
    """One question and its answer, as they go."""

    def __init__(self, client: RealtimeClient, *, said: bool = False) -> None:
        self.latency = TurnLatency()
        self._events = client.events()
        self._conversation = client.conversation
        self._stop_measuring = client.on("*", self._measure)
        self._response_id: str | None = None
        self._ended: Response | None = None
        self._said = said
        self._failure = ""
        self._patience = asyncio.timeout(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_measuring()

    def said(self) -> None:
        """Note that the question is out: from now on a response that ends is the answer."""
        self._said = True
        if self._ended is not None:
            self._patience.reschedule(_now())
        elif not self.latency.turns:
            self._patience.reschedule(_now() + PATIENCE_SECONDS)

    async def answered(self) -> Response:
        """Wait until the last response has ended. Raises `AudioFileError` when no speech is heard."""
        try:
            async with self._patience:
                while not (self._said and self._ended):
                    self._follow(await self._next())
        except TimeoutError as error:
            if self._ended is None and self._failure:
                raise VivaVoceError(
                    f"The endpoint could not recognise the question: {self._failure}"
                ) from error
            if self._ended is None:
                raise AudioFileError("The endpoint heard no speech in the question.") from error
        return self._ended

    def _follow(self, event: ServerEvent | UnknownEvent) -> None:
        match event:
            case ResponseCreated(response=response):
                self._response_id, self._ended = response.id, None
                self._patience.reschedule(None)
            case ConversationItemInputAudioTranscriptionFailed(error=wrong):
                self._failure = wrong.message or "no reason given"
                self._patience.reschedule(
                    _now() + PATIENCE_SECONDS
                )  # a model that hears for itself may answer yet
            case ResponseDone(response=response) if response.id == self._response_id:
                self._ended = response
            case InputAudioBufferSpeechStarted():  # the speaker goes on: the answer will be another
                self._response_id, self._ended = None, None
                if self._said:
                    self._patience.reschedule(None)

    async def transcribed(self) -> None:
        """Wait a little for the transcript of the question, which may come after the answer."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TRANSCRIPT_SECONDS):
                while not all(item.transcribed for item in self._asked()):
                    await self._next()

    def answer(self, response: Response) -> Answer:
        """Tell it all. Raises `VivaVoceError` when the response failed."""
        if response.status == "failed":
            failure = response.status_details.error if response.status_details else None
            raise VivaVoceError(
                f"The endpoint could not answer: {(failure and failure.message) or 'no reason given'}"
            )
        answers = [item for item in self._conversation.items if item.response_id == response.id]
        return Answer(
            question=" ".join(filter(None, (item.words.strip() for item in self._asked()))),
            text="".join(item.words for item in answers).strip(),
            pcm=b"".join(item.audio for item in answers),
            stages=self.latency.stages,
            turns=self.latency.turns,
            status=response.status,
        )

    def _asked(self) -> list[ConversationItem]:
        return [item for item in self._conversation.items if item.role == "user"]

    async def _next(self) -> ServerEvent | UnknownEvent:
        return await _next(self._events)

    def _measure(self, event: StreamEvent) -> None:
        if not isinstance(event, Notice):
            self.latency.feed(_now(), event)
