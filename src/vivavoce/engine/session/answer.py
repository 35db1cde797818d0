"""A response, from ``response.created`` to ``response.done``: the events, in the order of the wire. Pure."""

from dataclasses import dataclass, field
from typing import Literal

from vivavoce.engine.session import wire
from vivavoce.engine.session.conversation import WIRE_RATE, Conversation, Entry, Part, Spoken
from vivavoce.engine.session.generation import Generation, Piece, Plan, Speech
from vivavoce.engine.session.outgoing import Outgoing
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.responses import (
    Response,
    ResponseAudio,
    ResponseAudioOutput,
    ResponseStatusDetails,
    StatusReason,
)
from vivavoce.protocol.session import AudioFormat, Modality
from vivavoce.protocol.usage import Usage

__all__ = ["DELTA_SAMPLES", "Answer", "Settings"]

DELTA_SAMPLES = WIRE_RATE // 5
"""Samples in one audio delta: 200 ms, as the deltas of recorded sessions have, 12.8 kB in base64."""

Status = Literal["completed", "cancelled", "incomplete", "failed"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a response says of itself besides its output."""

    modality: Modality
    voice: str
    audio_format: AudioFormat
    max_output_tokens: int | Literal["inf"]
    metadata: dict[str, str] | None = None


@dataclass
class Answer:
    """A response of the default conversation and the one message that it writes."""

    id: str
    settings: Settings
    conversation_id: str
    out: Outgoing
    conversation: Conversation
    plan: Plan | None = None
    """None while words that it must answer are still being recognised."""
    generation: Generation | None = None
    entry: Entry | None = None
    status: Literal["in_progress"] | Status = "in_progress"
    _text: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Send ``response.created``."""
        self.out.send(ev.ResponseCreated(response=self._response()))

    def flow(self) -> None:
        """Send what the generation has made since the last time."""
        if self.generation is not None:
            for piece in self.generation.take():
                self._write(piece)

    def finish(self, status: Status, reason: StatusReason | None = None, failure: str | None = None) -> None:
        """Close what is open and send ``response.done``."""
        if status == "completed":
            self._open()  # an answer without a word still has its item
        self.status = status
        if self.entry is not None:
            self.entry.status = "completed" if status == "completed" else "incomplete"
            self._close(self.entry)
        details = None if status == "completed" else wire.status_details(status, reason, failure)
        self.out.send(ev.ResponseDone(response=self._response(details, self._usage())))
        self.out.send(ev.RateLimitsUpdated(rate_limits=[]))

    @property
    def _spoken(self) -> bool:
        return self.settings.modality == "audio"

    def _open(self) -> Entry:
        if self.entry is not None:
            return self.entry
        part = Part("output_audio" if self._spoken else "output_text")
        entry = Entry(self.out.ids.item(), "message", role="assistant", status="in_progress")
        self.entry = entry
        self.conversation.insert(entry)
        item = wire.item(entry)
        self.out.send(ev.ResponseOutputItemAdded(response_id=self.id, output_index=0, item=item))
        previous = self.conversation.previous(entry)
        self.out.send(ev.ConversationItemAdded(previous_item_id=previous, item=item))
        entry.parts.append(part)
        self.out.send(ev.ResponseContentPartAdded(**self._place(entry), part=wire.content_part(part)))
        return entry

    def _write(self, piece: Piece) -> None:
        entry = self._open()
        part = entry.parts[0]
        if isinstance(piece, Speech):
            self._write_speech(entry, part, piece)
            return
        self._text.append(piece)
        part.text = "".join(self._text)
        if self._spoken:
            self.out.send(ev.ResponseOutputAudioTranscriptDelta(**self._place(entry), delta=piece))
        else:
            self.out.send(ev.ResponseOutputTextDelta(**self._place(entry), delta=piece))

    def _write_speech(self, entry: Entry, part: Part, speech: Speech) -> None:
        if speech.text or not part.clauses:
            part.clauses.append(Spoken(speech.text, part.samples, part.samples))
        part.add_audio(speech.pcm)
        part.clauses[-1].end = part.samples
        for start in range(0, len(speech.pcm), DELTA_SAMPLES):
            delta = wire.encode_audio(speech.pcm[start : start + DELTA_SAMPLES])
            self.out.send(ev.ResponseOutputAudioDelta(**self._place(entry), delta=delta))

    def _close(self, entry: Entry) -> None:
        place, part = self._place(entry), entry.parts[0]
        text = part.text or ""
        if self._spoken:
            self.out.send(ev.ResponseOutputAudioDone(**place))
            self.out.send(ev.ResponseOutputAudioTranscriptDone(**place, transcript=text))
        else:
            self.out.send(ev.ResponseOutputTextDone(**place, text=text))
        self.out.send(ev.ResponseContentPartDone(**place, part=wire.content_part(part)))
        item = wire.item(entry)
        self.out.send(ev.ConversationItemDone(previous_item_id=self.conversation.previous(entry), item=item))
        self.out.send(ev.ResponseOutputItemDone(response_id=self.id, output_index=0, item=item))

    def _place(self, entry: Entry) -> wire.Place:
        return {"response_id": self.id, "item_id": entry.id, "output_index": 0, "content_index": 0}

    def _response(self, details: ResponseStatusDetails | None = None, usage: Usage | None = None) -> Response:
        said = self.settings
        done = self.status != "in_progress" and self.entry is not None
        return Response(
            id=self.id,
            status=self.status,
            status_details=details,
            output=[wire.item(self.entry)] if done and self.entry is not None else [],
            conversation_id=self.conversation_id,
            output_modalities=[said.modality],
            max_output_tokens=said.max_output_tokens,
            audio=ResponseAudio(output=ResponseAudioOutput(format=said.audio_format, voice=said.voice)),
            usage=usage,
            metadata=said.metadata,
        )

    def _usage(self) -> Usage:
        finished = self.generation.finished if self.generation is not None else None
        return wire.token_usage(finished, self.entry.parts[0].samples if self.entry is not None else 0)
