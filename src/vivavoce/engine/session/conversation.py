"""The conversation as the engine keeps it: items in order, with what was spoken and what was heard of it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from vivavoce.protocol.errors import (
    audio_already_shorter,
    item_create_invalid_previous_item_id,
    item_delete_invalid_item_id,
    item_retrieve_invalid_item_id,
    item_truncate_invalid_item_id,
    only_output_audio_can_be_truncated,
)

__all__ = ["AUDIO_KEPT_S", "ITEMS_KEPT", "WIRE_RATE", "Conversation", "Entry", "Part", "Spoken"]

WIRE_RATE = 24_000
"""Samples per second of every audio inside a session."""

ITEMS_KEPT = 1000
"""Items of one conversation; the oldest make room for new ones."""

AUDIO_KEPT_S = 600
"""Seconds of audio that a conversation keeps for retrieve and truncate, 29 MB; its words stay."""

Pcm = npt.NDArray[np.int16]


@dataclass(slots=True)
class Spoken:
    """A clause of an answer and the audio that speaks it, in samples of the item's audio."""

    text: str
    start: int
    end: int


@dataclass(slots=True, eq=False)
class Part:
    """One content part of a message."""

    kind: Literal["input_text", "input_audio", "output_text", "output_audio"]
    text: str | None = ""
    """The words: text, or the transcript of audio; None while nobody knows them."""
    audio: list[Pcm] = field(default_factory=list)
    samples: int = 0
    """Samples of audio that this part has had, whether they are still kept or not."""
    clauses: list[Spoken] = field(default_factory=list)

    def add_audio(self, pcm: Pcm) -> None:
        """Append audio."""
        self.audio.append(pcm)
        self.samples += len(pcm)

    def pcm(self) -> Pcm:
        """Return the audio that is kept, as one array."""
        return np.concatenate(self.audio) if self.audio else np.empty(0, np.int16)

    def truncate(self, samples: int) -> None:
        """Forget what lies behind ``samples``: the audio, and the words that were not heard to their end."""
        self.text = "".join(_heard(clause, samples) for clause in self.clauses).rstrip()
        self.clauses = [
            Spoken(c.text, c.start, min(c.end, samples)) for c in self.clauses if c.start < samples
        ]
        self.audio = [self.pcm()[:samples]] if self.audio else []
        self.samples = samples


def _heard(clause: Spoken, samples: int) -> str:
    """Return the words of a clause that were spoken before ``samples``, taking its words as evenly spread."""
    if samples >= clause.end:
        return clause.text
    if samples <= clause.start:
        return ""
    fraction = (samples - clause.start) / (clause.end - clause.start)
    head = clause.text[: int(len(clause.text) * fraction)]
    return head[: head.rfind(" ") + 1]  # half a word was not heard


@dataclass(slots=True, eq=False)
class Entry:
    """An item of the conversation."""

    id: str
    kind: Literal["message", "function_call", "function_call_output"]
    role: Literal["system", "user", "assistant"] | None = None
    status: Literal["in_progress", "completed", "incomplete"] = "completed"
    parts: list[Part] = field(default_factory=list)
    name: str = ""
    call_id: str = ""
    arguments: str = ""
    output: str = ""
    transcribing: bool = False
    """Whether its words are still being recognised."""
    aside: str = ""
    """What the model is told in place of words, as by the system, where there are none."""

    @property
    def text(self) -> str:
        """The words of all its parts."""
        return " ".join(part.text for part in self.parts if part.text)


class Conversation:
    """Items in their order."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, item_id: str) -> Entry | None:
        """Return the item with this id, if there is one."""
        return next((entry for entry in reversed(self._entries) if entry.id == item_id), None)

    def previous(self, entry: Entry) -> str | None:
        """Return the id of the item before, None for the first."""
        index = self._entries.index(entry)
        return self._entries[index - 1].id if index else None

    @property
    def last_id(self) -> str | None:
        """The id of the last item."""
        return self._entries[-1].id if self._entries else None

    def insert(self, entry: Entry, after: str | None = None) -> None:
        """Put an item behind another; ``None`` or "" is the end, "root" the beginning."""
        if not after:
            self._entries.append(entry)
        elif after == "root":
            self._entries.insert(0, entry)
        else:
            previous = self.find(after)
            if previous is None:
                raise item_create_invalid_previous_item_id(after)
            self._entries.insert(self._entries.index(previous) + 1, entry)

    @property
    def surplus(self) -> Entry | None:
        """The oldest item, when there are more than `ITEMS_KEPT`."""
        return self._entries[0] if len(self._entries) > ITEMS_KEPT else None

    def deletable(self, item_id: str) -> Entry:
        """Return the item to delete."""
        entry = self.find(item_id)
        if entry is None:
            raise item_delete_invalid_item_id(item_id)
        return entry

    def remove(self, entry: Entry) -> None:
        """Take an item out."""
        self._entries.remove(entry)

    def retrieve(self, item_id: str) -> Entry:
        """Return an item."""
        entry = self.find(item_id)
        if entry is None:
            raise item_retrieve_invalid_item_id(item_id)
        return entry

    def truncate(self, item_id: str, content_index: int, audio_end_ms: int) -> None:
        """Cut an answer to what was heard of it."""
        entry = self.find(item_id)
        if entry is None:
            raise item_truncate_invalid_item_id(item_id)
        part = entry.parts[content_index] if 0 <= content_index < len(entry.parts) else None
        if part is None or part.kind != "output_audio":
            raise only_output_audio_can_be_truncated()
        samples = audio_end_ms * WIRE_RATE // 1000
        if samples > part.samples:
            raise audio_already_shorter(part.samples * 1000 // WIRE_RATE, audio_end_ms)
        part.truncate(samples)

    def forget_old_audio(self) -> None:
        """Let go of the oldest audio beyond `AUDIO_KEPT_S`."""
        kept = 0
        for entry in reversed(self._entries):
            for part in entry.parts:
                kept += sum(map(len, part.audio))
                if kept > AUDIO_KEPT_S * WIRE_RATE:
                    part.audio.clear()
