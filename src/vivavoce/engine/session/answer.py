"""A response, from ``response.created`` to ``response.done``: the events, in the order of the wire. Pure."""

from dataclasses import dataclass, field
from typing import Literal

from vivavoce.engine.models.protocols import ArgumentsDelta, CallStarted
from vivavoce.engine.session import wire
from vivavoce.engine.session.conversation import Entry
from vivavoce.engine.session.generation import Generation, Piece, Speech
from vivavoce.engine.session.output import CallOutput, Destination, MessageOutput
from vivavoce.engine.session.wanted import Wanted
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.responses import (
    Response,
    ResponseAudio,
    ResponseAudioOutput,
    ResponseStatusDetails,
    StatusReason,
)
from vivavoce.protocol.usage import Usage

__all__ = ["Answer"]

Status = Literal["completed", "cancelled", "incomplete", "failed"]

UNLIMITED = 2**31 - 1
"""What ``rate_limits.updated`` tells where there is no limit: the largest number that every client can hold."""


@dataclass
class Answer:
    """A response: a message, or calls of functions, or one after the other."""

    wanted: Wanted
    to: Destination
    conversation_id: str | None
    generation: Generation | None = None
    """None while words that it must answer are still being recognised."""
    status: Literal["in_progress"] | Status = "in_progress"
    heard: int = 0
    """Samples of the user's audio that it answers."""
    spoke: bool = False
    """Whether it has sent audio."""
    _outputs: list[MessageOutput | CallOutput] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The response's id."""
        return self.to.response_id

    def begin(self) -> None:
        """Send ``response.created``."""
        self.to.out.send(ev.ResponseCreated(response=self._response()))

    def writes(self, entry: Entry) -> bool:
        """Whether an item is of this response, and not yet finished."""
        return entry.status == "in_progress" and any(output.entry is entry for output in self._outputs)

    def flow(self) -> None:
        """Send what the generation has made since the last time."""
        if self.generation is None:
            return
        for piece in self.generation.take():
            self._write(piece)
        if self.generation.finished is not None and self.generation.finished.reason == "stop":
            self._close_what_is_written()

    def finish(self, status: Status, reason: StatusReason | None = None, failure: str | None = None) -> None:
        """Close what is open and send ``response.done``."""
        if status == "completed" and not self._outputs:
            self._message()  # an answer without a word still has its item
        self.status = status
        for output in self._outputs:
            if output.entry.status == "in_progress":
                output.close("completed" if status == "completed" else "incomplete")
        details = None if status == "completed" else wire.status_details(status, reason, failure)
        out = self.to.out
        out.send(ev.ResponseDone(response=self._response(details, self._usage())))
        limit = ev.RateLimit(name="tokens", limit=UNLIMITED, remaining=UNLIMITED, reset_seconds=0)
        out.send(ev.RateLimitsUpdated(rate_limits=[limit]))

    def _write(self, piece: Piece) -> None:
        match piece:
            case str():
                self._message().write(piece)
            case Speech():
                self._message().speak(piece)
                self.spoke = True
            case CallStarted(name):
                self._close_call()
                self._outputs.append(CallOutput(self.to, len(self._outputs), name))
            case ArgumentsDelta(text):
                call = self._outputs[-1]
                if isinstance(call, CallOutput) and text:
                    call.write(text)

    def _message(self) -> MessageOutput:
        for output in self._outputs:
            if isinstance(output, MessageOutput):
                return output
        spoken = self.wanted.audio_format if self.wanted.modality == "audio" else None
        message = MessageOutput(self.to, len(self._outputs), spoken=spoken)
        self._outputs.append(message)
        return message

    def _close_what_is_written(self) -> None:
        """End all but a message that is still being spoken: a client can start to work on a call meanwhile."""
        for output in self._outputs:
            whole = isinstance(output, CallOutput) or self.wanted.modality == "text"
            if whole and output.entry.status == "in_progress":
                output.close("completed")

    def _close_call(self) -> None:
        last = self._outputs[-1] if self._outputs else None
        if isinstance(last, CallOutput) and last.entry.status == "in_progress":
            last.close("completed")

    def _response(self, details: ResponseStatusDetails | None = None, usage: Usage | None = None) -> Response:
        wanted = self.wanted
        output = [] if self.status == "in_progress" else [wire.item(o.entry) for o in self._outputs]
        return Response(
            id=self.id,
            status=self.status,
            status_details=details,
            output=output,
            conversation_id=self.conversation_id,
            output_modalities=[wanted.modality],
            max_output_tokens=wanted.max_output_tokens,
            audio=ResponseAudio(output=ResponseAudioOutput(format=wanted.audio_format, voice=wanted.voice)),
            usage=usage,
            metadata=wanted.metadata,
        )

    def _usage(self) -> Usage:
        generation = self.generation
        spoken = sum(o.part.samples for o in self._outputs if isinstance(o, MessageOutput))
        if generation is None:
            return wire.token_usage(None, heard=0, written=0, spoken=0)
        return wire.token_usage(
            generation.finished, heard=self.heard, written=generation.written, spoken=spoken
        )
