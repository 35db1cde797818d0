"""What was said to a client and may not have arrived. Pure.

Every message has a number. A client's WebSocket answers a ping in its place, so what a pong repeats of it tells how far
the client has got, and any client there is does that by itself.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Delivery", "Said"]


@dataclass(frozen=True, slots=True)
class Said:
    """A message to the client."""

    data: bytes
    binary: bool = False


class Delivery:
    """Messages that are not known to have arrived, ``most_bytes`` of them at the most."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._kept: deque[Said] = deque()
        self._size = 0
        self._first = 0
        """The number of the first that is kept."""
        self.complete = True
        """Whether all that has not arrived is kept."""

    @classmethod
    def of(cls, most_bytes: int, kept: Iterable[Said], *, complete: bool) -> "Delivery":
        """Return one that has these messages, and lacks others unless it is ``complete``."""
        delivery = cls(most_bytes)
        delivery.complete = complete
        for said in kept:
            delivery.add(said)
        return delivery

    @property
    def kept(self) -> list[Said]:
        """All that is kept, the oldest first."""
        return list(self._kept)

    def has_room(self, size: int) -> bool:
        """Tell whether one more of so many bytes can be kept without losing another."""
        return not self._kept or self._size + size <= self._most_bytes

    @property
    def count(self) -> int:
        """How many messages there have been."""
        return self._first + len(self._kept)

    def add(self, said: Said) -> None:
        """Keep a message; where there is no room, the oldest is lost."""
        self._kept.append(said)
        self._size += len(said.data)
        while self._size > self._most_bytes and len(self._kept) > 1:
            self._forget()
            self.complete = False

    def arrived(self, count: int) -> None:
        """Take word that the first ``count`` messages have arrived."""
        while self._kept and self._first < count:
            self._forget()
        if self._first <= count:
            self.complete = True

    def after(self, event_id: str | None) -> int:
        """Return the number of the first message after the event of this id; of the first that is kept without one."""
        if event_id:
            mark = b'"event_id":"%s"' % event_id.encode(errors="replace")
            for number, said in enumerate(self._kept, self._first):
                if mark in said.data.replace(b'": "', b'":"'):
                    return number + 1
        return self._first

    def get(self, number: int) -> Said | None:
        """Return a message that is kept; None where there is none of this number yet."""
        return self._kept[number - self._first] if number < self.count else None

    def _forget(self) -> None:
        self._size -= len(self._kept.popleft().data)
        self._first += 1
