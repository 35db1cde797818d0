"""The line of a client: its connection, and the tasks that read from it and write to it."""

import inspect
from collections.abc import Awaitable, Callable

from vivavoce.client.connection import NORMAL_CLOSURE, Connection
from vivavoce.client.outbox import Outbox
from vivavoce.client.tasks import Tasks
from vivavoce.client.transport import Transport
from vivavoce.errors import ConnectionLost, ProtocolError, VivaVoceError
from vivavoce.protocol.codec import UnknownEvent
from vivavoce.protocol.server_events import ServerEvent

__all__ = ["Connect", "Line"]

Connect = Callable[[], Transport | Awaitable[Transport]]
"""Opens a session; raises `ConnectionFailed`."""


class Line:
    """Carries what is in the outbox to an endpoint, and gives its events to ``take``; ``ended`` is told its end."""

    def __init__(
        self,
        connect: Connect,
        tasks: Tasks,
        *,
        take: Callable[[ServerEvent | UnknownEvent], None],
        ended: Callable[[ConnectionLost], None],
    ) -> None:
        self.outbox = Outbox()
        self._connect = connect
        self._tasks = tasks
        self._take = take
        self._ended = ended
        self._connection: Connection | None = None
        self.lost: ConnectionLost | None = None
        """Why there will be no more, once it is so."""

    @property
    def opened(self) -> bool:
        """Whether there was ever a connection."""
        return self._connection is not None

    async def open(self) -> None:
        """Connect. Raises `ConnectionFailed`."""
        if self.opened:
            raise VivaVoceError("This client is connected already; every session needs a client of its own.")
        transport = self._connect()
        self._connection = Connection(await transport if inspect.isawaitable(transport) else transport)
        self._tasks.spawn(self._write(self._connection), "write")
        self._tasks.spawn(self._read(self._connection), "read")

    async def close(self) -> None:
        """End it. Closing twice does nothing more."""
        if self._connection is not None:
            await self._connection.close()
        self._end(ConnectionLost(NORMAL_CLOSURE))

    async def _read(self, connection: Connection) -> None:
        try:
            async for event in connection:
                self._take(event)
            self._end(ConnectionLost(NORMAL_CLOSURE))
        except ConnectionLost as lost:
            self._end(lost)
        except ProtocolError as error:
            await connection.close(1002, "This is no event.")
            self._end(ConnectionLost(1002, str(error)))

    async def _write(self, connection: Connection) -> None:
        try:
            while True:
                await connection.send(await self.outbox.get())
        except ConnectionLost:
            pass  # only who receives learns why

    def _end(self, lost: ConnectionLost) -> None:
        if self.lost is None:
            self.lost = lost
            self.outbox.end(lost)
            self._ended(lost)
