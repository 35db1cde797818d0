"""Stopping gently: nobody new comes in, those who are here are told, and have some time to finish."""

import asyncio
import math
import time
from collections.abc import Iterable

from vivavoce.errors import ProtocolError
from vivavoce.gateway.opening import Opening
from vivavoce.gateway.passage import Down, Effect, Stage
from vivavoce.gateway.sessions import GOING_AWAY, Sessions
from vivavoce.protocol.codec import Frame
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.server_events import ErrorEvent

__all__ = ["Drain", "Farewell"]

_IDS = Ids()


class Drain:
    """Empties a gateway."""

    def __init__(self, sessions: Sessions, seconds: float) -> None:
        """``seconds`` is how long sessions may go on; 0 for not at all."""
        self._sessions = sessions
        self._seconds = seconds
        self._deadline: float | None = None

    @property
    def begun(self) -> bool:
        """Whether nobody is let in any more."""
        return self._deadline is not None

    def left(self, now: float) -> float | None:
        """Return for how many seconds sessions may still go on; None while that is not bounded."""
        return None if self._deadline is None else max(0.0, self._deadline - now)

    async def run(self) -> None:
        """Let nobody in any more, and return when all sessions are over or their time is."""
        self._deadline = time.monotonic() + self._seconds
        self._sessions.close()
        try:
            async with asyncio.timeout(self._seconds):
                await self._sessions.emptied()
        except TimeoutError:
            pass  # whoever stops the application ends them

    def stage(self, opening: Opening) -> "Farewell | None":  # noqa: ARG002 - a `StageMaker`
        """Make the stage that tells a session; none where there would be no time for it."""
        return Farewell(self) if self._seconds else None


class Farewell(Stage):
    """Tells a client once, by an ``error`` of the code ``going_away``, how long its session may go on."""

    def __init__(self, drain: Drain) -> None:
        self._drain = drain
        self._told = False

    def tick(self, now: float) -> Iterable[Effect]:
        """Tell it, when it is so."""
        left = self._drain.left(now)
        if left is None or self._told:
            return ()
        self._told = True
        event = ErrorEvent.of(
            ProtocolError(
                f"The server stops: this session ends in {math.ceil(left)} seconds. A new one goes elsewhere.",
                code=GOING_AWAY,
                type="server_error",
            )
        )
        event.event_id = _IDS.event()
        return (Down(Frame.of(event)),)
