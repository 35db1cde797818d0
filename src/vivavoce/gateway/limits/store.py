"""Where is counted what users have had: the protocol of such a place, and one in memory.

Amounts are whole numbers (events, milliseconds, tokens, millionths of a dollar), so that no sum is ever rounded. They
are counted in windows that begin at multiples of their length since 1970: a minute begins on the minute, a day at
midnight, UTC.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

__all__ = ["DAY", "LEASE_SECONDS", "MINUTE", "Entry", "Level", "MemoryStore", "Store"]

MINUTE, DAY = 60, 86_400

LEASE_SECONDS = 90
"""How long a session counts that nobody renews: its process is gone."""

Entry = Literal["welcome", "user_full", "all_full"]


@dataclass(frozen=True, slots=True)
class Level:
    """How much of something has been had in a window."""

    granted: int
    """What was just given out of it, or added to it."""
    used: int
    """All that was, this included."""
    resets_in: float
    """Seconds until the next window."""


class Store(Protocol):
    """A place to count in. Each call is one step that nothing comes between."""

    async def take(self, counter: str, amount: int, limit: int, window: int) -> Level:
        """Give out as much of ``amount`` as there is left under ``limit``."""
        ...

    async def add(self, counter: str, amount: int, window: int) -> Level:
        """Count what was had already; 0 only asks."""
        ...

    async def enter(self, user: str, session: str, most: int | None, most_of_all: int | None) -> Entry:
        """Count a session for `LEASE_SECONDS`, unless there are too many; the same again renews it."""
        ...

    async def leave(self, user: str, session: str) -> None:
        """Count a session no more."""
        ...

    async def close(self) -> None:
        """Let go of the place."""
        ...


class MemoryStore:
    """Counts for one process. ``clock`` tells seconds since 1970."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._used: dict[tuple[str, int], tuple[int, int]] = {}
        """By counter and window: which window it is, and how much was had in it."""
        self._sessions: dict[str, dict[str, float]] = {}
        """By user: the sessions, and until when each counts."""
        self._swept = 0

    async def take(self, counter: str, amount: int, limit: int, window: int) -> Level:
        """Give out as much as there is."""
        return self._count(counter, max(0, min(amount, limit - self._level(counter, window))), window)

    async def add(self, counter: str, amount: int, window: int) -> Level:
        """Count what was had."""
        return self._count(counter, amount, window)

    async def enter(self, user: str, session: str, most: int | None, most_of_all: int | None) -> Entry:
        """Count a session."""
        now = self._clock()
        self._forget(now)
        own = self._sessions.get(user, {})
        if session not in own:
            if most is not None and len(own) >= most:
                return "user_full"
            if most_of_all is not None and sum(map(len, self._sessions.values())) >= most_of_all:
                return "all_full"
        self._sessions.setdefault(user, own)[session] = now + LEASE_SECONDS
        return "welcome"

    async def leave(self, user: str, session: str) -> None:
        """Count a session no more."""
        own = self._sessions.get(user, {})
        own.pop(session, None)
        if not own:
            self._sessions.pop(user, None)

    async def close(self) -> None:
        """Do nothing: memory needs no goodbye."""

    def _level(self, counter: str, window: int) -> int:
        index, used = self._used.get((counter, window), (0, 0))
        return used if index == self._index(window) else 0

    def _count(self, counter: str, amount: int, window: int) -> Level:
        now, used = self._clock(), self._level(counter, window) + amount
        self._sweep()
        self._used[counter, window] = (self._index(window), used)
        return Level(amount, used, window - math.fmod(now, window))

    def _index(self, window: int) -> int:
        return int(self._clock() // window)

    def _sweep(self) -> None:
        """Forget windows that are over, once a minute: users come and go."""
        minute = self._index(MINUTE)
        if minute != self._swept:
            self._swept = minute
            self._used = {key: kept for key, kept in self._used.items() if kept[0] == self._index(key[1])}

    def _forget(self, now: float) -> None:
        for user, sessions in list(self._sessions.items()):
            alive = {session: until for session, until in sessions.items() if now < until}
            if alive:
                self._sessions[user] = alive
            else:
                del self._sessions[user]
