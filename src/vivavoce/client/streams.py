"""Events on their way to those who read them."""

import asyncio
from collections import deque
from typing import Self

from vivavoce.client.notices import Notice
from vivavoce.protocol.codec import UnknownEvent
from vivavoce.protocol.server_events import ServerEvent

__all__ = ["KEPT", "EventStream", "StreamEvent"]

StreamEvent = ServerEvent | UnknownEvent | Notice
"""What those who follow a session are told: what the endpoint says, and what the client has to add."""

KEPT = 4096
"""Events that wait for a reader; at 200 ms of audio each, more than a quarter of an hour."""


class EventStream:
    """The events of a session for one reader, who may be slow, or not read at all.

    Who falls behind by `KEPT` events loses the oldest, and ``missed`` counts them: the session itself never waits.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._events: deque[StreamEvent] = deque(maxlen=kept)
        self._news = asyncio.Event()
        self._ended = False
        self._error: Exception | None = None
        self.missed = 0

    def put(self, event: StreamEvent) -> None:
        """Add an event."""
        if self._ended:
            return
        self.missed += len(self._events) == self._events.maxlen
        self._events.append(event)
        self._news.set()

    def end(self, error: Exception | None = None) -> None:
        """Say that there will be no more; ``error`` is raised to the reader behind the last event."""
        if not self._ended:
            self._ended, self._error = True, error
            self._news.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> StreamEvent:
        while not self._events:
            if self._ended:
                error, self._error = self._error, None
                raise error or StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._events.popleft()
