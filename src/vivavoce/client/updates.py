"""Which ``session.updated`` answers which ``session.update``."""

import asyncio
from collections import deque

from vivavoce.errors import ConnectionLost, ProtocolError
from vivavoce.protocol.client_events import SessionUpdate
from vivavoce.protocol.codec import UnknownEvent
from vivavoce.protocol.server_events import ErrorEvent, ServerEvent, SessionUpdated
from vivavoce.protocol.session import Session

__all__ = ["Updates"]


class Updates:
    """The updates that are under way: a server answers them in order, and an error names its own."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, asyncio.Future[Session]]] = deque()

    def expect(self, event: SessionUpdate) -> asyncio.Future[Session]:
        """Return what will be the session as an update made it, or the `ProtocolError` that refuses it."""
        updated: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
        updated.add_done_callback(_seen)
        self._waiting.append((str(event.event_id), updated))
        return updated

    def fold(self, event: ServerEvent | UnknownEvent) -> None:
        """Take a server event."""
        match event:
            case SessionUpdated(session=session) if self._waiting:
                _, updated = self._waiting.popleft()
                if not updated.done():
                    updated.set_result(session)
            case ErrorEvent(error=wrong):
                refused = next((one for one in self._waiting if one[0] == wrong.event_id), None)
                if refused is not None:
                    self._waiting.remove(refused)
                    error = ProtocolError(
                        wrong.message,
                        code=wrong.code,
                        param=wrong.param,
                        event_id=wrong.event_id,
                        type=wrong.type,
                    )
                    _fail(refused[1], error)

    def lost(self, error: ConnectionLost) -> None:
        """Take word that the connection is gone."""
        for _, updated in self._waiting:
            _fail(updated, error)
        self._waiting.clear()


def _fail(updated: asyncio.Future[Session], error: Exception) -> None:
    if not updated.done():
        updated.set_exception(error)


def _seen(updated: asyncio.Future[Session]) -> None:
    """Nobody has to wait for an update."""
    if not updated.cancelled():
        updated.exception()
