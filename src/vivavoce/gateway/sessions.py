"""The sessions that are open, how many there may be, and their common end."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Protocol

from vivavoce.gateway.refusal import Refusal

__all__ = ["GOING_AWAY", "PLAIN_LIMIT", "Endable", "Place", "Sessions", "limit"]

GOING_AWAY = "going_away"
"""The code of what a client is told of a server that stops."""

PLAIN_LIMIT = 16
"""Sessions at one time where nobody said how many there may be, and the endpoint does not know."""


def limit(wanted: int | None, held: int | None) -> int:
    """Return how many sessions there may be: as many as are ``wanted``, but no more than the endpoint holds."""
    return min((bound for bound in (wanted, held) if bound is not None), default=PLAIN_LIMIT)


class Endable(Protocol):
    """Somebody who holds a session, over whatever line."""

    def end(self, code: int, reason: str = "") -> None:
        """Say that it is over, and why. Only the first to say so is heard."""
        ...


class Place:
    """What a session has while it lasts: first nothing but a place, then somebody who holds it."""

    def __init__(self, *, beside: bool = False) -> None:
        self.beside = beside
        """Whether it is beside another's session, and takes none of the places that there are."""
        self._holder: Endable | None = None
        self._ended: tuple[int, str] | None = None

    def take(self, holder: Endable) -> None:
        """Say who is here. Whoever was told to end before that ends at once."""
        self._holder = holder
        if self._ended is not None:
            holder.end(*self._ended)

    def end(self, code: int, reason: str) -> None:
        """End the session."""
        self._ended = code, reason
        if self._holder is not None:
            self._holder.end(code, reason)


class Sessions:
    """All sessions of this gateway.

    A place is taken before the upgrade, so that two clients never get the last one. ``limit`` tells how many there
    are, which may change: an endpoint knows it only when it is ready.
    """

    def __init__(self, limit: Callable[[], int], *, retry_after: int) -> None:
        self._limit = limit
        self._retry_after = retry_after
        self._open: set[Place] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._closed = False
        """Whether nobody is let in any more."""

    def __len__(self) -> int:
        return sum(not place.beside for place in self._open)

    @property
    def capacity(self) -> int:
        """How many sessions there may be at one time."""
        return self._limit()

    def refuse(self, *, beside: bool = False) -> Refusal | None:
        """Return why there is no place for one more, or None when there is; ``beside`` another there always is."""
        if self._closed:
            return self._not_now("The server stops.", GOING_AWAY)
        if not beside and len(self) >= self.capacity:
            return self._not_now(
                f"All {self.capacity} sessions of this server are taken: one more would not be served in real "
                "time, or is more than VIVAVOCE_MAX_SESSIONS allows.",
                "session_limit_reached",
            )
        return None

    @contextmanager
    def hold(self, *, beside: bool = False) -> Iterator[Place]:
        """Keep a place for a session from before its endpoint is asked until it is over, or for one ``beside`` it."""
        place = Place(beside=beside)
        self._open.add(place)
        self._empty.clear()
        try:
            yield place
        finally:
            self._open.discard(place)
            if not self._open:
                self._empty.set()

    def close(self) -> None:
        """Let nobody in any more."""
        self._closed = True

    async def emptied(self) -> None:
        """Return when there are no sessions."""
        await self._empty.wait()

    async def end_all(self, code: int, reason: str) -> None:
        """Let nobody in any more, end every session, and return when they are gone."""
        self.close()
        for place in self._open:
            place.end(code, reason)
        await self.emptied()

    def _not_now(self, message: str, code: str) -> Refusal:
        return Refusal(
            HTTPStatus.SERVICE_UNAVAILABLE,
            message,
            code=code,
            type="server_error",
            retry_after=self._retry_after,
        )
