"""Two upstreams, the second for when the first fails before its first answer."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from vivavoce.errors import ConnectionFailed, ConnectionLost
from vivavoce.gateway.upstream import Progress, Reach, Status, Transport, Upstream
from vivavoce.gateway.upstreams.handover import Handover
from vivavoce.protocol.session import Session
from vivavoce.protocol.session_params import SessionParams, TranscriptionSessionParams

__all__ = ["FallbackTransport", "FallbackUpstream"]

_log = logging.getLogger(__name__)

NORMAL_CLOSURE = 1000


class FallbackUpstream:
    """``first``, and ``second`` in its place where it refuses, or fails before its first answer."""

    def __init__(self, first: Upstream, second: Upstream, *, most_bytes: int) -> None:
        self._first = first
        self._second = second
        self._most_bytes = most_bytes

    @property
    def status(self) -> Status:
        """How the one is that takes longer to get ready."""
        first, second = self._first.status, self._second.status
        return second if first.state == "ready" else first

    @property
    def capacity(self) -> int | None:
        """How many sessions the first holds at once."""
        return self._first.capacity

    async def start(self, progress: Callable[[Progress], None] | None = None) -> None:
        """Make both ready."""
        await asyncio.gather(self._first.start(progress), self._second.start(progress))

    async def reach(self) -> Sequence[Reach]:
        """Tell of both."""
        first, second = await asyncio.gather(self._first.reach(), self._second.reach())
        return (*first, *second)

    def describe(self, params: SessionParams) -> Session:
        """Return the session that the first would open."""
        return self._first.describe(params)

    async def connect(self, model: str, params: SessionParams, *, call_id: str | None = None) -> Transport:
        """Open a session. Raises `ConnectionFailed` of the first where neither can."""
        try:
            first = await self._first.connect(model, params, call_id=call_id)
        except ConnectionFailed as failed:
            if call_id is not None:
                raise
            try:
                second = await self._second.connect(model, params)
            except ConnectionFailed:
                raise failed from None
            _log.warning("a session went to the fallback: %s", failed)
            return second
        if call_id is not None:
            return first
        handover = Handover(self._most_bytes, listens_only=isinstance(params, TranscriptionSessionParams))
        return FallbackTransport(first, lambda: self._second.connect(model, params), handover)

    async def close(self) -> None:
        """Close both."""
        await asyncio.gather(self._first.close(), self._second.close())


class FallbackTransport:
    """A session with the first, which goes on with what ``connect`` opens where `Handover` says so."""

    def __init__(
        self, first: Transport, connect: Callable[[], Awaitable[Transport]], handover: Handover
    ) -> None:
        self._current = first
        self._connect = connect
        self._handover = handover
        self._waiting: deque[bytes] = deque()
        self._turn = asyncio.Lock()
        """Who holds it may send."""
        self._repeating: asyncio.Task[None] | None = None

    async def send(self, data: str | bytes) -> None:
        """Send one client event, after all that has been said before."""
        if self._handover.idle and not self._turn.locked():
            return await self._current.send(data)
        async with self._turn:
            said = self._handover.say(data.encode() if isinstance(data, str) else data)
            try:
                await self._current.send(said)
            except ConnectionLost:
                if not self._handover.possible:
                    raise
                # `receive` learns of it too, and hands over; this event is among what is said again

    async def receive(self) -> str | bytes:
        """Return the next server event."""
        while not self._waiting:
            try:
                data = await self._current.receive()
            except ConnectionLost as lost:
                if lost.code == NORMAL_CLOSURE or not await self._hand_over(str(lost)):
                    raise
                continue
            if self._handover.idle:
                return data
            events = self._handover.hear(data.encode() if isinstance(data, str) else data)
            if events is None and not await self._hand_over("it failed to answer"):
                events = self._handover.keep()
            self._waiting.extend(events or ())
        return self._waiting.popleft()

    async def close(self, code: int = NORMAL_CLOSURE, reason: str = "") -> None:
        """End the session."""
        if self._repeating is not None:
            self._repeating.cancel()
            await asyncio.gather(self._repeating, return_exceptions=True)
        await self._current.close(code, reason)

    async def _hand_over(self, why: str) -> bool:
        """Go on with the other endpoint; return whether that was possible."""
        if not self._handover.possible:
            return False
        try:
            second = await self._connect()
        except ConnectionFailed:
            return False
        try:
            await self._current.close()  # whoever waits to send to it waits no more
            await self._turn.acquire()
        except BaseException:
            await second.close()
            raise
        if (said := self._handover.give()) is None:  # the client said too much in the meantime
            self._turn.release()
            await second.close()
            return False
        _log.warning("a session goes on with the fallback: %s", why)
        self._current = second
        # Beside `receive`: an endpoint may have to be heard before it listens on.
        self._repeating = asyncio.create_task(self._repeat(second, said))
        return True

    async def _repeat(self, second: Transport, said: list[bytes]) -> None:
        try:
            for data in said:
                await second.send(data)
        except ConnectionLost:
            pass  # `receive` tells
        finally:
            self._turn.release()
