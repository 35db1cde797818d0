"""One WebSocket of a client: the first of its session, or one with which it came back."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from aiohttp import ClientConnectionResetError, WSCloseCode, WSMsgType, web

from vivavoce.errors import ConnectionLost
from vivavoce.gateway.lane import AcceptedSocket, text_frame

__all__ = ["Leg", "Limits", "Stalled"]

MAX_REASON_BYTES = 123
"""What a close frame has room for (RFC 6455, 5.5)."""

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


class Stalled(Exception):  # noqa: N818 - says what happened
    """The client does not read."""


class Leg:
    """A client's end of a session. With ``numbered``, pings and pongs are left to whoever reads."""

    def __init__(self, limits: Limits, protocols: tuple[str, ...] = (), *, numbered: bool = False) -> None:
        self._limits = limits
        self._line: asyncio.Transport | None = None
        """What carries the WebSocket, once it is open."""
        self.left = asyncio.Event()
        """Set when the client is gone."""
        # Text stays bytes: both sides want UTF-8, and 20 MB are not decoded only to be encoded again.
        self.socket = AcceptedSocket(
            protocols=protocols,
            compress=False,  # 34 % smaller for 54 µs an event: experiments/websocket_compression.py
            decode_text=False,
            heartbeat=limits.heartbeat,
            autoping=not numbered,
            timeout=limits.close_timeout,
            max_msg_size=2 * limits.message,
            writer_limit=limits.send_buffer,
        )

    async def open(self, request: web.Request) -> None:
        """Accept the upgrade. Raises `ConnectionLost` where the client has not waited for it."""
        try:
            await self.socket.prepare(request)
        except ConnectionResetError as error:
            raise ConnectionLost(WSCloseCode.ABNORMAL_CLOSURE) from error
        if request.transport is not None:
            request.transport.set_write_buffer_limits(high=self._limits.send_buffer)
            self._line = request.transport

    async def say(self, data: bytes, kind: Literal[WSMsgType.TEXT, WSMsgType.BINARY]) -> None:
        """Tell the client; wait while it reads slowly. Raises `Stalled` and `ConnectionLost`."""
        try:
            if self._has_room(
                len(data)
            ):  # then nobody is waited for, and a timer would cost as much as the rest
                await self.socket.send_frame(data, kind)
                return
            async with asyncio.timeout(self._limits.send_timeout):
                await self.socket.send_frame(data, kind)
        except TimeoutError as error:
            seconds = self._limits.send_timeout
            raise Stalled(f"The client has not read for {seconds:g} seconds.") from error
        except ClientConnectionResetError as error:
            raise ConnectionLost(WSCloseCode.ABNORMAL_CLOSURE) from error

    def say_now(self, data: bytes) -> bool:
        """Tell the client in a text frame, if it need not be waited for; return whether it was told."""
        line = self._line
        if line is None or line.is_closing() or self.socket.closed or not self._has_room(len(data)):
            return False
        line.write(text_frame(data, masked=False))
        return True

    async def ping(self, payload: bytes) -> None:
        """Ask the client to say ``payload`` back, once it has got all that was said before."""
        with suppress(ClientConnectionResetError):  # who reads learns of it
            await self.socket.ping(payload)

    async def pong(self, payload: bytes) -> None:
        """Answer a ping of the client."""
        with suppress(ClientConnectionResetError):  # as above
            await self.socket.pong(payload)

    async def leave(self, code: int, reason: str) -> None:
        """Say goodbye, and cut the line if the client does not read that."""
        if not self.socket.prepared:
            return
        code = WSCloseCode.INTERNAL_ERROR if code in NEVER_SENT else code
        message = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore").encode()
        await self.socket.close(code=code, message=message, drain=False)
        if self._line is not None and self._line.get_write_buffer_size():
            # A transport waits for its buffer to empty before it closes, for ever if nobody reads.
            asyncio.get_running_loop().call_later(self._limits.close_timeout, self._line.abort)

    def abort(self) -> None:
        """Cut the line without a word: nobody is there any more."""
        if self._line is not None:
            self._line.abort()

    def _has_room(self, size: int) -> bool:
        """Tell whether so many bytes can be written without waiting for the client to read."""
        line = self._line
        return (
            line is not None and line.get_write_buffer_size() + size + FRAME_BYTES <= self._limits.send_buffer
        )
