"""The engine of this process as an upstream, and what is used like it."""

from collections.abc import Callable, Sequence
from typing import Protocol

from vivavoce.errors import ConnectionFailed
from vivavoce.gateway.upstream import Progress, Reach, Status, Transport
from vivavoce.protocol.session import Session
from vivavoce.protocol.session_params import SessionParams

__all__ = ["Endpoint", "LocalUpstream"]


class Endpoint(Protocol):
    """What `vivavoce.engine.engine.Engine` and `vivavoce.testing.ScriptedEngine` have in common."""

    @property
    def status(self) -> Status:
        """How it is now."""
        ...

    @property
    def capacity(self) -> int | None:
        """How many sessions it holds at once."""
        ...

    async def start(self, progress: Callable[[Progress], None] | None = None) -> object:
        """Load its models."""
        ...

    def describe(self, params: SessionParams) -> Session:
        """Return the session that `connect` would open."""
        ...

    def connect(self, model: str, params: SessionParams) -> Transport:
        """Open a session."""
        ...

    async def close(self) -> None:
        """End all sessions."""
        ...


class LocalUpstream:
    """An endpoint that needs no network to be reached."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        """The engine, or what is used like it."""

    @property
    def status(self) -> Status:
        """How it is now."""
        return self.endpoint.status

    @property
    def capacity(self) -> int | None:
        """How many sessions it holds at once; None where it does not say, or not yet."""
        return self.endpoint.capacity

    async def start(self, progress: Callable[[Progress], None] | None = None) -> object:
        """Load its models."""
        return await self.endpoint.start(progress)

    async def reach(self) -> Sequence[Reach]:
        """Return nothing: it is here."""
        return ()

    def describe(self, params: SessionParams) -> Session:
        """Return the session that `connect` would open. Raises `ProtocolError` for what it does not serve."""
        return self.endpoint.describe(params)

    async def connect(self, model: str, params: SessionParams, *, call_id: str | None = None) -> Transport:
        """Open a session. Raises `ConnectionFailed`: there is no place for one, or no such call."""
        if call_id is not None:
            raise ConnectionFailed(
                "There is no such call: this server holds its sessions over WebSockets.",
                status=404,
                code="call_not_found",
            )
        return self.endpoint.connect(model, params)

    async def close(self) -> None:
        """End all sessions and free its models."""
        await self.endpoint.close()
