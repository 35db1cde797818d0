"""The session's clock: when each side spoke, on one line of time that a recording of both follows. Pure.

The unit is the sample (`RATE` to the second), and zero is the session's first event. Audio in the protocol has no
time of its own, so it is placed by when it comes:

- What the user says has just been said: it ends when it comes. Chunks that come early or late join without a gap, and
  those that come faster than they were spoken, as from a file, take the clock with them.
- What the assistant says begins when it comes, and goes on without a gap, though all of it may come at once. What an
  interruption cuts off was never heard.
"""

from collections import deque
from dataclasses import dataclass, field

from vivavoce.audio.formats import RATE

__all__ = ["JOIN_MS", "Clock", "Track", "milliseconds"]

JOIN_MS = 200
"""Chunks no farther apart than this belong together: jitter of a network, not a pause of the speaker."""

_JOIN = JOIN_MS * RATE // 1000

MOST_PAUSES = 64
"""Pauses of the microphone that are remembered: more than a turn can have."""


def milliseconds(samples: int) -> int:
    """Return a position or a length on the clock in milliseconds."""
    return (samples * 1000 + RATE // 2) // RATE


@dataclass(slots=True)
class Track:
    """Where the audio of one side lies."""

    end: int = 0
    """Where what was placed last ends."""
    total: int = 0
    """All samples that were placed."""
    pauses: deque[tuple[int, int]] = field(default_factory=lambda: deque([(0, 0)], MOST_PAUSES))
    """How many samples had been placed, and where the next one lies, at the start and after each pause."""

    def place(self, start: int, samples: int, *, join: int = _JOIN) -> int:
        """Place a chunk that would begin at ``start``, or where the one before ends; return where it begins.

        It joins the one before where the gap has no more than ``join`` samples.
        """
        if start - self.end > join:
            self.end = start
            self.pauses.append((self.total, start))
        begin = self.end
        self.end += samples
        self.total += samples
        return begin

    def position(self, count: int) -> int:
        """Return where the sample lies before which ``count`` samples were placed."""
        placed, lies = next(
            ((placed, lies) for placed, lies in reversed(self.pauses) if placed <= count), self.pauses[0]
        )
        return max(0, lies + count - placed)


class Clock:
    """Both sides of a session. Times that are passed in are in seconds of a clock that never goes back."""

    def __init__(self, zero: float) -> None:
        self._zero = zero
        self.user = Track()
        self.assistant = Track()

    def now(self, now: float) -> int:
        """Return what the clock says."""
        return max(round((now - self._zero) * RATE), self.user.end)

    def heard(self, now: float, samples: int) -> int:
        """Place a chunk of the user's; return where it begins."""
        return self.user.place(round((now - self._zero) * RATE) - samples, samples)

    def spoken(self, now: float, samples: int, *, first: bool = False) -> int:
        """Place a chunk of the assistant's, perhaps the first of an item; return where it begins."""
        return self.assistant.place(self.now(now), samples, join=0 if first else _JOIN)

    def cut(self, position: int) -> None:
        """Take note that the assistant fell silent at ``position``; what it says next comes after that."""
        self.assistant.end = min(self.assistant.end, position)
