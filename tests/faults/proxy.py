"""A line that fails on command: a TCP proxy on loopback, which knows nothing of what it carries."""

import asyncio
import contextlib
import random
from contextlib import asynccontextmanager

CHUNK = 2**16
NARROW = 2**14
"""Bytes that the kernel may hold of what a stalled reader does not take."""


class Wire:
    """One connection through the proxy: from the client, ``up``, and to it, ``down``."""

    def __init__(self, proxy, client):
        self.proxy = proxy
        self.writers = [client[1]]
        self.carried = {"up": 0, "down": 0}
        self.silent = False
        """Whether all that comes gets lost, while both ends stay connected."""
        self._flows = _flowing()
        self._client = client

    async def carry(self):
        """Carry both ways until one side ends, and then neither has the line."""
        pumps = []
        try:
            server = await asyncio.open_connection("127.0.0.1", self.proxy.target)
            self.writers.append(server[1])
            pumps = [
                asyncio.create_task(self._pump("up", self._client[0], server[1])),
                asyncio.create_task(self._pump("down", server[0], self._client[1])),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        except OSError:
            pass  # nobody is there
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for writer in self.writers:
                writer.close()

    def stall(self, *ways):
        """Read no more on these ways, so that whoever writes has to wait."""
        for way in ways:
            self._flows[way].clear()

    def go_on(self):
        """Let everything pass again that was stalled."""
        for flow in self._flows.values():
            flow.set()

    def cut(self):
        """Break the line on both sides, without a goodbye."""
        for writer in self.writers:
            writer.transport.abort()

    async def _pump(self, way, reader, writer):
        proxy = self.proxy
        with contextlib.suppress(OSError):
            while True:
                await self._flowing(way)
                data = await reader.read(CHUNK)
                if not data:
                    return
                await self._flowing(way)
                if self.silent:
                    continue
                for piece in proxy.spoil(way, data):
                    await proxy.linger()
                    writer.write(piece)
                    await writer.drain()
                    self.carried[way] += len(piece)

    async def _flowing(self, way):
        await self.proxy.flows[way].wait()
        await self._flows[way].wait()


def _flowing():
    flows = {"up": asyncio.Event(), "down": asyncio.Event()}
    for flow in flows.values():
        flow.set()
    return flows


class Proxy:
    """The proxy, and what it is to do. Its chances are drawn from ``seed``, so that they fall alike each time."""

    def __init__(self, target, seed):
        self.target = target
        """The port that it leads to; new connections go to whatever it is then."""
        self.wires = []
        """All connections that there ever were."""
        self.arrivals = asyncio.Queue()
        self.flows = _flowing()
        self.refuses = False
        self.port = 0
        self.delay = 0.0
        """Seconds by which each piece may be late, at the most."""
        self.longest = CHUNK
        """Bytes in which what comes is passed on, at the most."""
        self.corrupting = {}
        """How many bits are yet to be turned over on each way."""
        self._chance = random.Random(seed)
        self._tasks = set()

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.port}/v1/realtime"

    def cut(self):
        """Break all connections."""
        for wire in self.wires:
            wire.cut()

    def stall(self, *ways):
        """Read no more on these ways, over any connection."""
        for way in ways:
            self.flows[way].clear()

    def go_on(self):
        """Let everything pass again that was stalled."""
        for flow in self.flows.values():
            flow.set()
        for wire in self.wires:
            wire.go_on()

    def fall_silent(self):
        """Lose all that comes over these connections, either way: no packet arrives, and nobody is told."""
        for wire in self.wires:
            wire.silent = True

    def corrupt(self, way, bits=8):
        """Turn over so many bits of what comes next on this way."""
        self.corrupting[way] = bits

    def spoil(self, way, data):
        """Return the pieces of what came, as they are to be passed on."""
        if bits := self.corrupting.pop(way, 0):
            data = bytearray(data)
            for _ in range(bits):
                data[self._chance.randrange(len(data))] ^= 1 << self._chance.randrange(8)
        start = 0
        while start < len(data):
            size = self.longest if self.longest == CHUNK else self._chance.randint(1, self.longest)
            yield data[start : start + size]
            start += size

    async def linger(self):
        """Be as late as chance has it."""
        if self.delay:
            await asyncio.sleep(self._chance.uniform(0, self.delay))

    async def accept(self, reader, writer):
        """Take a connection."""
        if self.refuses:
            writer.transport.abort()
            return
        task = asyncio.current_task()
        self._tasks.add(task)
        wire = Wire(self, (reader, writer))
        self.wires.append(wire)
        self.arrivals.put_nowait(wire)
        try:
            await wire.carry()
        finally:
            self._tasks.discard(task)

    async def close(self):
        """End all connections."""
        self.go_on()
        self.cut()
        await asyncio.gather(*self._tasks)


@asynccontextmanager
async def proxying(target, seed=1):
    """Run a proxy that leads to a port of this machine."""
    proxy = Proxy(target, seed)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0, limit=NARROW)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
