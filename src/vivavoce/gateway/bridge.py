"""One client's WebSocket and one session with an endpoint, joined: what one says, the other hears.

What either says goes through the session's `Passage`. Two tasks, and a future that says how it ended:

============  =======================================  ====================================================
who           does                                     waits for
============  =======================================  ====================================================
the uplink    reads the client, sends to the endpoint  the endpoint, while it is busy: then TCP makes the
                                                       client wait
the downlink  reads the endpoint, sends to the client  the client, while it reads slowly: then the endpoint
                                                       waits, and after `Limits.send_timeout` it is over
============  =======================================  ====================================================

Most messages are sound, which no stage wants to change and nobody has to wait for: those take a short cut, and neither
task has to wake up for them.

The first of both, or `Bridge.end`, to say why it is over decides the close code that everyone sees. A client
that does not read costs at most twice `Limits.send_buffer` and two events, and nobody else notices.

Beside them runs what stages add: a task that sends the endpoint what did not come from the client, so that the
downlink never waits for the endpoint; one that asks the stages each second for what is due; and their own work.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from aiohttp import WebSocketError, WSCloseCode, WSMsgType, web

from vivavoce.errors import ConnectionLost, ProtocolError
from vivavoce.gateway.beside import TICK_SECONDS, Beside
from vivavoce.gateway.leg import Leg, Limits, Stalled
from vivavoce.gateway.passage import End, Passage, ToClient
from vivavoce.gateway.resume.delivery import Delivery, Said
from vivavoce.gateway.upstream import Transport, direct
from vivavoce.protocol.codec import event_type
from vivavoce.protocol.ids import Ids

__all__ = ["RESUMED", "Bridge", "Keeping", "Limits", "Moved", "Resumption"]

_IDS = Ids()

RESUMED = "vivavoce.resumed"
"""The type of the first event of a WebSocket over which a client comes back; only who asked for that sees it."""

MESSAGES = frozenset({WSMsgType.TEXT, WSMsgType.BINARY})

NUMBER_BYTES = 8
"""Of the number of messages, as a ping has it."""


class Keeping(Protocol):
    """Keeps what another process would need to go on with a session."""

    async def run(self, bridge: "Bridge") -> None:
        """Keep it, until it is cancelled."""
        ...

    async def end(self, bridge: "Bridge", *, moves: bool) -> None:
        """Keep it a last time, for others, if the session ``moves``; else it is over."""
        ...

    async def renew(self, bridge: "Bridge") -> None:
        """Take word that the client has another token now."""
        ...


@dataclass(frozen=True, slots=True)
class Moved:
    """What another process knew of a session that goes on here, and how its client comes back."""

    said: Delivery
    """What it has not got."""
    received: int
    """How many of its messages were taken there."""
    token: str
    """The next with which it may come back."""
    after: str | None
    """The last event that it has got."""
    restored: dict[str, Any]
    """What it is told of the move."""


@dataclass(frozen=True, slots=True)
class Resumption:
    """How a client may come back to its session."""

    seconds: float
    """How long it may be away."""
    most_bytes: int
    """What is kept for it meanwhile."""
    over: Callable[[], None]
    """Called when the session is over."""
    keeping: Keeping | None = None
    """Where other processes could go on with it."""


class Bridge:
    """One session from its upgrade to its end."""

    def __init__(
        self,
        transport: Transport,
        limits: Limits,
        *,
        passage: Passage | None = None,
        protocols: tuple[str, ...] = (),
        resumption: Resumption | None = None,
        moved: Moved | None = None,
    ) -> None:
        self._transport = transport
        self._direct = direct(transport)
        self._limits = limits
        self._passage = passage or Passage()
        self._beside = Beside(transport, self._passage, say=self._say, end=self._end)
        self._ended: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        self._resumption = resumption
        self._keeping = resumption.keeping if resumption else None
        self._first = Leg(limits, protocols, numbered=resumption is not None)
        self._leg: Leg | None = self._first
        """Where the client is; None while it is away."""
        self._said = moved.said if moved else Delivery(resumption.most_bytes if resumption else 0)
        self._back = asyncio.Event()
        self._back.set()
        self._patience: asyncio.TimerHandle | None = None
        self._moved = moved
        self._moves = False
        """Whether others may go on with it."""
        self._received = moved.received if moved else 0
        self.taken = self._received
        """How many messages of the client have been given to the endpoint, all but the last of those received."""
        self._over = asyncio.Event()

    @property
    def socket(self) -> web.WebSocketResponse[bool]:
        """The client's first end, which is what a handler returns."""
        return self._first.socket

    @property
    def delivery(self) -> Delivery:
        """What the client is not known to have got."""
        return self._said

    def end(self, code: int, reason: str = "") -> None:
        """Say that it is over here, and why; another process may go on with it. Only the first to say so is heard."""
        self._moves |= not self._ended.done()
        self._end(code, reason)

    async def over(self) -> None:
        """Return when it is over."""
        await self._over.wait()

    async def run(self, request: web.Request) -> End:
        """Accept the upgrade, carry events until somebody ends it, and let go of both sides."""
        end = End(WSCloseCode.GOING_AWAY, "The server stops.")  # what a cancelled session tells
        try:
            if self._keeping is not None:
                await self._keeping.renew(self)
            await self._first.open(request)
            if (moved := self._moved) is not None:
                await self._begin_again(moved)
            for pump in (self._uplink(self._first), self._downlink(), self._beside.add(), self._tick()):
                self._beside.spawn(pump)
            if self._keeping is not None:
                self._beside.spawn(self._keeping.run(self))
            end = await self._ended
        except ConnectionLost as lost:
            end = End(lost.code, "The client has not waited for its session.")
        finally:
            await self._beside.cancel()
            if self._direct is not None:
                self._direct.give_to(None)
            self._passage.ended(end, time.monotonic())
            if self._patience is not None:
                self._patience.cancel()
            if self._resumption is not None:
                self._resumption.over()
            if self._keeping is not None:
                await self._keeping.end(self, moves=self._moves)
            await self._transport.close(end.code, end.reason)
            if self._moves:
                self._over.set()  # who goes on with it need not wait for the client's goodbye, which may never come
            if self._leg is not None:
                await self._leg.leave(end.code, end.reason)
            self._over.set()
        return end

    async def resume(self, request: web.Request, leg: Leg, *, token: str, after: str | None) -> None:
        """Go on over another WebSocket, with all that the client has not got, until that ends or the session does.

        ``after`` is the id of the last event that the client has got; without one it may get some events twice.
        ``token`` is the next with which it may come back.
        """
        self._leave_leg()
        self._back.clear()
        try:
            if self._keeping is not None:
                await self._keeping.renew(self)  # the token is good elsewhere before it is told
            await leg.open(request)
            await self._catch_up(leg, token=token, after=after)
        except (ConnectionLost, Stalled):
            self._await_client()
            return
        except BaseException:
            self._await_client()
            raise
        self._leg = leg
        self._back.set()
        self._beside.spawn(self._uplink(leg))
        if self._ended.done():  # while it came back
            await leg.leave(*_parts(self._ended.result()))
        await self._until_gone(leg)

    async def _begin_again(self, moved: Moved) -> None:
        """Go on with a session of another process, over its client's new WebSocket."""
        try:
            await self._catch_up(self._first, token=moved.token, after=moved.after, restored=moved.restored)
        except (ConnectionLost, Stalled):
            self._first.left.set()
            self._leg = None
            self._await_client()

    async def _catch_up(self, leg: Leg, *, token: str, after: str | None, **more: Any) -> None:
        """Tell a client that comes back what it has not got. Raises `Stalled` and `ConnectionLost`."""
        resumed = {"type": RESUMED, "event_id": _IDS.event(), "received": self._received}
        resumed |= {"complete": self._said.complete, "resume": {"token": token}, **more}
        await leg.say(msgspec.json.encode(resumed), WSMsgType.TEXT)
        number = self._said.after(after)
        while (said := self._said.get(number)) is not None:
            await leg.say(said.data, WSMsgType.BINARY if said.binary else WSMsgType.TEXT)
            number += 1

    def new_leg(self, protocols: tuple[str, ...]) -> Leg:
        """Make the WebSocket for a client that comes back."""
        return Leg(self._limits, protocols, numbered=True)

    async def _until_gone(self, leg: Leg) -> None:
        """Return when the client has left this WebSocket, or the session is over."""
        over = asyncio.create_task(self._over.wait())
        left = asyncio.create_task(leg.left.wait())
        try:
            await asyncio.wait({over, left}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
            left.cancel()

    def _end(self, code: int, reason: str = "") -> None:
        if not self._ended.done():
            self._ended.set_result(End(code, reason))

    def _leave_leg(self) -> None:
        """Take the place of a WebSocket whose client comes back over another."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        if self._leg is not None:
            self._leg.abort()
            self._leg = None

    def _drop(self, leg: Leg, code: int) -> None:
        """Take word that a WebSocket broke."""
        leg.left.set()
        if self._resumption is None:
            self._end(code)
        elif self._leg is leg and not self._ended.done():
            self._leg = None
            self._await_client()

    def _await_client(self) -> None:
        """Give the client some time to come back."""
        self._back.clear()
        if self._resumption is not None and not self._ended.done():
            self._patience = asyncio.get_running_loop().call_later(
                self._resumption.seconds,
                self._end,
                WSCloseCode.ABNORMAL_CLOSURE,
                "The client did not come back.",
            )

    async def _uplink(self, leg: Leg) -> None:
        if self._direct is not None and leg.socket.lane is not None:
            leg.socket.lane.taker = self._pass_up
        try:
            while not self._ended.done():
                self.taken = self._received
                message = await leg.socket.receive()
                self._received += message.type in MESSAGES
                if message.type is WSMsgType.TEXT and (kind := self._passes_up(message.data)) is not None:
                    self._passage.saw_up(message.data, kind, time.monotonic())
                    await self._transport.send(message.data)
                    continue
                match message.type:
                    case WSMsgType.TEXT | WSMsgType.BINARY if len(message.data) <= self._limits.message:
                        binary = message.type is WSMsgType.BINARY
                        heard = self._passage.hear(message.data, time.monotonic(), binary=binary)
                        await self._beside.do(heard, may_wait=True)  # the client is its own to hold up
                    case WSMsgType.TEXT | WSMsgType.BINARY:
                        too_large = _too_large(self._limits.message, len(message.data))
                        await self._beside.do(self._passage.complain(too_large, time.monotonic()))
                    case WSMsgType.CLOSE:
                        self._end(message.data or WSCloseCode.OK, message.extra or "")
                    case WSMsgType.ERROR if isinstance(message.data, WebSocketError):
                        self._end(message.data.code, str(message.data))
                    case WSMsgType.PING:
                        await leg.pong(message.data)
                    case WSMsgType.PONG:
                        if len(message.data) == NUMBER_BYTES:
                            self._said.arrived(int.from_bytes(message.data, "big"))
                    case _:
                        self._drop(leg, leg.socket.close_code or WSCloseCode.ABNORMAL_CLOSURE)
                        return
        except ConnectionLost:
            return  # the downlink delivers the last events of the endpoint, and then ends the session

    async def _downlink(self) -> None:
        if self._direct is not None:
            self._direct.give_to(self._pass_down)
        try:
            while not self._ended.done():
                data = await self._transport.receive()
                await self._beside.do(self._passage.receive(data, time.monotonic()))
        except ConnectionLost as lost:
            self._end(lost.code, lost.reason)
        except ProtocolError as error:
            self._end(WSCloseCode.INTERNAL_ERROR, f"The endpoint does not speak the protocol: {error}")

    def _passes_up(self, data: bytes) -> str | None:
        """Return the type of an event that may go up as it is, untouched by any stage; None for all others."""
        if len(data) > self._limits.message or not self._beside.in_order:
            return None
        try:
            kind = event_type(data)
        except ProtocolError:
            return None  # the passage says what is wrong with it
        return kind if self._passage.lets_up(data, kind) else None

    # The short cuts: what is called while the uplink, or the downlink, has nothing to do but to wait.

    def _pass_up(self, data: bytes) -> bool:
        kind = self._passes_up(data)
        if (
            kind is None
            or self._direct is None
            or self._ended.done()
            or not self._direct.send_now(data, kind)
        ):
            return False
        self._received += 1
        self.taken = self._received
        self._passage.saw_up(data, kind, time.monotonic())
        return True

    def _pass_down(self, data: bytes, kind: str) -> bool:
        leg = self._leg
        if (
            leg is None
            or self._ended.done()
            or not self._passage.lets_down(data, kind)
            or not leg.say_now(data)
        ):
            return False
        if self._resumption is not None:
            self._said.add(Said(data))
        self._passage.saw_down(data, kind, time.monotonic())
        return True

    async def _tick(self) -> None:
        if self._moved is not None:  # else who moves each second would never be asked
            await self._beside.tick()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            if self._resumption is not None and self._leg is not None:
                await self._leg.ping(self._said.count.to_bytes(NUMBER_BYTES, "big"))
            await self._beside.tick()

    async def _say(self, told: ToClient) -> None:
        data, binary = told.data, told.binary
        if self._resumption is not None:
            try:
                while self._leg is None and not self._said.has_room(len(data)):
                    await self._back.wait()  # and so the endpoint waits
            finally:  # also where it ends meanwhile: others may go on with it
                self._said.add(Said(data, binary))
        if (leg := self._leg) is None:
            return
        try:
            await leg.say(data, WSMsgType.BINARY if binary else WSMsgType.TEXT)
        except Stalled as stalled:
            self._end(WSCloseCode.POLICY_VIOLATION, str(stalled))
        except ConnectionLost as lost:
            self._drop(leg, lost.code)


def _parts(end: End) -> tuple[int, str]:
    return end.code, end.reason


def _too_large(limit: int, size: int) -> ProtocolError:
    return ProtocolError(
        f"Expected an event of at most {limit} bytes, got one of {size}.", code="message_too_large"
    )
