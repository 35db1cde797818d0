"""A transport for relays, over a WebSocket: while nothing is in its way, what goes either way needs no task."""

from typing import Any, ClassVar

import aiohttp

from vivavoce.client import transport
from vivavoce.client.transport import PatientSocket, WebSocketTransport
from vivavoce.errors import ProtocolError
from vivavoce.gateway.lane import DialledSocket, text_frame
from vivavoce.gateway.upstream import Taker
from vivavoce.protocol.codec import event_type

__all__ = ["DirectTransport"]

MOST_UNSENT_BYTES = 64 * 1024
"""What may wait for the network before whoever sends has to."""


class _Socket(DialledSocket):
    @property
    def max_msg_size(self) -> int:
        return transport.MAX_MESSAGE_BYTES


class DirectTransport(WebSocketTransport):
    """Make one with `connect`."""

    SOCKET: ClassVar[type[PatientSocket]] = _Socket

    def __init__(self, socket: Any, session: aiohttp.ClientSession) -> None:
        super().__init__(socket, session)
        socket.settle()
        self._direct: DialledSocket = socket
        self.direct = self if socket.lane is not None else None
        """Itself, where there is a short cut."""

    def send_now(self, data: bytes, kind: str) -> bool:  # noqa: ARG002 - it is the same for all
        """Send an event, if that can be done without waiting; tell whether it was."""
        line = self._direct.line
        if (
            line is None
            or self._direct.closed
            or line.is_closing()
            or line.get_write_buffer_size() + len(data) > MOST_UNSENT_BYTES
        ):
            return False
        line.write(text_frame(data, masked=True))
        return True

    def give_to(self, taker: Taker | None) -> None:
        """Offer the events that come while somebody waits in `receive` to ``taker``; None ends that."""
        lane = self._direct.lane
        assert lane is not None, "there is no short cut"
        if taker is None:
            lane.taker = None
            return

        def take(data: bytes) -> bool:
            try:
                kind = event_type(data)
            except ProtocolError:
                return False  # who receives it, says what is wrong with it
            return taker(data, kind)

        lane.taker = take
