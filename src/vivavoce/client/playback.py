"""What has been received and what of it has been heard. Pure.

An interruption must tell the endpoint how much of an answer was heard: not what was sent to the speaker, and
never more than was received, which an endpoint would refuse.
"""

from collections.abc import Container
from dataclasses import dataclass

__all__ = ["Heard", "Place", "Playback"]

Place = tuple[str, int]
"""A content part: ``item_id`` and ``content_index``."""


@dataclass(frozen=True, slots=True)
class Heard:
    """How much of an item's audio has been heard: the fields of ``conversation.item.truncate``."""

    item_id: str
    content_index: int
    audio_end_ms: int


@dataclass(slots=True)
class _Piece:
    """What came of one content part in a row, as it stands in the queue to the speaker."""

    place: Place
    start: int
    """Samples that were received before it."""
    received: int = 0

    @property
    def end(self) -> int:
        return self.start + self.received


class Playback:
    """Keeps count of the audio between the endpoint and the ear, in samples at ``rate``.

    The speaker plays what it is given in order and says how many samples of it have been heard since it was last
    cleared; that one number, ``heard``, goes into all questions here.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._pieces: list[_Piece] = []
        self._forgotten = 0
        """Samples that were heard to their end, and still count for a speaker that was not cleared."""

    def receive(self, item_id: str, content_index: int, samples: int) -> None:
        """Note that so many more samples of this content part go to the speaker."""
        last = self._pieces[-1] if self._pieces else None
        if last is None or last.place != (item_id, content_index):
            last = _Piece((item_id, content_index), start=self.received)
            self._pieces.append(last)
        last.received += samples

    @property
    def received(self) -> int:
        """Samples given to the speaker since it was last cleared."""
        return self._pieces[-1].end if self._pieces else self._forgotten

    def playing(self, heard: int) -> Heard | None:
        """Return the content part that is being heard, and how much of it; None when all has been heard."""
        unheard = self._unheard(heard)
        return unheard[0] if unheard else None

    def heard_at(self, item_id: str, content_index: int, milliseconds: int) -> int | None:
        """Return what ``heard`` is when so much of a content part has been heard, and no more than was received.

        None where nothing is known of the part.
        """
        left, found = milliseconds * self.rate // 1000, None
        for piece in self._pieces:
            if piece.place == (item_id, content_index):
                found = piece.start + max(0, min(left, piece.received))
                left -= piece.received
                if left <= 0:
                    break
        return found

    def forget(self, heard: int) -> None:
        """Let go of what has been heard to its end, but for a part that came in pieces of which one has not."""
        unheard = {piece.place for piece in self._pieces if piece.end > heard}
        self._forgotten = self.received
        self._pieces = [piece for piece in self._pieces if piece.place in unheard]

    def interrupt(self, heard: int, growing: Container[Place] = ()) -> list[Heard]:
        """Return all that was received and not wholly heard; if there is anything, the speaker is to be cleared.

        Then its count begins anew, and so does this one; a speaker that has played everything just counts on.
        Parts that are ``growing`` are never wholly heard: more of them is on its way.
        """
        unheard = self._unheard(heard, growing)
        self._forgotten = 0 if unheard else self.received
        self._pieces.clear()
        return unheard

    def _unheard(self, heard: int, growing: Container[Place] = ()) -> list[Heard]:
        played: dict[Place, int] = {}
        unheard: set[Place] = set()
        for piece in self._pieces:
            played[piece.place] = played.get(piece.place, 0) + max(
                0, min(heard - piece.start, piece.received)
            )
            if heard < piece.end or piece.place in growing:
                unheard.add(piece.place)
        return [Heard(*place, played[place] * 1000 // self.rate) for place in played if place in unheard]
