"""The calls that are under way, by their ids."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from vivavoce.errors import ConnectionLost, ProtocolError
from vivavoce.gateway.guarded import Guarded
from vivavoce.gateway.opening import Caller
from vivavoce.gateway.sessions import Endable

if TYPE_CHECKING:
    from vivavoce.webrtc.door import UdpDoor

__all__ = ["NO_RESTART", "Calls", "Controlled", "Held", "Running"]

NO_RESTART = "restart_not_supported"
"""The error code of a call that cannot go on over another way."""

CALL_PREFIX = "rtc_"
"""What the ids of OpenAI's calls begin with."""


class Running(Endable, Protocol):
    """A call, wherever its media goes."""

    async def run(self) -> ConnectionLost:
        """Hold it until somebody ends it, and return why."""
        ...

    def silence(self) -> bool:
        """Stop what is being said; False where it is played elsewhere."""
        ...

    async def restart(self, offer: str) -> str:
        """Answer the peer's offer of another way. Raises `ProtocolError` where it cannot be answered."""
        ...


class Controlled:
    """A call whose media goes past this server, which only hears its events, and can end it."""

    def __init__(self, session: Guarded, hang_up: Callable[[], Awaitable[None]]) -> None:
        self._session = session
        self._hang_up = hang_up
        self._ended: asyncio.Future[ConnectionLost] = asyncio.get_running_loop().create_future()

    def end(self, code: int, reason: str = "") -> None:
        """Say that it is over, and why. Only the first to say so is heard."""
        if not self._ended.done():
            self._ended.set_result(ConnectionLost(code, reason))

    async def run(self) -> ConnectionLost:
        """Listen until it is over; hang up where it is this side that ends it, and return why."""
        listening = asyncio.create_task(self._listen())
        lost = ConnectionLost(1001, "The server stops.")
        try:
            lost = await self._ended
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await self._session.close(lost.code, lost.reason)
            await self._hang_up()
        return lost

    def silence(self) -> bool:
        """Leave it to the endpoint, which plays."""
        return False

    async def restart(self, offer: str) -> str:  # noqa: ARG002
        """Refuse the peer another way: endpoints have no such thing. Raises `ProtocolError`."""
        raise ProtocolError(
            "The media of this call go past this server, to an endpoint that restarts no ICE: begin another call.",
            code=NO_RESTART,
        )

    async def _listen(self) -> None:
        try:
            while True:
                await self._session.receive()
        except ConnectionLost as lost:
            self.end(lost.code, lost.reason)


@dataclass(frozen=True, slots=True)
class Held:
    """A call that is under way."""

    id: str
    caller: Caller
    call: Running
    session: Guarded


class Calls:
    """All calls of this gateway."""

    def __init__(self) -> None:
        self.door: UdpDoor | None = None
        """The UDP port that all calls share; None where each has its own."""
        self._held: dict[str, Held] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, call_id: str) -> bool:
        return call_id in self._held

    def keep(self, task: asyncio.Task[None]) -> None:
        """Keep what holds a call alive: the request that began it is answered long before its end."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @staticmethod
    def new_id() -> str:
        """Make an id that nobody can guess."""
        return CALL_PREFIX + secrets.token_hex(14)

    @contextmanager
    def hold(self, held: Held) -> Iterator[None]:
        """Keep a call findable while it lasts."""
        self._held[held.id] = held
        try:
            yield
        finally:
            del self._held[held.id]

    @property
    def all(self) -> list[Held]:
        """Those that are under way."""
        return list(self._held.values())

    def find(self, call_id: str, caller: Caller) -> Held | None:
        """Return a call of this caller's; those of others are as good as none, but for an administrator."""
        held = self._held.get(call_id)
        if held is None or not (caller.admin or held.caller.user == caller.user):
            return None
        return held
