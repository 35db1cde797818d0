"""A transport on which everything takes its time: what is sent first arrives first, but later."""

import asyncio

from vivavoce.client.transport import Transport
from vivavoce.errors import ConnectionLost
from vivavoce.testing.script import Latency

__all__ = ["UNDER_WAY_LIMIT", "SlowTransport"]

UNDER_WAY_LIMIT = 1024
"""Events under way in one direction; then the sender waits."""


class SlowTransport:
    """Another transport, some milliseconds away in each direction.

    Events of one direction keep their order, and those that are sent at one time arrive at one time.
    """

    def __init__(self, transport: Transport, latency: Latency) -> None:
        self._transport = transport
        self._latency = latency
        self._inwards: asyncio.Queue[tuple[float, bytes | str]] = asyncio.Queue(UNDER_WAY_LIMIT)
        self._outwards: asyncio.Queue[tuple[float, bytes | str | ConnectionLost]] = asyncio.Queue(
            UNDER_WAY_LIMIT
        )
        self._arriving: tuple[float, bytes | str | ConnectionLost] | None = None
        self._lost: ConnectionLost | None = None
        self._deaf: ConnectionLost | None = (
            None  # what the other end answered to the last event that was sent
        )
        self._pumps = [
            asyncio.create_task(self._carry_in(), name="slow transport, in"),
            asyncio.create_task(self._carry_out(), name="slow transport, out"),
        ]

    async def send(self, data: bytes | str) -> None:
        """Send one client event; it arrives ``in`` milliseconds later. Raises `ConnectionLost` once it is over."""
        if (lost := self._lost or self._deaf) is not None:
            raise lost
        await self._inwards.put((_now() + self._latency.inwards / 1000, data))

    async def receive(self) -> str | bytes:
        """Return the next server event, ``out`` milliseconds after it was sent."""
        if self._lost is not None:
            raise self._lost
        if self._arriving is None:  # who stops waiting misses nothing
            self._arriving = await self._outwards.get()
        due, event = self._arriving
        await _until(due)
        self._arriving = None
        if isinstance(event, ConnectionLost):
            self._lost = event
            raise event
        return event

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the session; what is under way is lost. Closing twice does nothing more."""
        self._lost = self._lost or ConnectionLost(code, reason)
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        await self._transport.close(code, reason)
        if not self._outwards.full():  # for a receiver that waits
            self._outwards.put_nowait((0.0, self._lost))

    async def _carry_in(self) -> None:
        while True:
            due, data = await self._inwards.get()
            if self._deaf is None:
                await _until(due)
                try:
                    await self._transport.send(data)
                except ConnectionLost as lost:
                    self._deaf = lost

    async def _carry_out(self) -> None:
        while True:
            event: bytes | str | ConnectionLost
            try:
                event = await self._transport.receive()
            except ConnectionLost as lost:
                event = lost
            await self._outwards.put((_now() + self._latency.outwards / 1000, event))
            if isinstance(event, ConnectionLost):
                return


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _until(due: float) -> None:
    if (wait := due - _now()) > 0:
        await asyncio.sleep(wait)
