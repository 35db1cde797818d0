"""A bad network between two peers on this machine: packets are late, lost and out of order, as a seed says."""

import asyncio
import random
import re


class _End(asyncio.DatagramProtocol):
    """One end of the path: what arrives here leaves at the other."""

    def __init__(self, path):
        self.path = path
        self.other = None
        self.peer = None
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.peer = address
        self.path.carry(data, self.other)


class BadNetwork:
    """Carries packets ``delay`` seconds late, give or take ``jitter``, and loses a share of them."""

    def __init__(self, *, delay=0.0, jitter=0.0, loss=0.0, seed=0):
        self.delay, self.jitter, self.loss = delay, jitter, loss
        self.cut = False
        """Whether nothing passes at all."""
        self.carried = self.lost = 0
        self._random = random.Random(seed)
        self._ends = []

    async def between(self, answer):
        """Return an answer whose one address is that of this network, on the way to the address that it had."""
        (host, port) = re.search(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", answer).groups()
        loop = asyncio.get_running_loop()
        for _ in range(2):
            _, end = await loop.create_datagram_endpoint(lambda: _End(self), local_addr=("127.0.0.1", 0))
            self._ends.append(end)
        near, far = self._ends[-2:]
        near.other, far.other = far, near
        far.peer = (host, int(port))
        at = near.transport.get_extra_info("sockname")[1]
        return answer.replace(f"{host} {port} typ host", f"127.0.0.1 {at} typ host")

    def carry(self, data, end):
        if self.cut or self._random.random() < self.loss:
            self.lost += 1
            return
        self.carried += 1
        late = max(0.0, self.delay + self._random.uniform(-self.jitter, self.jitter))
        asyncio.get_running_loop().call_later(late, self._deliver, data, end)

    def _deliver(self, data, end):
        if end.peer is not None and not end.transport.is_closing():
            end.transport.sendto(data, end.peer)

    def close(self):
        for end in self._ends:
            end.transport.close()


def without_addresses(offer):
    """Return an offer that names no address: the peer learns it from the packets that come."""
    return "".join(
        line
        for line in offer.splitlines(keepends=True)
        if not line.startswith(("a=candidate", "a=end-of-candidates"))
    )
