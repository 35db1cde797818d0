"""What an agent does and has done, over all its sessions: for sensors and events."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .const import LOGGER
from .vivavoce.client import RealtimeClient
from .vivavoce.client.usage import UsageMeter
from .vivavoce.protocol import server_events as server
from .vivavoce.protocol.items import MessageItem, OutputAudio, OutputText
from .vivavoce.protocol.responses import Response

__all__ = ["Activity", "Happening"]


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened in a turn; ``kind`` is one of `Activity.KINDS`."""

    kind: str
    facts: dict[str, Any]


def _nothing() -> None:
    """Tell nobody."""


@dataclass(eq=False, slots=True)
class Activity:
    """Is told the events of every session of an agent."""

    KINDS = (
        "turn_started",
        "turn_ended",
        "response_started",
        "response_done",
        "response_failed",
        "interrupted",
    )

    model: str | None
    usage: UsageMeter = field(default_factory=UsageMeter)
    first_audio_ms: float | None = None
    """From the end of the last spoken turn to the first sound of its answer."""
    changed: Callable[[], None] = _nothing
    _listeners: list[Callable[[Happening], None]] = field(default_factory=list)
    _open: set[int] = field(default_factory=set)
    _listening: set[int] = field(default_factory=set)
    _processing: dict[str, int] = field(default_factory=dict)
    """Ids of responses, and the session of each."""
    _speaking: dict[str, int] = field(default_factory=dict)
    _spoke_at: dict[int, float] = field(default_factory=dict)

    @property
    def connected(self) -> bool:
        """Whether there is a session."""
        return bool(self._open)

    @property
    def listening(self) -> bool:
        """Whether somebody is being heard."""
        return bool(self._listening)

    @property
    def processing(self) -> bool:
        """Whether an answer is being thought of."""
        return bool(self._processing)

    @property
    def speaking(self) -> bool:
        """Whether an answer is being given."""
        return bool(self._speaking)

    @property
    def cost(self) -> float | None:
        """US dollars so far; None where the prices of the model are unknown."""
        return self.usage.cost(self.model) if self.model else None

    def listen(self, listener: Callable[[Happening], None]) -> Callable[[], None]:
        """Call a listener with what happens; what is returned takes it off again."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def follow(self, client: RealtimeClient) -> None:
        """Follow a session from its beginning."""
        client.on("*", lambda event: self._fold(id(client), event))

    def begin_turn(self, key: int) -> None:
        """Note that somebody is being heard."""
        if key not in self._listening:
            self._listening.add(key)
            self._tell("turn_started")
            self.changed()

    def end_turn(self, key: int) -> None:
        """Note that nobody is any more."""
        if key in self._listening:
            self._listening.discard(key)
            self._spoke_at[key] = time.monotonic()
            self.changed()

    def close(self, client: RealtimeClient) -> None:
        """Note that a session is over."""
        key = id(client)
        self._open.discard(key)
        self._listening.discard(key)
        self._spoke_at.pop(key, None)
        for responses in (self._processing, self._speaking):
            for response_id in [one for one, session in responses.items() if session == key]:
                del responses[response_id]
        self.changed()

    def _fold(self, key: int, event: Any) -> None:
        match event:
            case server.SessionCreated(session=session):
                LOGGER.debug("Session created: %s", session.id)
                self.model = self.model or getattr(session, "model", None)
                self._open.add(key)
            case server.InputAudioBufferSpeechStarted():
                self.begin_turn(key)
            case server.InputAudioBufferSpeechStopped() | server.InputAudioBufferCommitted():
                self.end_turn(key)
            case server.ConversationItemInputAudioTranscriptionCompleted(transcript=words):
                self._tell("turn_ended", transcript=words)
            case server.ResponseCreated(response=response):
                self._processing[response.id] = key
                self._tell("response_started", response_id=response.id)
            case (
                server.ResponseOutputAudioDelta()
                | server.ResponseOutputTextDelta()
                | server.OutputAudioBufferStarted()
            ):
                if not self._begun(key, event):
                    return
            case server.ResponseDone(response=response):
                self._done(response)
            case server.ErrorEvent(error=error):
                LOGGER.error("API Error: %s", error.message)
                return
            case _ if event.type == "connection.lost":
                self._open.discard(key)
            case _ if event.type in {"session.updated", "state_restored"}:  # beside a call, none is created
                self._open.add(key)
            case _:
                return
        self.changed()

    def _begun(
        self,
        key: int,
        event: server.ResponseOutputAudioDelta
        | server.ResponseOutputTextDelta
        | server.OutputAudioBufferStarted,
    ) -> bool:
        if event.response_id in self._speaking:
            return False
        self._processing.pop(event.response_id, None)
        self._speaking[event.response_id] = key
        if not isinstance(event, server.ResponseOutputTextDelta) and (since := self._spoke_at.pop(key, None)):
            self.first_audio_ms = (time.monotonic() - since) * 1000
        return True

    def _done(self, response: Response) -> None:
        self._processing.pop(response.id, None)
        self._speaking.pop(response.id, None)
        self.usage.add(response.usage)
        kind = {"failed": "response_failed", "cancelled": "interrupted"}.get(response.status, "response_done")
        self._tell(kind, response_id=response.id, status=response.status, response=_words(response))

    def _tell(self, kind: str, **facts: Any) -> None:
        for listener in list(self._listeners):
            listener(Happening(kind, facts))


def _words(response: Response) -> str:
    """Return what was written and said in a response."""
    parts = [part for item in response.output if isinstance(item, MessageItem) for part in item.content]
    return "".join(
        part.text if isinstance(part, OutputText) else part.transcript or ""
        for part in parts
        if isinstance(part, OutputText | OutputAudio)
    )
