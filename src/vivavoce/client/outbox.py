"""Client events on their way to the endpoint."""

import asyncio
from collections import deque

from vivavoce.errors import ConnectionLost
from vivavoce.protocol.client_events import ClientEvent

__all__ = ["OUTBOX_LIMIT", "Outbox"]

OUTBOX_LIMIT = 128
"""Events that may wait; at 40 ms of audio each, 5 s. Who sends faster than the line carries waits."""


class Outbox:
    """Two lanes: what must not wait (a cancel, a truncation) overtakes what may (audio)."""

    def __init__(self, limit: int = OUTBOX_LIMIT) -> None:
        self._places = asyncio.Semaphore(limit)
        self._waiting: deque[tuple[ClientEvent, bool]] = deque()
        """Events, and whether each has a place that someone else may be waiting for."""
        self._urgent: deque[ClientEvent] = deque()
        self._news = asyncio.Event()
        self._lost: ConnectionLost | None = None
        self._awaited = False

    @property
    def idle(self) -> bool:
        """Whether nothing waits here, and whoever takes events out waits for the next."""
        return self._awaited and not (self._urgent or self._waiting)

    @property
    def waiting(self) -> list[ClientEvent]:
        """All that is still here, in the order in which it would go."""
        return [*self._urgent, *(event for event, _ in self._waiting)]

    async def put(self, event: ClientEvent) -> None:
        """Add an event behind all others; wait while there is no place. Raises `ConnectionLost`."""
        await self._places.acquire()
        if self._lost is not None:
            self._places.release()  # for the next one who waits
            raise self._lost
        self._waiting.append((event, True))
        self._news.set()

    def put_behind(self, *events: ClientEvent) -> None:
        """Add events behind all others without waiting for a place; there are never many."""
        if self._lost is None:
            self._waiting.extend((event, False) for event in events)
            self._news.set()

    def put_now(self, *events: ClientEvent) -> None:
        """Add events before all that wait; there are never many, and once the line is gone they go nowhere."""
        if self._lost is None:
            self._urgent.extend(events)
            self._news.set()

    def forget_urgent(self) -> None:
        """Forget what must not wait: it is about a response of a connection that is gone."""
        self._urgent.clear()

    async def get(self) -> ClientEvent:
        """Return the next event."""
        while not (self._urgent or self._waiting):
            self._news.clear()
            self._awaited = True
            try:
                await self._news.wait()
            finally:
                self._awaited = False
        if self._urgent:
            return self._urgent.popleft()
        event, placed = self._waiting.popleft()
        if placed:
            self._places.release()
        return event

    def end(self, lost: ConnectionLost) -> None:
        """Forget what waits, and turn away who comes."""
        self._lost = lost
        self._waiting.clear()
        self._urgent.clear()
        self._places.release()
