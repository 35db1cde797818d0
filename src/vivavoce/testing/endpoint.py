"""An endpoint that follows a list of steps, event by event."""

import asyncio
from collections.abc import Collection, Iterable
from types import TracebackType
from typing import Self

from vivavoce.errors import ConnectionFailed, ConnectionLost, ScriptFailed
from vivavoce.protocol.session import DEFAULT_MODEL
from vivavoce.protocol.session_params import SessionParams
from vivavoce.testing.steps import Close, Step, Steps

__all__ = ["UNEXPECTED", "ScriptedEndpoint"]

UNEXPECTED = 1008
"""The code with which a session is closed that got something else than was expected: a policy is violated."""


class ScriptedEndpoint:
    """One session with an endpoint that knows nothing but its steps, as a transport.

    ::

        async with ScriptedEndpoint([
            emit("session.created", session={"id": "sess_1", "type": "realtime"}),
            expect("response.create"),
            emit("response.created", response={"id": "resp_1", "status": "in_progress"}),
        ]) as transport:
            ...

    An event that is not the expected one raises `ScriptFailed` where it is sent and ends the session; on the way out
    of the context that is raised again, and so is every step that was not reached. Events of the types in ``ignore``
    may come at any time.
    """

    def __init__(self, steps: Iterable[Step], *, ignore: Collection[str] = ()) -> None:
        self._steps = Steps(steps, ignore=ignore)
        self._outbox: asyncio.Queue[bytes | ConnectionLost] = asyncio.Queue()  # bounded by the steps
        self._lost: ConnectionLost | None = None
        self._connected = False
        self._emit(self._steps.begin())

    def connect(self, model: str = DEFAULT_MODEL, params: SessionParams | None = None) -> Self:  # noqa: ARG002
        """Return the one session that there is, whatever is asked for; raises `ConnectionFailed` the second time."""
        if self._connected:
            raise ConnectionFailed(
                "There is one session in this script, and it was opened already.", status=503
            )
        self._connected = True
        return self

    async def send(self, data: bytes | str) -> None:
        """Take one client event. Raises `ScriptFailed` if another was expected, `ConnectionLost` after the end."""
        if self._lost is not None:
            raise self._lost
        try:
            self._emit(self._steps.take(data))
        except ScriptFailed as failure:
            self._end(UNEXPECTED, str(failure))
            raise

    async def receive(self) -> bytes:
        """Return the next server event; wait where a step expects something of the client first."""
        if self._lost is not None and self._outbox.empty():
            raise self._lost
        event = await self._outbox.get()
        if isinstance(event, ConnectionLost):
            raise event
        return event

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the session. Closing twice does nothing more."""
        if self._lost is None:
            self._end(code, reason)

    def check(self) -> None:
        """Raise `ScriptFailed` if something else came than was expected, or steps are left."""
        self._steps.check()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
        if error is None:
            self.check()

    def _emit(self, sent: Iterable[bytes | Close]) -> None:
        for event in sent:
            if isinstance(event, Close):
                self._end(event.code, event.reason)
                return
            self._outbox.put_nowait(event)

    def _end(self, code: int, reason: str) -> None:
        self._lost = ConnectionLost(code, reason)
        self._outbox.put_nowait(self._lost)
