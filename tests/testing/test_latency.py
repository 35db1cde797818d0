import asyncio
import time

import pytest

from vivavoce.errors import ConnectionLost
from vivavoce.testing.latency import SlowTransport
from vivavoce.testing.script import Latency


class Echo:
    """Gives back what it is sent, until it is told to end."""

    def __init__(self):
        self.waiting = asyncio.Queue()
        self.closed = []

    async def send(self, data):
        await self.waiting.put(data)

    async def receive(self):
        data = await self.waiting.get()
        if data == "end":
            raise ConnectionLost(1001, "over")
        return data

    async def close(self, code=1000, reason=""):
        self.closed.append((code, reason))


@pytest.mark.parametrize("latency", [Latency(30, 0), Latency(0, 30), Latency(15, 15)])
async def test_a_way_takes_as_long_as_was_asked_and_keeps_the_order(latency):
    transport = SlowTransport(Echo(), latency)
    began = time.monotonic()
    for number in range(50):
        await transport.send(str(number))
    sent = time.monotonic() - began
    assert [await transport.receive() for _ in range(50)] == [str(number) for number in range(50)]
    took = time.monotonic() - began
    assert sent < 0.03 <= took < 0.3  # each is as late as the first: they do not queue for one another
    await transport.close()


async def test_the_end_is_told_after_all_that_was_said():
    transport = SlowTransport(Echo(), Latency(1, 1))
    for word in ("one", "two", "end"):
        await transport.send(word)
    assert [await transport.receive() for _ in range(2)] == ["one", "two"]
    for _ in range(2):
        with pytest.raises(ConnectionLost, match=r"1001: over"):
            await transport.receive()
    with pytest.raises(ConnectionLost, match=r"1001: over"):
        await transport.send("three")
    await transport.close()


async def test_who_stops_waiting_misses_nothing():
    transport = SlowTransport(Echo(), Latency(0, 30))
    await transport.send("one")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(transport.receive(), 0.01)
    assert await transport.receive() == "one"
    await transport.close()


async def test_who_only_sends_is_told_of_the_end():
    class Gone(Echo):
        async def send(self, data):
            raise ConnectionLost(1006, "gone")

    transport = SlowTransport(Gone(), Latency(1, 1))

    async def send_on():
        while True:
            await transport.send("one")
            await asyncio.sleep(0)

    with pytest.raises(ConnectionLost, match="1006: gone"):
        await asyncio.wait_for(send_on(), 5)
    await transport.close()


async def test_closing_frees_who_waits_and_may_be_done_twice():
    echo = Echo()
    transport = SlowTransport(echo, Latency(1, 1))
    receiving = asyncio.create_task(transport.receive())
    await asyncio.sleep(0)
    await transport.close(1000, "done")
    await transport.close()
    with pytest.raises(ConnectionLost, match=r"1000: done"):
        await receiving
    assert echo.closed[0] == (1000, "done")
