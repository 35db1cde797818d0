"""The items of a response's output, each from ``response.output_item.added`` to ``response.output_item.done``. Pure.

Items of a response out of band (``conversation: "none"``) are only part of the response: the conversation and its
``conversation.item.*`` events know nothing of them.
"""

from dataclasses import dataclass, field
from typing import Literal

from vivavoce.audio import formats
from vivavoce.engine.session import wire
from vivavoce.engine.session.conversation import WIRE_RATE, Conversation, Entry, Part, Spoken
from vivavoce.engine.session.generation import Speech
from vivavoce.engine.session.outgoing import Outgoing
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.session import AudioFormat

__all__ = ["DELTA_SAMPLES", "CallOutput", "Destination", "MessageOutput"]

DELTA_SAMPLES = WIRE_RATE // 5
"""Samples in one audio delta: 200 ms, as the deltas of recorded sessions have, 12.8 kB in base64."""

Ended = Literal["completed", "incomplete"]


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the items of one response go; ``conversation`` is None for a response out of band."""

    response_id: str
    out: Outgoing
    conversation: Conversation | None

    def open(self, entry: Entry, index: int) -> None:
        """Announce an item of which there is nothing yet."""
        item = wire.item(entry)
        self.out.send(ev.ResponseOutputItemAdded(response_id=self.response_id, output_index=index, item=item))
        if self.conversation is not None:
            self.conversation.insert(entry)
            previous = self.conversation.previous(entry)
            self.out.send(ev.ConversationItemAdded(previous_item_id=previous, item=item))

    def close(self, entry: Entry, index: int) -> None:
        """Send an item as it is in the end."""
        item = wire.item(entry)
        if self.conversation is not None:
            previous = self.conversation.previous(entry)
            self.out.send(ev.ConversationItemDone(previous_item_id=previous, item=item))
        self.out.send(ev.ResponseOutputItemDone(response_id=self.response_id, output_index=index, item=item))


class MessageOutput:
    """A message: text, or speech, in the format ``spoken``, with its transcript."""

    def __init__(self, to: Destination, index: int, *, spoken: AudioFormat | None) -> None:
        self._to = to
        self._index = index
        self._encoder = formats.encoder(spoken.type) if spoken is not None else None
        self._text: list[str] = []
        self.part = Part("output_text" if spoken is None else "output_audio")
        self.entry = Entry(to.out.ids.item(), "message", role="assistant", status="in_progress")
        to.open(self.entry, index)
        self.entry.parts.append(self.part)
        to.out.send(ev.ResponseContentPartAdded(**self._place, part=wire.content_part(self.part)))

    def write(self, text: str) -> None:
        """Add text."""
        self._text.append(text)
        self.part.text = "".join(self._text)
        if self._encoder is not None:
            self._to.out.send(ev.ResponseOutputAudioTranscriptDelta(**self._place, delta=text))
        else:
            self._to.out.send(ev.ResponseOutputTextDelta(**self._place, delta=text))

    def speak(self, speech: Speech) -> None:
        """Add speech."""
        if self._encoder is None:
            return
        part = self.part
        if speech.text or not part.clauses:
            part.clauses.append(Spoken(speech.text, part.samples, part.samples))
        part.add_audio(speech.pcm)
        part.clauses[-1].end = part.samples
        for start in range(0, len(speech.pcm), DELTA_SAMPLES):
            self._send_audio(self._encoder.push(speech.pcm[start : start + DELTA_SAMPLES]))

    def close(self, status: Ended) -> None:
        """Say that this is all of it."""
        self.entry.status = status
        out, place, text = self._to.out, self._place, self.part.text or ""
        if self._encoder is not None:
            self._send_audio(self._encoder.flush())
            out.send(ev.ResponseOutputAudioDone(**place))
            out.send(ev.ResponseOutputAudioTranscriptDone(**place, transcript=text))
        else:
            out.send(ev.ResponseOutputTextDone(**place, text=text))
        out.send(ev.ResponseContentPartDone(**place, part=wire.content_part(self.part)))
        self._to.close(self.entry, self._index)

    def _send_audio(self, data: bytes) -> None:
        if data:
            delta = wire.base64_of(data)
            self._to.out.send(ev.ResponseOutputAudioDelta(**self._place, delta=delta))

    @property
    def _place(self) -> wire.Place:
        return {
            "response_id": self._to.response_id,
            "item_id": self.entry.id,
            "output_index": self._index,
            "content_index": 0,
        }


@dataclass
class CallOutput:
    """A call of a function, with its arguments as they are written."""

    to: Destination
    index: int
    name: str
    entry: Entry = field(init=False)

    def __post_init__(self) -> None:
        ids = self.to.out.ids
        self.entry = Entry(
            ids.item(), "function_call", status="in_progress", name=self.name, call_id=ids.call()
        )
        self.to.open(self.entry, self.index)

    def write(self, text: str) -> None:
        """Add to the arguments."""
        self.entry.arguments += text
        self.to.out.send(
            ev.ResponseFunctionCallArgumentsDelta(
                response_id=self.to.response_id,
                item_id=self.entry.id,
                output_index=self.index,
                call_id=self.entry.call_id,
                delta=text,
            )
        )

    def close(self, status: Ended) -> None:
        """Say that these are all the arguments."""
        entry = self.entry
        entry.status = status
        self.to.out.send(
            ev.ResponseFunctionCallArgumentsDone(
                response_id=self.to.response_id,
                item_id=entry.id,
                output_index=self.index,
                call_id=entry.call_id,
                name=entry.name,
                arguments=entry.arguments,
            )
        )
        self.to.close(entry, self.index)
