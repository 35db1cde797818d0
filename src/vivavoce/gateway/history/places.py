"""Where the items of a session stand: in the conversation, and on its clock. Pure."""

from dataclasses import dataclass
from typing import Any

import msgspec

from vivavoce.client.conversation import Conversation, ConversationItem
from vivavoce.gateway.history.changes import whole
from vivavoce.gateway.history.clock import Track, milliseconds
from vivavoce.protocol.usage import TranscriptionUsage

__all__ = ["MOST_PLACES", "Places"]


MOST_PLACES = 64
"""Items that are remembered, the last; what changes before them is written no more."""


@dataclass(slots=True)
class _Place:
    position: float | None = None
    created_at: float | None = None
    start: int | None = None
    end: int | None = None
    usage: Any = None
    deleted: bool = False


class Places:
    """What is known of each item beside its content."""

    def __init__(self, mirror: Conversation) -> None:
        self._mirror = mirror
        self._places: dict[str, _Place] = {}
        self._last = 0.0
        self._uncommitted = 0
        """Where the input buffer begins, in samples ever appended."""

    def seen(self, item_id: str, at: float) -> None:
        """Take note of an item; ``at`` is when, in seconds since 1970."""
        place = self._place(item_id)
        if place.created_at is None:
            place.created_at = at

    def heard(self, item_id: str, *, start: int | None = None, end: int | None = None) -> None:
        """Take note of when the user said an item, in samples."""
        place = self._place(item_id)
        place.start = place.start if start is None else start
        place.end = place.end if end is None else end

    def committed(self, item_id: str, track: Track) -> bool:
        """Take note of a turn; tell whether the client ended it, rather than turn detection."""
        place = self._place(item_id)
        by_client = place.end is None
        if by_client:
            place.end = track.end
        if place.start is None:
            place.start = track.position(self._uncommitted)
        self._uncommitted = track.total
        return by_client

    def cleared(self, track: Track) -> None:
        """Take note that the input buffer is empty."""
        self._uncommitted = track.total

    def begun(self, item_id: str) -> bool:
        """Tell whether anything of an item has been heard."""
        place = self._places.get(item_id)
        return place is not None and place.start is not None

    def spoken(self, item_id: str, start: int, end: int) -> None:
        """Take note of more that the assistant says."""
        place = self._place(item_id)
        place.start = start if place.start is None else place.start
        place.end = end

    def cut_item(self, item_id: str, length: int) -> int | None:
        """Take note of how much of an item was heard, in samples; return where that ends, if it began."""
        place = self._place(item_id)
        if place.start is None:
            return None
        place.end = place.start + length
        return place.end

    def cut(self, position: int) -> list[str]:
        """Let everything end at ``position`` that would end later; return what does."""
        late = {key: place for key, place in self._places.items() if (place.end or 0) > position}
        for place in late.values():
            place.end = max(position, place.start or 0)
        return list(late)

    def transcribed(self, item_id: str, usage: TranscriptionUsage) -> None:
        """Take note of what a transcription took."""
        self._place(item_id).usage = msgspec.to_builtins(usage)

    def delete(self, item_id: str) -> None:
        """Take note that the conversation goes on without this item."""
        self._place(item_id).deleted = True

    def values(self, item: ConversationItem) -> dict[str, Any]:
        """Return the columns that say where an item stands."""
        place = self._place(item.id)
        return {
            "position": self._position(item.id, place),
            "created_at": place.created_at,
            "start_ms": None if place.start is None else whole(milliseconds(place.start)),
            "end_ms": None if place.end is None else whole(milliseconds(place.end)),
            "usage": place.usage,
            "deleted": place.deleted,
        }

    def _place(self, item_id: str) -> _Place:
        place = self._places.get(item_id)
        if place is None:
            if len(self._places) == MOST_PLACES:
                del self._places[next(iter(self._places))]
            place = self._places[item_id] = _Place()
        return place

    def _position(self, item_id: str, place: _Place) -> float:
        """Return a number between those of the neighbours, so that nothing else has to move."""
        if place.position is None:
            place.position = self._between(item_id)
            self._last = max(self._last, place.position)
        return place.position

    def _between(self, item_id: str) -> float:
        items = self._mirror.items
        index = next((at for at in range(len(items) - 1, -1, -1) if items[at].id == item_id), len(items))
        after = [self._known(item.id) for item in items[index + 1 :]]
        following = next((position for position in after if position is not None), None)
        if following is None:
            return self._last + 1
        before = [self._known(item.id) for item in items[:index]]
        previous = next((position for position in reversed(before) if position is not None), following - 2)
        return (previous + following) / 2

    def _known(self, item_id: str) -> float | None:
        place = self._places.get(item_id)
        return None if place is None else place.position
