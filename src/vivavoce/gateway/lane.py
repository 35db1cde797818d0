"""A short cut for what a WebSocket brings: whoever waits for it is called, and no task has to wake up.

Between a message that aiohttp has read and a task that awaits it are a queue, a future and a turn of the event loop;
for a relay that is half of its work. A `Lane` is that queue, with a door beside it: while its reader waits and nothing
waits for the reader, a message is offered to a `Taker` first. What that does not take goes the long way, in its order.

aiohttp has no place for such a queue, so both sockets here put theirs where aiohttp has its own. Where it comes to be
elsewhere, they work as aiohttp's do: then there is no lane, and nothing takes the short cut.
"""

import asyncio
from collections.abc import Callable
from random import getrandbits
from typing import Any

from aiohttp import WSMsgType, web
from aiohttp._websocket.helpers import websocket_mask
from aiohttp._websocket.reader import WebSocketDataQueue
from aiohttp.http import WebSocketReader

from vivavoce.client.transport import PatientSocket

__all__ = ["AcceptedSocket", "DialledSocket", "Lane", "text_frame"]

QUEUE_BYTES = 64 * 1024
"""What may wait to be read, half of it; as aiohttp has it."""

_TEXT = 0x81
_MASKED = 0x80


class Lane(WebSocketDataQueue):
    """The messages of one WebSocket."""

    taker: Callable[[bytes], bool] | None = None
    """Is offered the text messages that may take the short cut, and tells whether it has taken one."""
    _idle = False

    async def read(self) -> Any:
        """Return the next message that was not taken."""
        self._idle = not self._buffer
        try:
            return await super().read()
        finally:
            self._idle = False

    def feed_data(self, data: Any, size: int) -> None:
        """Take a message."""
        taker = self.taker
        if (
            taker is not None
            and self._idle
            and not self._buffer
            and data[0] is WSMsgType.TEXT
            and taker(data[1])
        ):
            return
        super().feed_data(data, size)


class _Unhurried:
    """A WebSocket with a heartbeat that costs less: a message moves the next beat, and sets no timer for that."""

    def _on_data_received(self: Any) -> None:
        if self._heartbeat is None:
            return
        if self._pong_response_cb is not None:
            self._reset_heartbeat()  # somebody is there after all
        else:
            self._heartbeat_when = self._loop.time() + self._heartbeat


class AcceptedSocket(_Unhurried, web.WebSocketResponse[bool]):
    """The end of a client's WebSocket, with a lane once it is open.

    It takes nobody for gone to whom it does not listen, as when the endpoint has to be waited for.
    """

    lane: Lane | None = None

    def _pong_not_received(self) -> None:
        if self._waiting:
            super()._pong_not_received()
        else:
            self._reset_heartbeat()

    @property
    def _reader(self) -> WebSocketDataQueue | None:
        return self.lane

    @_reader.setter
    def _reader(self, queue: WebSocketDataQueue | None) -> None:
        if queue is not None:
            self.lane = Lane(queue._protocol, QUEUE_BYTES, loop=asyncio.get_running_loop())  # noqa: SLF001


class DialledSocket(_Unhurried, PatientSocket):
    """Our end of a WebSocket to an endpoint. `settle` it at once; then it has a lane."""

    lane: Lane | None = None
    _reads: WebSocketReader | None = None

    def __init__(
        self, reader: Any, writer: Any, protocol: str | None, response: Any, *rest: Any, **more: Any
    ) -> None:
        super().__init__(reader, writer, protocol, response, *rest, **more)
        self._line = response.connection.protocol

    @property
    def _parser(self) -> WebSocketReader | None:
        return self._reads

    @_parser.setter
    def _parser(self, reads: WebSocketReader | None) -> None:
        if reads is None:
            self._reads = None
        elif self.lane is None:
            self.lane = self._reader = Lane(self._line, QUEUE_BYTES, loop=self._loop)
            self._reads = WebSocketReader(self.lane, self.max_msg_size, compress=False, decode_text=False)

    @property
    def max_msg_size(self) -> int:
        """The largest message that is read, in bytes; 0 for any."""
        return 0

    @property
    def line(self) -> asyncio.Transport | None:
        """What carries the WebSocket."""
        line: asyncio.Transport | None = self._line.transport
        return line

    def settle(self) -> None:
        """Let the end of the connection be told to the lane as well."""
        if self.lane is not None:
            self._line.set_parser(self._reads, self.lane, data_received_cb=self._on_data_received)


def text_frame(payload: bytes, *, masked: bool) -> bytes:
    """Write a text message as one frame (RFC 6455, 5.2); a client's is ``masked``."""
    size, bit = len(payload), _MASKED if masked else 0
    if size < 126:
        head = bytes((_TEXT, bit | size))
    elif size < 1 << 16:
        head = bytes((_TEXT, bit | 126, size >> 8, size & 0xFF))
    else:
        head = bytes((_TEXT, bit | 127)) + size.to_bytes(8, "big")
    if not masked:
        return head + payload
    mask = getrandbits(32).to_bytes(4, "big")
    body = bytearray(payload)
    websocket_mask(mask, body)
    return b"".join((head, mask, body))
