"""A bad network between two peers of a call on this machine: packets are late, lost and out of order, as a seed says.

It stands in for `tc netem`, for which many kernels have no module.
"""

import asyncio
import random
import re
from collections.abc import Callable
from typing import Any

__all__ = ["BadLine", "BadNetwork"]

Address = tuple[str, int]


class BadLine:
    """What becomes of packets: they come ``delay`` seconds late, give or take ``jitter``, and a share is lost."""

    def __init__(self, *, delay: float = 0.0, jitter: float = 0.0, loss: float = 0.0, seed: int = 0) -> None:
        self._delay, self._jitter, self._loss = delay, jitter, loss
        self.cut = False
        """Whether nothing passes at all."""
        self.carried = self.lost = 0
        self._random = random.Random(seed)

    def carry(self, deliver: Callable[[], None]) -> None:
        """Deliver a packet, in its time, or lose it."""
        if self.cut or self._random.random() < self._loss:
            self.lost += 1
            return
        self.carried += 1
        late = max(0.0, self._delay + self._random.uniform(-self._jitter, self._jitter))
        asyncio.get_running_loop().call_later(late, deliver)


class _End(asyncio.DatagramProtocol):
    """One end of the path: what arrives here leaves at the other."""

    other: "_End"
    transport: asyncio.DatagramTransport

    def __init__(self, line: BadLine) -> None:
        self._line = line
        self.peer: Address | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self.transport = transport

    def datagram_received(self, data: bytes, address: Address) -> None:
        """Carry a packet to the other end."""
        self.peer = address
        self._line.carry(lambda: self.other.deliver(data))

    def deliver(self, data: bytes) -> None:
        """Send a packet to the peer on this side."""
        if self.peer is not None and not self.transport.is_closing():
            self.transport.sendto(data, self.peer)


class BadNetwork(BadLine):
    """A bad line between two peers in this process."""

    def __init__(self, **line: Any) -> None:
        super().__init__(**line)
        self._ends: list[_End] = []

    async def between(self, answer: str) -> str:
        """Return an answer whose one address is that of this network, on the way to the address that it had.

        The offer must have been without addresses, so that nothing goes past the network.
        """
        found = re.search(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", answer)
        assert found is not None
        loop = asyncio.get_running_loop()
        for _ in range(2):
            _, end = await loop.create_datagram_endpoint(lambda: _End(self), local_addr=("127.0.0.1", 0))
            self._ends.append(end)
        near, far = self._ends[-2:]
        near.other, far.other = far, near
        far.peer = (found[1], int(found[2]))
        at = near.transport.get_extra_info("sockname")[1]
        return answer.replace(f"{found[1]} {found[2]} typ host", f"127.0.0.1 {at} typ host")

    def close(self) -> None:
        """Carry nothing any more."""
        for end in self._ends:
            end.transport.close()
