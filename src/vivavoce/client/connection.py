"""A connection: a transport whose events are typed."""

from types import TracebackType
from typing import Self

from vivavoce.client.transport import Transport
from vivavoce.errors import ConnectionLost
from vivavoce.protocol.client_events import ClientEvent
from vivavoce.protocol.codec import UnknownEvent, decode_server_event, encode
from vivavoce.protocol.server_events import ServerEvent

__all__ = ["NORMAL_CLOSURE", "Connection"]

NORMAL_CLOSURE = 1000


class Connection:
    """Sends client events, receives server events.

    ``async for event in connection`` yields server events until the session ends in a regular way, and raises
    `ConnectionLost` when it ends in any other. ``async with`` closes it at the end.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    async def send(self, event: ClientEvent) -> None:
        """Send one event. Raises `ConnectionLost` once the session is over."""
        await self.transport.send(encode(event))

    async def receive(self) -> ServerEvent | UnknownEvent:
        """Return the next event.

        Raises `ConnectionLost` when there will be no more, and `ProtocolError` for what is no event.
        """
        return decode_server_event(await self.transport.receive())

    async def close(self, code: int = NORMAL_CLOSURE, reason: str = "") -> None:
        """End the session. Closing twice does nothing more."""
        await self.transport.close(code, reason)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ServerEvent | UnknownEvent:
        try:
            return await self.receive()
        except ConnectionLost as lost:
            if lost.code == NORMAL_CLOSURE:
                raise StopAsyncIteration from None
            raise

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
