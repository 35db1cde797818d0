"""The stage that measures a session: how long each part of a turn takes, what it uses, what goes wrong. Pure.

It looks at types and times, and reads only what comes a few times in a turn. Audio it wants to see until the first of
an answer has come, and no longer: then it passes unseen, and is counted where it passes.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, Protocol

from vivavoce.client.prices import price
from vivavoce.client.usage import Tokens, cost
from vivavoce.gateway.opening import Opening
from vivavoce.gateway.passage import Counts, Down, Effect, End, Stage, Up, Want
from vivavoce.protocol.codec import Frame
from vivavoce.protocol.server_events import (
    ConversationItemInputAudioTranscriptionCompleted,
    ErrorEvent,
    ResponseDone,
)
from vivavoce.protocol.usage import TranscriptionTokens

__all__ = ["Direction", "Measuring", "Part", "Sink"]

Direction = Literal["up", "down"]
Part = Literal["transcript", "response", "first_text", "first_audio"]
"""What is waited for, from the moment that the user's turn ended."""

_STOPPED: Final = "input_audio_buffer.speech_stopped"
_COMMITTED: Final = "input_audio_buffer.committed"
_TRANSCRIBED: Final = "conversation.item.input_audio_transcription.completed"
_AUDIO: Final = "response.output_audio.delta"
_TEXTS = frozenset({"response.output_text.delta", "response.output_audio_transcript.delta"})
_ALWAYS = frozenset({_STOPPED, _COMMITTED, _TRANSCRIBED, "response.created", "response.done", "error"})


class Sink(Protocol):
    """Who adds up the measurements of all sessions."""

    def began(self, opening: Opening) -> None:
        """Take word of a session that begins."""
        ...

    def passed(self, direction: Direction, kind: str, events: int) -> None:
        """Take so many more events of a type."""
        ...

    def took(self, part: Part, seconds: float) -> None:
        """Take how long somebody waited."""
        ...

    def answered(self, status: str) -> None:
        """Take word of a response that is done."""
        ...

    def used(self, model: str, tokens: Tokens, dollars: float | None) -> None:
        """Take what a response used, and cost where that is known."""
        ...

    def transcribed(self, model: str, tokens: int) -> None:
        """Take what writing down used."""
        ...

    def erred(self, code: str) -> None:
        """Take an ``error`` event."""
        ...

    def ended(self, opening: Opening, code: int) -> None:
        """Take word of a session that is over."""
        ...


class Measuring(Stage):
    """Measures one session. ``counts`` are those of its passage."""

    wants_up = frozenset({"response.create"})
    wants_down = _ALWAYS

    def __init__(self, opening: Opening, counts: Counts, sink: Sink) -> None:
        self._opening = opening
        self._sink = sink
        self._counts: tuple[tuple[Direction, Mapping[str, int], dict[str, int]], ...] = (
            ("up", counts.up, {}),
            ("down", counts.down, {}),
        )
        """For each direction what has passed, and how much of it has been told."""
        self._turn: float | None = None
        """When the user's last turn ended."""
        self._waiting: dict[Part, float] = {}
        """What has not come yet, and since when it is waited for."""
        sink.began(opening)

    def up(self, frame: Frame, now: float) -> Iterable[Effect]:
        """Note that an answer is asked for."""
        if self._turn is None:
            self._turn = now
        return (Up(frame),)

    def down(self, frame: Frame, now: float) -> Iterable[Effect]:
        """Note what has come."""
        yield Down(frame)
        before = self._wanted()
        self._note(frame, now)
        if self._wanted() != before:
            yield Want(self._wanted())

    def tick(self, now: float) -> Iterable[Effect]:  # noqa: ARG002 - counts have no time
        """Tell how much has passed."""
        for direction, passed, told in self._counts:
            for kind, events in passed.items():
                if events > told.get(kind, 0):
                    self._sink.passed(direction, kind, events - told.get(kind, 0))
                    told[kind] = events
        return ()

    def ended(self, end: End, now: float) -> None:
        """Tell the rest."""
        self.tick(now)
        self._sink.ended(self._opening, end.code)

    def _wanted(self) -> frozenset[str]:
        texts = _TEXTS if "first_text" in self._waiting else frozenset()
        audio = frozenset({_AUDIO}) if "first_audio" in self._waiting else frozenset()
        return _ALWAYS | texts | audio

    def _note(self, frame: Frame, now: float) -> None:
        match frame.type:
            case "input_audio_buffer.speech_stopped":
                self._ended_turn(now)
            case "input_audio_buffer.committed" if self._turn is None:
                self._ended_turn(now)
            case "response.created":
                asked = now if self._turn is None else self._turn
                self._turn = None
                self._sink.took("response", now - asked)
                self._waiting["first_text"] = self._waiting["first_audio"] = asked
            case "response.output_audio.delta":
                self._came("first_audio", now)
            case "error" | "response.done" | "conversation.item.input_audio_transcription.completed":
                self._read(frame, now)
            case kind if kind in _TEXTS:
                self._came("first_text", now)

    def _ended_turn(self, now: float) -> None:
        self._turn = self._waiting["transcript"] = now

    def _came(self, part: Part, now: float) -> None:
        since = self._waiting.pop(part, None)
        if since is not None:
            self._sink.took(part, now - since)

    def _read(self, frame: Frame, now: float) -> None:
        model = self._opening.model
        match frame.server_event():
            case ErrorEvent(error=error):
                self._sink.erred(error.code or error.type)
            case ResponseDone(response=response):
                self._waiting.pop("first_text", None)
                self._waiting.pop("first_audio", None)
                self._sink.answered(response.status)
                if response.usage is not None:
                    tokens, found = Tokens(), price(model)
                    tokens.add(response.usage)
                    self._sink.used(model, tokens, None if found is None else cost(tokens, found))
            case ConversationItemInputAudioTranscriptionCompleted(usage=usage):
                self._came("transcript", now)
                if isinstance(usage, TranscriptionTokens):
                    self._sink.transcribed(model, usage.total_tokens)
