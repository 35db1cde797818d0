"""The stage that writes a session's history: it folds the events into the mirror, and tells what changed. Pure.

Audio is counted, never decoded, and deltas of text are only decoded when the session breaks off before their ``done``.
What changed is told once a second, so that an item that ten events speak of is written once.
"""

from collections.abc import Iterable
from itertools import chain
from typing import Any, Final, Protocol

from vivavoce.audio.formats import PCM, RATE, samples
from vivavoce.client.conversation import Conversation, ConversationItem
from vivavoce.gateway.history.answers import Answers
from vivavoce.gateway.history.changes import Change, Sink, clean, item_values, name, whole
from vivavoce.gateway.history.clock import Clock, milliseconds
from vivavoce.gateway.history.places import Places
from vivavoce.gateway.opening import Opening
from vivavoce.gateway.passage import Down, Effect, End, Stage, Up
from vivavoce.protocol import server_events as server
from vivavoce.protocol.codec import Frame, UnknownEvent
from vivavoce.protocol.session import RealtimeSession, Session
from vivavoce.protocol.sizes import APPENDED, SPOKEN, audio_size, item_of

__all__ = ["HistoryStage", "Recording"]

_APPEND: Final = "input_audio_buffer.append"
_AUDIO: Final = "response.output_audio.delta"
_LATE = frozenset(
    {
        "conversation.item.input_audio_transcription.delta",
        "response.function_call_arguments.delta",
        "response.mcp_call_arguments.delta",
        "response.output_audio_transcript.delta",
        "response.output_text.delta",
    }
)
"""Deltas that a ``done`` repeats."""

_REPEATING = frozenset(
    {
        "conversation.item.deleted",
        "conversation.item.input_audio_transcription.completed",
        "conversation.item.input_audio_transcription.failed",
        "response.function_call_arguments.done",
        "response.mcp_call_arguments.done",
        "response.output_audio_transcript.done",
        "response.output_text.done",
    }
)
"""The events that make them superfluous."""

MOST_MS = 2**27
"""The latest time that an endpoint may tell, and is believed."""

MOST_ITEMS = 16
"""Items that are kept in memory, the last, beside those that are still to be told."""

MOST_LATE = 4096
"""Deltas of one item that are kept unread, as many as an answer has tokens; then they are read."""


def _samples(ms: int) -> int:
    """Return a time that an endpoint tells in samples; a day and a half is beyond any session."""
    return max(0, min(ms, MOST_MS)) * RATE // 1000


class Recording(Protocol):
    """Where a session's audio goes. All positions are on the session's clock, in samples."""

    @property
    def name(self) -> str:
        """The name of its file."""
        ...

    def user(self, position: int, event: bytes, audio_format: str) -> None:
        """Take an ``input_audio_buffer.append``."""
        ...

    def assistant(self, position: int, event: bytes, audio_format: str) -> None:
        """Take a ``response.output_audio.delta``."""
        ...

    def cut(self, position: int) -> None:
        """Take note that nothing was heard of the assistant from here on."""
        ...

    def close(self) -> None:
        """Take note that there is no more."""
        ...


class HistoryStage(Stage):
    """One session's. Every change goes to ``sink``; audio to ``recording``, if there is one."""

    wants_up = frozenset({_APPEND, "response.create"})
    glances_up = frozenset({_APPEND})
    glances_down = frozenset({_AUDIO})
    wants_down = _LATE | {
        _AUDIO,
        "conversation.item.added",
        "conversation.item.created",
        "conversation.item.deleted",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.completed",
        "conversation.item.input_audio_transcription.failed",
        "conversation.item.truncated",
        "input_audio_buffer.cleared",
        "input_audio_buffer.committed",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.timeout_triggered",
        "output_audio_buffer.cleared",
        "response.created",
        "response.done",
        "response.function_call_arguments.done",
        "response.mcp_call_arguments.done",
        "response.output_audio_transcript.done",
        "response.output_item.added",
        "response.output_item.done",
        "response.output_text.done",
        "session.created",
        "session.updated",
    }

    def __init__(
        self,
        opening: Opening,
        sink: Sink,
        *,
        upstream: str = "",
        process: str = "",
        recording: Recording | None = None,
    ) -> None:
        self._opening = opening
        self._sink = sink
        self._recording = recording
        self._mirror = Conversation(keep_items=MOST_ITEMS)
        self._input_format = self._output_format = PCM
        self._late: dict[str, list[Frame]] = {}
        self._dirty: dict[str, ConversationItem] = {}
        self._clock: Clock | None = None
        self._zero = 0.0
        self._session: dict[str, Any] = {
            "user": name(opening.caller.user),
            "key_name": name(opening.caller.key),
            "group_name": name(opening.caller.group),
            "model": name(opening.model),
            "dialect": opening.dialect,
            "upstream": upstream,
            "process": process,
            "started_at": opening.started_at,
            "recording": recording.name if recording else None,
        }
        """What is to be told of the session."""
        self._answers = Answers(opening)
        self._places = Places(self._mirror)

    def saw_up(self, data: bytes, now: float) -> None:
        """Count what the user says."""
        clock = self._clock or self._begin(now)
        begin = clock.heard(now, samples(audio_size(data, APPENDED), self._input_format))
        if self._recording is not None:
            self._recording.user(begin, data, self._input_format)

    def saw_down(self, data: bytes, now: float) -> None:
        """Count what the assistant says."""
        self._speak(data, self._clock or self._begin(now), now)

    def up(self, frame: Frame, now: float) -> Iterable[Effect]:
        """Take note of what the user asks for."""
        if self._clock is None:
            self._begin(now)
        self._answers.asked(now)
        return (Up(frame),)

    def down(self, frame: Frame, now: float) -> Iterable[Effect]:
        """Take note of what the endpoint says."""
        clock = self._clock or self._begin(now)
        if frame.type in _LATE:
            late = self._late.setdefault(item_of(frame.data), [])
            late.append(frame)
            self._answers.began(now)
            if len(late) == MOST_LATE or len(self._late) > MOST_ITEMS:
                self._read_late()
        else:
            self._note(frame, clock, now)
        return (Down(frame),)

    def tick(self, now: float) -> Iterable[Effect]:
        """Tell what has changed."""
        if self._clock is not None:
            self._tell(now)
        return ()

    def ended(self, end: End, now: float) -> None:
        """Tell the rest, and how it ended."""
        clock = self._clock or self._begin(now)
        self._read_late()
        self._cut(clock.now(now), clock)
        self._answers.over(now - self._zero)
        self._session |= {
            "state": "ended",
            "ended_at": self._opening.started_at + now - self._zero,
            "close_code": end.code,
            "close_reason": clean(end.reason),
        }
        self._tell(now)
        if self._recording is not None:
            self._recording.close()

    def _begin(self, now: float) -> Clock:
        self._zero = now
        self._clock = Clock(now)
        self._session["state"] = "open"
        self._tell(now)
        return self._clock

    def _speak(self, event: bytes, clock: Clock, now: float) -> None:
        size = samples(audio_size(event, SPOKEN), self._output_format)
        item_id = item_of(event)
        begin = clock.spoken(now, size, first=not self._places.begun(item_id))
        self._places.spoken(item_id, begin, begin + size)
        self._answers.began(now, audio=True)
        if self._recording is not None:
            self._recording.assistant(begin, event, self._output_format)

    def _note(self, frame: Frame, clock: Clock, now: float) -> None:
        event = frame.server_event()
        item = self._mirror.fold(event)
        if frame.type in _REPEATING:
            self._late.pop(item_of(frame.data), None)
        match event:
            case server.SessionCreated(session=session) | server.SessionUpdated(session=session):
                self._configure(session)
            case server.ConversationItemTruncated(item_id=item_id, audio_end_ms=ms):
                self._cut_item(item_id, _samples(ms), clock)
            case server.ConversationItemDeleted(item_id=item_id):
                self._places.delete(item_id)
                if item is None:  # it went from memory long ago
                    key = self._opening.id, name(item_id)
                    self._sink(Change("items", *key, {"deleted": True}))
            case server.ConversationItemInputAudioTranscriptionCompleted(item_id=item_id, usage=usage):
                self._places.transcribed(item_id, usage)
            case _:
                self._note_input(event, clock, now)
                self._note_output(event, clock, now)
        if item is not None:
            self._places.seen(item.id, self._opening.started_at + now - self._zero)
            self._dirty[item.id] = item

    def _note_input(self, event: server.ServerEvent | UnknownEvent, clock: Clock, now: float) -> None:
        match event:
            case server.InputAudioBufferSpeechStarted(item_id=item_id, audio_start_ms=ms):
                self._places.heard(item_id, start=clock.user.position(_samples(ms)))
            case server.InputAudioBufferSpeechStopped(item_id=item_id, audio_end_ms=ms):
                self._places.heard(item_id, end=clock.user.position(_samples(ms)))
                self._answers.asked(now)
            case server.InputAudioBufferTimeoutTriggered(item_id=item_id):
                start, end = (
                    clock.user.position(_samples(ms)) for ms in (event.audio_start_ms, event.audio_end_ms)
                )
                self._places.heard(item_id, start=start, end=end)
            case server.InputAudioBufferCommitted(item_id=item_id):
                if self._places.committed(item_id, clock.user):
                    self._answers.asked(now)
            case server.InputAudioBufferCleared():
                self._places.cleared(clock.user)

    def _note_output(self, event: server.ServerEvent | UnknownEvent, clock: Clock, now: float) -> None:
        match event:
            case server.ResponseCreated(response=response):
                if response.audio is not None:
                    self._output_format = response.audio.output.format.type
                self._answers.created(response, now, now - self._zero)
            case server.ResponseDone(response=response):
                if response.status == "cancelled":
                    self._cut(clock.now(now), clock)
                self._answers.done(response, now - self._zero)
            case server.OutputAudioBufferCleared():
                self._cut(clock.now(now), clock)

    def _configure(self, session: Session) -> None:
        self._input_format = session.audio.input.format.type
        told: dict[str, Any] = {"type": session.type, "endpoint_session_id": name(session.id)}
        if isinstance(session, RealtimeSession):
            self._output_format = session.audio.output.format.type
            self._answers.model = told["model"] = name(session.model)
        self._session |= told

    def _cut_item(self, item_id: str, length: int, clock: Clock) -> None:
        position = self._places.cut_item(item_id, length)
        if position is not None:
            clock.cut(position)
            if self._recording is not None:
                self._recording.cut(position)

    def _cut(self, position: int, clock: Clock) -> None:
        """End what would still be heard at ``position``."""
        if clock.assistant.end > position:
            clock.cut(position)
            for item_id in self._places.cut(position):
                if (item := self._mirror.find(item_id)) is not None:
                    self._dirty[item_id] = item
            if self._recording is not None:
                self._recording.cut(position)

    def _read_late(self) -> None:
        late, self._late = self._late, {}
        for frame in chain.from_iterable(late.values()):
            item = self._mirror.fold(frame.server_event())
            if item is not None:
                self._dirty[item.id] = item

    def _tell(self, now: float) -> None:
        """Give all that has changed to the sink."""
        session_id = self._opening.id
        if self._clock is not None and self._session.get("state") == "ended":
            self._session |= {
                "audio_in_ms": whole(milliseconds(self._clock.user.total)),
                "audio_out_ms": whole(milliseconds(self._clock.assistant.total)),
            }
        if self._session:
            told, self._session = self._session, {}
            self._sink(Change("sessions", session_id, session_id, told))
        for response_id, values in self._answers.changed():
            self._sink(Change("responses", session_id, response_id, values))
        for item in self._dirty.values():
            if item.type:  # one that nothing but a transcript is known of may never come to be
                self._places.seen(item.id, self._opening.started_at + now - self._zero)
                values = item_values(item) | self._places.values(item)
                self._sink(Change("items", session_id, name(item.id), values))
        self._dirty.clear()
