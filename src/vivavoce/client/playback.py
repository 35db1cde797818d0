"""What has been received and what of it has been heard. Pure.

An interruption must tell the endpoint how much of an answer was heard: not what was sent to the speaker, and
never more than was received, which an endpoint would refuse.
"""

from dataclasses import dataclass

__all__ = ["Heard", "Playback"]


@dataclass(frozen=True, slots=True)
class Heard:
    """How much of an item's audio has been heard: the fields of ``conversation.item.truncate``."""

    item_id: str
    content_index: int
    audio_end_ms: int


@dataclass(slots=True)
class _Piece:
    """One content part, as it stands in the queue to the speaker."""

    item_id: str
    content_index: int
    start: int
    """Samples that were received before it."""
    received: int = 0


class Playback:
    """Keeps count of the audio between the endpoint and the ear, in samples at ``rate``.

    The speaker plays what it is given in order and says how many samples of it have been heard since it was last
    cleared; that one number, ``heard``, goes into all questions here.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._pieces: list[_Piece] = []
        self._forgotten = 0
        """Samples that were heard to their end, and still count for a speaker that was not cleared."""

    def receive(self, item_id: str, content_index: int, samples: int) -> None:
        """Note that so many more samples of this content part go to the speaker."""
        last = self._pieces[-1] if self._pieces else None
        if last is None or (last.item_id, last.content_index) != (item_id, content_index):
            last = _Piece(item_id, content_index, start=self.received)
            self._pieces.append(last)
        last.received += samples

    @property
    def received(self) -> int:
        """Samples given to the speaker since it was last cleared."""
        return self._pieces[-1].start + self._pieces[-1].received if self._pieces else self._forgotten

    def playing(self, heard: int) -> Heard | None:
        """Return the content part that is being heard, and how much of it; None when all has been heard."""
        unheard = self._unheard(heard)
        return unheard[0] if unheard else None

    def interrupt(self, heard: int) -> list[Heard]:
        """Return all that was received and not wholly heard; if there is anything, the speaker is to be cleared.

        Then its count begins anew, and so does this one; a speaker that has played everything just counts on.
        """
        unheard = self._unheard(heard)
        self._forgotten = 0 if unheard else self.received
        self._pieces.clear()
        return unheard

    def _unheard(self, heard: int) -> list[Heard]:
        return [
            Heard(piece.item_id, piece.content_index, max(0, heard - piece.start) * 1000 // self._rate)
            for piece in self._pieces
            if heard < piece.start + piece.received
        ]
