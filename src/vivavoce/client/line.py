"""The line of a client: one connection after the other, and the tasks that read from it and write to it.

What is to be done when a connection ends is decided in `retrying` and `continuity`; this only does it.
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from vivavoce.client.connection import NORMAL_CLOSURE, Connection
from vivavoce.client.continuity import Continuity, Interruption
from vivavoce.client.notices import ConnectionInterrupted, Notice, StateRestored
from vivavoce.client.outbox import Outbox
from vivavoce.client.restoring import Restoration
from vivavoce.client.retrying import Backoff, Fate, Reconnect, Window, fate
from vivavoce.client.tasks import Tasks
from vivavoce.client.transport import Transport
from vivavoce.errors import ConnectionFailed, ConnectionLost, ProtocolError, VivaVoceError
from vivavoce.protocol.client_events import ClientEvent
from vivavoce.protocol.codec import UnknownEvent
from vivavoce.protocol.server_events import DELTAS, ServerEvent, SessionCreated, SessionUpdated

__all__ = ["Connect", "Line", "Owner"]

RESTORE_SECONDS = 15.0
"""For an endpoint to answer a restoration; what it did not take by then counts as lost."""

CALM_SECONDS = 0.25
"""How often is looked whether the moment for a renewal is there, while no event tells."""

PROTOCOL_ERROR, ABNORMAL_CLOSURE = 1002, 1006
"""Close codes: the other side does not keep to the protocol; the line broke (RFC 6455, 7.4.1)."""

Connect = Callable[[], Transport | Awaitable[Transport]]
"""Opens a session; raises `ConnectionFailed`."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose line it is, and what it is told."""

    take: Callable[[ServerEvent | UnknownEvent], None]
    """A server event."""
    interrupted: Callable[[ConnectionLost, Interruption | None], None]
    """The connection is gone, and another will be tried; None if the session goes on without it."""
    resumed: Callable[[SessionCreated | SessionUpdated], None]
    """What a restored session is, which nobody else is told."""
    tell: Callable[[Notice], None]
    """Something for those who follow the session."""
    calm: Callable[[], bool]
    """Whether nothing is being played that somebody might interrupt."""
    ended: Callable[[ConnectionLost], None]
    """There will be no more."""


@dataclass(slots=True)
class _Resumption:
    """A session that is being restored."""

    restoration: Restoration
    lost: ConnectionLost
    renewal: bool
    attempts: int
    began: float


class Line:
    """Carries what is in the outbox to an endpoint, and gives its events to the ``owner``.

    ``policy`` says how to go on when a connection ends; None ends the session with it. With ``attached``, a session
    lives without us, and connecting again is attaching again: there is nothing to be restored.
    """

    def __init__(
        self,
        connect: Connect,
        tasks: Tasks,
        outbox: Outbox,
        owner: Owner,
        *,
        continuity: Continuity,
        policy: Reconnect | None,
        attached: bool = False,
    ) -> None:
        self.outbox = outbox
        self.lost: ConnectionLost | None = None
        """Why there will be no more, once it is so."""
        self.opened = False
        """Whether there was ever a connection."""
        self.up = False
        """Whether there is one now."""
        self._connect = connect
        self._tasks = tasks
        self._owner = owner
        self._continuity = continuity
        self._policy = policy
        self._attached = attached
        self._backoff = Backoff(policy or Reconnect())
        self._connection: Connection | None = None
        self._standby: Connection | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._resumption: _Resumption | None = None
        self._restoration: Restoration | None = None
        self._news = asyncio.Event()
        self._lifetime: float | None = None
        self._began = 0.0

    @property
    def free(self) -> Transport | None:
        """The transport, while nothing waits in the outbox or is being sent: what goes now overtakes nothing."""
        return self._connection.transport if self.up and self._connection and self.outbox.idle else None

    async def open(self, lost: ConnectionLost | None = None) -> Restoration | None:
        """Connect. Raises `ConnectionFailed`.

        With ``lost``, the session had another line, which ended so, and is restored: by what is returned.
        """
        if self.opened:
            raise VivaVoceError("This client is connected already; every session needs a client of its own.")
        began = _now()
        self._connection = await self._dial()
        self.opened = self.up = True
        first: Sequence[ClientEvent] = ()
        if lost is not None:
            self._interrupt(lost)
            first = self._restore(lost, renewal=False, attempts=1, began=began)
        self._tasks.spawn(self._keep(self._connection, first), "line")
        return self._restoration

    async def close(self) -> None:
        """End it. Closing twice does nothing more."""
        self._end(ConnectionLost(NORMAL_CLOSURE))
        for connection in (self._connection, self._standby):
            if connection is not None:
                self._leave(connection)
        await asyncio.gather(*self._leaving, return_exceptions=True)

    def _leave(self, connection: Connection) -> None:
        """Close a connection beside all else: the other end may take its time, or be gone."""
        task = asyncio.create_task(connection.close(), name="realtime client: leave")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _dial(self) -> Connection:
        transport = self._connect()
        return Connection(await transport if inspect.isawaitable(transport) else transport)

    async def _keep(self, connection: Connection, first: Sequence[ClientEvent]) -> None:
        try:
            while True:
                began = _now()
                end = await self._carry(connection, first)
                self._leave(connection)
                if self.lost is not None:
                    return  # it was closed here
                if isinstance(end, Connection):
                    connection, first = end, self._renew()
                    continue
                if _now() - began >= (self._policy or Reconnect()).steady:
                    self._backoff.reset()
                again = await self._again(end)
                if again is None:
                    return
                connection, first = again
        except VivaVoceError as error:
            self._end(ConnectionLost(1006, str(error)))
        finally:
            self._end(ConnectionLost(1006, "The line failed; this is a defect."))

    # One connection.

    async def _carry(
        self, connection: Connection, first: Sequence[ClientEvent]
    ) -> ConnectionLost | Connection:
        """Read and write until the connection ends, or gives way to another one, which is returned."""
        self._connection, self.up = connection, True
        self._began, self._lifetime = _now(), None
        self._news.clear()
        reading = asyncio.create_task(self._read(connection), name="realtime client: read")
        writing = asyncio.create_task(self._write(connection, first), name="realtime client: write")
        renewing = asyncio.create_task(self._renewed(), name="realtime client: renew")
        tasks = (reading, writing, renewing)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                writing.result()  # a defect, or the end: then who reads hears of it at once
                await asyncio.wait({reading})
            return renewing.result() if renewing.done() and not reading.done() else reading.result()
        finally:
            self.up = False
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._standby is not None:  # it comes too late
                self._leave(self._standby)
                self._standby = None

    async def _read(self, connection: Connection) -> ConnectionLost:
        code = PROTOCOL_ERROR
        try:
            async for event in connection:
                self._received(event)
                code = ABNORMAL_CLOSURE  # it does speak the protocol, so what is no event broke on its way
        except ConnectionLost as lost:
            return lost
        except ProtocolError as error:
            await connection.close(PROTOCOL_ERROR, "This is no event.")
            return ConnectionLost(code, str(error))
        return ConnectionLost(NORMAL_CLOSURE)

    async def _write(self, connection: Connection, first: Sequence[ClientEvent]) -> None:
        try:
            for event in first:
                await connection.send(event)
            while True:
                event = await self.outbox.get()
                self._continuity.sent(event)
                await connection.send(event)
        except VivaVoceError:
            pass  # only who receives learns why

    def _received(self, event: ServerEvent | UnknownEvent) -> None:
        if type(event) in DELTAS:  # which answer no restoration
            self._continuity.fold(event)
            self._owner.take(event)
            return
        if isinstance(event, SessionCreated | SessionUpdated) and event.session.expires_at:
            self._lifetime = event.session.expires_at - time.time() + _now() - self._began
        restoration = self._restoration
        if restoration is None or not restoration.fold(event):
            self._continuity.fold(event)
            self._owner.take(event)
        elif isinstance(event, SessionUpdated) or (
            isinstance(event, SessionCreated)
            and restoration.params is None  # else it is not yet what it will be
        ):
            self._continuity.fold_session(event)
            self._owner.resumed(event)
        if self._resumption is not None and self._resumption.restoration.done:
            self._resume(self._resumption)
        self._news.set()

    # The next connection.

    async def _again(self, lost: ConnectionLost) -> tuple[Connection, Sequence[ClientEvent]] | None:
        """Connect again, if that makes sense; return what is to be sent first."""
        error = self._continuity.error
        verdict = fate(lost, error.code if error else None)
        if self._policy is None or verdict is not Fate.RETRY:
            said = error.message if error is not None and verdict is Fate.FATAL else ""
            self._end(ConnectionLost(lost.code, lost.reason or said))
            return None
        began = _now()
        self._interrupt(lost)
        parking = asyncio.create_task(self._park(), name="realtime client: park")
        try:
            connection = await self._tried(lost)
        finally:
            parking.cancel()
            await asyncio.gather(parking, return_exceptions=True)
        if connection is None:
            return None
        return connection, self._restore(lost, renewal=False, attempts=self._backoff.attempts, began=began)

    async def _tried(self, lost: ConnectionLost) -> Connection | None:
        """Try to connect until it succeeds, or there is no point in it any more."""
        why: ConnectionFailed | None = None
        while (wait := self._backoff.wait(why.retry_after if why else None)) is not None:
            await asyncio.sleep(wait)
            try:
                self._connection = await self._dial()
            except ConnectionFailed as failed:
                why = failed
                if fate(failed) is Fate.FATAL:
                    break
            else:
                return self._connection
        tried = f"connecting again failed: {why}" if why else "it ends again and again"
        end = ConnectionLost(lost.code, f"{lost.reason}; {tried}" if lost.reason else tried)
        end.__cause__ = why
        self._end(end)
        return None

    async def _park(self) -> None:
        """Let what is sent meanwhile wait where it will be sent again from; what finds no place there, waits here."""
        while not self._attached and self._continuity.room:
            self._continuity.sent(await self.outbox.get())

    def _interrupt(self, lost: ConnectionLost) -> None:
        self._restoration = self._resumption = None
        if self._attached:
            self._owner.interrupted(lost, None)
            self._owner.tell(ConnectionInterrupted(code=lost.code, reason=lost.reason))
            return
        interruption = self._continuity.interrupted()
        self._owner.interrupted(lost, interruption)
        notice = ConnectionInterrupted(code=lost.code, reason=lost.reason, ended=interruption.ended)
        self._owner.tell(notice)

    def _restore(
        self, lost: ConnectionLost, *, renewal: bool, attempts: int, began: float
    ) -> Sequence[ClientEvent]:
        if self._attached:
            self._continuity.attached()
            restoration = Restoration.nothing()
        else:
            restoration = self._restoration = self._continuity.restoration()
        resumption = _Resumption(restoration, lost, renewal, attempts, began)
        if restoration.done:
            self._resume(resumption)
        else:
            self._resumption = resumption
            asyncio.get_running_loop().call_later(RESTORE_SECONDS, self._give_up, resumption)
        return restoration.events

    def _give_up(self, resumption: _Resumption) -> None:
        if self._resumption is resumption and self.lost is None:
            resumption.restoration.give_up()
            self._resume(resumption)

    def _resume(self, resumption: _Resumption) -> None:
        self._resumption = None
        restoration = resumption.restoration
        self._continuity.restored(restoration)
        self._owner.tell(
            StateRestored(
                why="renewal" if resumption.renewal else "connection lost",
                code=resumption.lost.code,
                reason=resumption.lost.reason,
                attempts=resumption.attempts,
                seconds=_now() - resumption.began,
                session_id=restoration.session_id,
                restored=restoration.restored,
                repeated=restoration.repeated,
                audio_ms=restoration.audio_ms,
                lost=restoration.lost,
            )
        )

    # Renewal.

    async def _renewed(self) -> Connection:
        """Return the connection that is to take the place of the present one, when the moment is there."""
        await self._news.wait()  # by the first event, the session has said how long it lives
        window = None
        if self._policy is not None and not self._attached:
            window = Window.of(self._lifetime, self._policy.renew_after)
        if window is None:
            await _for_ever()
        await asyncio.sleep(self._began + window.opens - _now())
        self._standby = await self._ready(self._began + window.closes)
        await self._moment(self._began + window.closes)
        standby, self._standby = self._standby, None
        return standby

    async def _moment(self, deadline: float) -> None:
        """Wait for the moment to move, but not beyond the deadline."""
        while _now() < deadline and not self._movable:
            self._news.clear()
            try:
                async with asyncio.timeout(CALM_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                pass  # it may have become calm without any event

    @property
    def _movable(self) -> bool:
        return self._resumption is None and self._continuity.at_boundary and self._owner.calm()

    async def _ready(self, deadline: float) -> Connection:
        """Connect beside the present connection; where that fails, the end of the session is left to come."""
        backoff = Backoff(self._policy or Reconnect())
        retry_after: float | None = None
        while (wait := backoff.wait(retry_after)) is not None and _now() + wait < deadline:
            await asyncio.sleep(wait)
            try:
                return await self._dial()
            except ConnectionFailed as failed:
                retry_after = failed.retry_after
                if fate(failed) is Fate.FATAL:
                    break
        return await _for_ever()

    def _renew(self) -> Sequence[ClientEvent]:
        lost = ConnectionLost(NORMAL_CLOSURE, "It is renewed.")
        if self._resumption is not None or not self._continuity.at_boundary:
            self._interrupt(lost)
        return self._restore(lost, renewal=True, attempts=1, began=_now())

    def _end(self, lost: ConnectionLost) -> None:
        if self.lost is None:
            self.lost = lost
            self.outbox.end(lost)
            self._owner.ended(lost)


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _for_ever() -> NoReturn:
    await asyncio.get_running_loop().create_future()
    raise AssertionError("nothing ends this but its cancellation")
