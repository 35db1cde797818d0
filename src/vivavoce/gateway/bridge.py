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

The first of both, or `Bridge.end`, to say why it is over decides the close code that everyone sees. A client
that does not read costs at most twice `Limits.send_buffer` and two events, and nobody else notices.

Beside them runs what stages add: a task that sends the endpoint what did not come from the client, so that the
downlink never waits for the endpoint; one that asks the stages each second for what is due; and their own work.
"""

import asyncio
import logging
import time
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import ClientConnectionResetError, WebSocketError, WSCloseCode, WSMsgType, web

from vivavoce.errors import ConnectionLost, ProtocolError
from vivavoce.gateway.passage import End, Output, Passage, Task, ToClient, ToEndpoint
from vivavoce.gateway.upstream import Transport

__all__ = ["Bridge", "Limits"]

_log = logging.getLogger(__name__)

MAX_REASON_BYTES = 123
"""What a close frame has room for (RFC 6455, 5.5)."""

TICK_SECONDS = 1.0
"""From one time that the stages are asked for what is due to the next."""

MOST_ADDED = 256
"""Events of the stages that may wait for the endpoint; a stage that adds more is at fault, and its session ends."""

FRAME_BYTES = 14
"""The most that a WebSocket adds to a message (RFC 6455, 5.2)."""

NEVER_SENT = frozenset({1005, 1006, 1015})
"""Close codes that tell of a missing or broken close, and must not be written in one (RFC 6455, 7.4.1)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may cost."""

    message: int
    """Bytes of one event of the client. A longer one gets an ``error`` event; one of more than twice this is
    not even read, and ends the session with 1009."""
    send_buffer: int
    """Bytes that wait for the client, beyond what the kernel holds."""
    send_timeout: float
    """Seconds that the client may go without reading."""
    close_timeout: float
    """Seconds for the closing handshake."""
    heartbeat: float
    """Seconds of silence before a ping."""


class Bridge:
    """One session from its upgrade to its end."""

    def __init__(
        self,
        transport: Transport,
        limits: Limits,
        *,
        passage: Passage | None = None,
        protocols: tuple[str, ...] = (),
    ) -> None:
        self._transport = transport
        self._limits = limits
        self._passage = passage or Passage()
        self._added: asyncio.Queue[bytes] = asyncio.Queue(MOST_ADDED)
        self._tasks: set[asyncio.Task[None]] = set()
        self._line: asyncio.Transport | None = None
        """What carries the client's WebSocket, once it is open."""
        self._ended: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        # Text stays bytes: both sides want UTF-8, and 20 MB are not decoded only to be encoded again.
        self._socket: web.WebSocketResponse[bool] = web.WebSocketResponse(
            protocols=protocols,
            compress=False,  # 34 % smaller for 54 µs an event: experiments/websocket_compression.py
            decode_text=False,
            heartbeat=limits.heartbeat,
            timeout=limits.close_timeout,
            max_msg_size=2 * limits.message,
            writer_limit=limits.send_buffer,
        )

    @property
    def socket(self) -> web.WebSocketResponse[bool]:
        """The client's end, which is what a handler returns."""
        return self._socket

    def end(self, code: int, reason: str = "") -> None:
        """Say that it is over, and why. Only the first to say so is heard."""
        if not self._ended.done():
            self._ended.set_result(End(code, reason))

    async def run(self, request: web.Request) -> End:
        """Accept the upgrade, carry events until somebody ends it, and let go of both sides."""
        end = End(WSCloseCode.GOING_AWAY, "The server stops.")  # what a cancelled session tells
        try:
            await self._socket.prepare(request)
            if request.transport is not None:
                request.transport.set_write_buffer_limits(high=self._limits.send_buffer)
                self._line = request.transport
            for pump in (self._uplink(), self._downlink(), self._add(), self._tick()):
                self._spawn(pump)
            end = await self._ended
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._passage.ended(end, time.monotonic())
            await self._transport.close(end.code, end.reason)
            await self._say_goodbye(request, end)
        return end

    async def _uplink(self) -> None:
        try:
            while not self._ended.done():
                message = await self._socket.receive()
                if message.type is WSMsgType.TEXT and self._passes_up(message.data):
                    await self._transport.send(message.data)
                    continue
                match message.type:
                    case WSMsgType.TEXT | WSMsgType.BINARY if len(message.data) <= self._limits.message:
                        binary = message.type is WSMsgType.BINARY
                        heard = self._passage.hear(message.data, time.monotonic(), binary=binary)
                        await self._do(heard, at_the_uplink=True)
                    case WSMsgType.TEXT | WSMsgType.BINARY:
                        too_large = _too_large(self._limits.message, len(message.data))
                        await self._do(self._passage.complain(too_large, time.monotonic()))
                    case WSMsgType.CLOSE:
                        self.end(message.data or WSCloseCode.OK, message.extra or "")
                    case WSMsgType.ERROR if isinstance(message.data, WebSocketError):
                        self.end(message.data.code, str(message.data))
                    case _:
                        self.end(self._socket.close_code or WSCloseCode.ABNORMAL_CLOSURE)
        except ConnectionLost:
            return  # the downlink delivers the last events of the endpoint, and then ends the session

    async def _downlink(self) -> None:
        try:
            while not self._ended.done():
                data = await self._transport.receive()
                if isinstance(data, bytes) and self._passage.lets_down(data):
                    await self._say(data, WSMsgType.TEXT)
                else:
                    await self._do(self._passage.receive(data, time.monotonic()))
        except ConnectionLost as lost:
            self.end(lost.code, lost.reason)
        except ProtocolError as error:
            self.end(WSCloseCode.INTERNAL_ERROR, f"The endpoint does not speak the protocol: {error}")

    def _passes_up(self, data: bytes) -> bool:
        return len(data) <= self._limits.message and self._passage.lets_up(data)

    async def _do(self, outputs: Iterable[Output], *, at_the_uplink: bool = False) -> None:
        """Do what the passage says. Only the uplink may wait for the endpoint: the client is its own to hold up."""
        for output in outputs:
            match output:
                case ToClient(data, binary):
                    await self._say(data, WSMsgType.BINARY if binary else WSMsgType.TEXT)
                case ToEndpoint(data) if at_the_uplink:
                    await self._transport.send(data)
                case ToEndpoint(data):
                    self._added.put_nowait(data)
                case Task():
                    self._spawn(self._work(output))
                case End(code, reason):
                    self.end(code, reason)

    async def _add(self) -> None:
        try:
            while True:
                await self._transport.send(await self._added.get())
        except ConnectionLost:
            return  # as in the uplink

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            await self._do(self._passage.tick(time.monotonic()))

    async def _work(self, task: Task) -> None:
        effects = await task.work()
        await self._do(self._passage.enter(task.position, effects, time.monotonic()))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._check)

    async def _say(self, data: bytes, kind: Literal[WSMsgType.TEXT, WSMsgType.BINARY]) -> None:
        try:
            if self._has_room(
                len(data)
            ):  # then this waits for nobody, and a timer would cost as much as the rest
                await self._socket.send_frame(data, kind)
                return
            async with asyncio.timeout(self._limits.send_timeout):
                await self._socket.send_frame(data, kind)
        except TimeoutError:
            seconds = self._limits.send_timeout
            self.end(WSCloseCode.POLICY_VIOLATION, f"The client has not read for {seconds:g} seconds.")
        except ClientConnectionResetError:
            self.end(WSCloseCode.ABNORMAL_CLOSURE)

    def _has_room(self, size: int) -> bool:
        """Tell whether so many bytes can be written without waiting for the client to read."""
        line = self._line
        return (
            line is not None and line.get_write_buffer_size() + size + FRAME_BYTES <= self._limits.send_buffer
        )

    def _check(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a session failed", exc_info=error)
            self.end(WSCloseCode.INTERNAL_ERROR, "The session failed; this is a defect of the server.")

    async def _say_goodbye(self, request: web.Request, end: End) -> None:
        if not self._socket.prepared:
            return
        code = WSCloseCode.INTERNAL_ERROR if end.code in NEVER_SENT else end.code
        reason = end.reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore").encode()
        await self._socket.close(code=code, message=reason, drain=False)
        connection = request.transport
        if connection is not None and connection.get_write_buffer_size():
            # A transport waits for its buffer to empty before it closes, for ever if nobody reads.
            asyncio.get_running_loop().call_later(self._limits.close_timeout, connection.abort)


def _too_large(limit: int, size: int) -> ProtocolError:
    return ProtocolError(
        f"Expected an event of at most {limit} bytes, got one of {size}.", code="message_too_large"
    )
