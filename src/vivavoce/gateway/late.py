"""A transport that everything reaches a little later, for clients that no endpoint ever answered at once.

What was written against a server across the Internet may ask first and only then begin to listen, and listen anew for
each answer. An endpoint in the same process answers before that. So what is said to it is kept for a while, and a
request for a response is kept apart from what it is to answer by as much. Nothing is lost but time.
"""

import asyncio

from vivavoce.errors import ConnectionLost
from vivavoce.gateway.upstream import Transport
from vivavoce.protocol.codec import event_type

__all__ = ["MOST_WAITING", "Late"]

MOST_WAITING = 256
"""Events that may wait; then the sender does."""


class Late:
    """Another transport, ``seconds`` away for what is sent; what it says comes at once, but for its first words."""

    def __init__(self, transport: Transport, seconds: float) -> None:
        self._transport = transport
        self._seconds = seconds
        self._first = _now() + seconds
        """Before this, nothing is said."""
        self._last = self._first + seconds
        """When the last event is due; before this, nothing is sent."""
        self._waiting: asyncio.Queue[tuple[float, str | bytes]] = asyncio.Queue(MOST_WAITING)
        self._lost: ConnectionLost | None = None
        self._carrier = asyncio.create_task(self._carry(), name="late transport")

    async def send(self, data: str | bytes) -> None:
        """Take one client event, to be sent when its time has come."""
        if self._lost is not None:
            raise self._lost
        apart = self._seconds if event_type(data) == "response.create" else 0.0
        self._last = due = max(_now() + self._seconds, self._last + apart)
        await self._waiting.put((due, data))

    async def receive(self) -> str | bytes:
        """Return the next server event."""
        event = await self._transport.receive()
        if (wait := self._first - _now()) > 0:
            await asyncio.sleep(wait)
        return event

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the session; what still waits is not sent."""
        self._carrier.cancel()
        await asyncio.gather(self._carrier, return_exceptions=True)
        self._lost = self._lost or ConnectionLost(code, reason)
        await self._transport.close(code, reason)

    async def _carry(self) -> None:
        while True:
            due, data = await self._waiting.get()
            if (wait := due - _now()) > 0:
                await asyncio.sleep(wait)
            if self._lost is not None:
                continue  # who waits for room is let go, and learns of the end at the next event
            try:
                await self._transport.send(data)
            except ConnectionLost as lost:
                self._lost = lost


def _now() -> float:
    return asyncio.get_running_loop().time()
