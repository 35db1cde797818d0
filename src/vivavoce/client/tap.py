"""A transport with a tap: all that passes is told to somebody beside."""

import inspect
from collections.abc import Callable

from vivavoce.client.frames import Direction
from vivavoce.client.line import Connect
from vivavoce.client.transport import Transport

__all__ = ["Note", "Tap", "tapped"]

Note = Callable[[Direction, bytes | str], None]
"""Takes an event on its way; it must not wait."""


class Tap:
    """Another transport, whose events are told to ``note`` too, in the order in which they are sent and received."""

    def __init__(self, transport: Transport, note: Note) -> None:
        self._transport = transport
        self._note = note

    async def send(self, data: bytes | str) -> None:
        """Send one client event."""
        self._note("C", data)
        await self._transport.send(data)

    async def receive(self) -> str | bytes:
        """Return the next server event."""
        data = await self._transport.receive()
        self._note("S", data)
        return data

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the session. Closing twice does nothing more."""
        await self._transport.close(code, reason)


def tapped(connect: Connect, note: Note) -> Connect:
    """Return what connects as ``connect`` does, with a tap on every session."""

    async def connected() -> Transport:
        transport = connect()
        return Tap(await transport if inspect.isawaitable(transport) else transport, note)

    return connected
