"""All turns of a session and how long each took, from the events of both directions. Pure: times are passed in."""

import base64
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from vivavoce.audio import formats
from vivavoce.audio.endpointing import acoustic_end
from vivavoce.audio.pcm import Pcm, from_pcm16
from vivavoce.client.conversation import Conversation
from vivavoce.client.frames import Direction
from vivavoce.client.latency import Stages
from vivavoce.errors import AudioError, ProtocolError
from vivavoce.protocol import server_events as server
from vivavoce.protocol.codec import UnknownEvent, decode_server_event
from vivavoce.protocol.items import MessageItem
from vivavoce.protocol.session import RealtimeSession

__all__ = ["LONGEST_SECONDS", "TurnTimes", "Turns"]

LONGEST_SECONDS = 120
"""Of what is said before a turn ends, so much is looked at to find out when the voice fell silent."""


@dataclass(frozen=True, slots=True)
class TurnTimes:
    """One response, what it answers, and how long each stage took."""

    question: str
    answer: str
    stages: Stages
    status: str
    """The response's; ``in_progress`` for one that has not ended."""


@dataclass(slots=True)
class _Turn:
    response_id: str
    item_id: str
    anchor: float
    times: dict[str, float] = field(default_factory=dict)
    status: str = "in_progress"

    def first(self, stage: str, t: float) -> None:
        self.times.setdefault(stage, t)


@dataclass(slots=True)
class _Asked:
    """What the next response answers."""

    item_id: str = ""
    anchor: float | None = None
    decided: float | None = None
    transcribed: float | None = None


class Turns:
    """Give it every event of a session, with the time of each in seconds on any one clock.

    A turn is a response. Its stages count from the acoustic end of the speech that it answers, as far as that was
    sent; of what was written, or is no answer to anything new, from its ``response.create``.
    """

    def __init__(self) -> None:
        self._conversation = Conversation()
        self._turns: list[_Turn] = []
        self._asked = _Asked()
        self._speech = _Speech()

    @property
    def turns(self) -> list[TurnTimes]:
        """All turns so far."""
        return [
            TurnTimes(
                question=self._words(turn.item_id),
                answer=" ".join(
                    item.words.strip()
                    for item in self._conversation.items
                    if item.response_id == turn.response_id and item.words
                ),
                stages=Stages(**{name: (t - turn.anchor) * 1000 for name, t in turn.times.items()}),
                status=turn.status,
            )
            for turn in self._turns
        ]

    def feed(self, t: float, direction: Direction, data: bytes | str) -> None:
        """Take an event; what is none is passed over."""
        try:
            if direction == "C":
                self._sent(t, msgspec.json.decode(data))
            else:
                self._received(t, decode_server_event(data))
        except (msgspec.DecodeError, UnicodeError, ProtocolError):
            return

    def _sent(self, t: float, event: dict[str, Any]) -> None:
        match event:
            case {"type": "input_audio_buffer.append", "audio": str(audio)}:
                self._speech.add(t, audio)
            case {"type": "conversation.item.create", "item": {"role": "user", **item}}:
                self._asked = _Asked(str(item.get("id") or ""))
            case {"type": "response.create"} if self._asked.anchor is None:
                self._asked.anchor = t

    def _received(self, t: float, event: server.ServerEvent | UnknownEvent) -> None:
        self._conversation.fold(event)
        match event:
            case server.SessionCreated(session=session) | server.SessionUpdated(session=session):
                if isinstance(session, RealtimeSession):
                    self._speech.follow(session.audio.input.format.type)
            case (
                server.InputAudioBufferSpeechStopped(item_id=item_id)
                | server.InputAudioBufferCommitted(item_id=item_id)
            ):
                if item_id != self._asked.item_id:
                    self._asked = _Asked(item_id, self._speech.end(t), decided=t)
            case server.ConversationItemAdded(item=MessageItem(role="user", id=item_id)):
                self._asked.item_id = self._asked.item_id or item_id
            case server.ConversationItemInputAudioTranscriptionCompleted(item_id=item_id):
                self._transcribed(t, item_id)
            case _:
                self._answered(t, event)

    def _answered(self, t: float, event: server.ServerEvent | UnknownEvent) -> None:
        match event:
            case server.ResponseCreated(response=response):
                self._begin(t, response.id)
            case server.ResponseDone(response=response):
                for turn in self._turns[-2:]:
                    if turn.response_id == response.id:
                        turn.status = response.status
            case (
                server.ResponseOutputTextDelta(response_id=response_id)
                | server.ResponseOutputAudioTranscriptDelta(response_id=response_id)
            ):
                self._first(t, response_id, "first_text")
            case server.ResponseOutputAudioDelta(response_id=response_id):
                self._first(t, response_id, "first_audio")

    def _first(self, t: float, response_id: str, stage: str) -> None:
        if self._turns and self._turns[-1].response_id == response_id:
            self._turns[-1].first(stage, t)

    def _transcribed(self, t: float, item_id: str) -> None:
        if item_id == self._asked.item_id:
            self._asked.transcribed = t
        for turn in self._turns[-2:]:  # a transcript may be late, but not for long
            if turn.item_id == item_id:
                turn.first("transcript_final", t)

    def _begin(self, t: float, response_id: str) -> None:
        asked, self._asked = self._asked, _Asked()
        turn = _Turn(response_id, asked.item_id, asked.anchor if asked.anchor is not None else t)
        if asked.decided is not None:
            turn.first("turn_decided", asked.decided)
        if asked.transcribed is not None:
            turn.first("transcript_final", asked.transcribed)
        self._turns.append(turn)

    def _words(self, item_id: str) -> str:
        item = self._conversation.find(item_id)
        return item.words.strip() if item is not None else ""


class _Speech:
    """What was sent since the last turn ended."""

    def __init__(self) -> None:
        self._format = formats.PCM
        self._decoder = formats.decoder(formats.PCM)
        self._frames: deque[tuple[float, Pcm]] = deque()
        self._samples = 0

    def follow(self, name: str) -> None:
        if name != self._format:
            self._format, self._decoder = name, formats.decoder(name)

    def add(self, t: float, audio: str) -> None:
        try:
            pcm = self._decoder.push(base64.b64decode(audio))
        except (ValueError, AudioError):
            return
        self._frames.append((t, pcm))
        self._samples += len(pcm)
        while self._samples > LONGEST_SECONDS * formats.RATE:
            self._samples -= len(self._frames.popleft()[1])

    def end(self, t: float) -> float:
        """Return when the voice fell silent, or ``t`` if it cannot be told; what comes now is the next turn."""
        frames, self._frames, self._samples = self._frames, deque(), 0
        pcm = np.concatenate([pcm for _, pcm in frames]) if frames else np.empty(0, np.int16)
        seconds = acoustic_end(from_pcm16(pcm), formats.RATE)
        if seconds is None:
            return t
        at = 0.0
        for sent, pcm in frames:
            at += len(pcm) / formats.RATE
            if at >= seconds:
                return sent - (at - seconds)  # a frame is sent when its last sample has been spoken
        return t
