"""One thing that a session has of a common store, a portion at a time. Pure: the time is passed in.

Asking for each event would make each wait for Redis. So a session asks for a portion, spends that, and asks for the
next before it is gone. Only what was given out is ever spent, so all sessions together never have more than the limit.
What is left of a portion when its window is over is lost.
"""

from dataclasses import dataclass
from typing import Literal

from vivavoce.gateway.limits.store import MINUTE, Level

__all__ = ["PORTIONS", "Meter", "Verdict"]

PORTIONS = 20
"""Into how many portions a limit is divided: fewer leave more unspent in sessions that fall silent."""

NEAR = 0.8
"""From this share of a limit on, the client is told how much is left."""

Verdict = Literal["pass", "wait", "refuse"]


@dataclass(slots=True)
class Meter:
    """What a session may have each minute."""

    name: str
    """What the protocol's ``rate_limits.updated`` calls it."""
    counter: str
    limit: int
    told: int = 1
    """How many of what is counted make one of what is told."""
    asked: bool = False
    """Whether a portion is under way."""
    near: bool = False
    """Whether the client is to be told how much is left."""
    remaining: int = 0
    _left: int = 0
    _ends: float = 0.0
    _empty: bool = False

    @property
    def portion(self) -> int:
        """How much to ask for at one time."""
        return max(1, self.limit // PORTIONS)

    def spend(self, cost: int, now: float) -> Verdict:
        """Take the cost of an event out of what was given, if that is enough."""
        self._roll(now)
        if cost <= self._left:
            self._left -= cost
            return "pass"
        return "refuse" if self._empty or cost > self.limit else "wait"

    def wants(self, cost: int, now: float) -> int:
        """Return how much to ask for now, after an event of such a cost; 0 for nothing."""
        self._roll(now)
        if self.asked or self._empty or self._left > max(self.portion // 2, cost - 1):
            return 0
        self.asked = True
        return max(self.portion, cost)

    def take(self, level: Level, asked: int, now: float) -> None:
        """Note what was given of what was asked for."""
        self.asked = False
        if level.resets_in <= 0 or now >= self._ends:
            self._left = 0
        self._ends = now + level.resets_in
        self._left += level.granted
        self._empty = level.granted < asked
        self.remaining = max(0, self.limit - level.used)
        self.near = level.used >= NEAR * self.limit

    def resets_in(self, now: float) -> float:
        """Return the seconds until there is more."""
        return max(0.0, self._ends - now) if self._ends else MINUTE

    def _roll(self, now: float) -> None:
        if now >= self._ends:
            self._left, self._empty, self.near = 0, False, False
