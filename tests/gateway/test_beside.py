import asyncio

import pytest

from vivavoce.errors import ConnectionLost
from vivavoce.gateway.beside import MOST_ADDED, Beside
from vivavoce.gateway.passage import End, Passage, Stage, Task, ToClient, ToEndpoint, Up
from vivavoce.protocol.codec import Frame

from .doubles import ScriptedTransport


class Ticks(Stage):
    def tick(self, now):
        return [Up(Frame('{"type":"tick"}'))]


class House:
    """A session's holder, who notes what it is to do."""

    def __init__(self, *stages):
        self.transport = ScriptedTransport("m", lambda _: [])
        self.said, self.ended = [], asyncio.get_running_loop().create_future()
        self.beside = Beside(self.transport, Passage(stages), say=self._say, end=self._end)

    async def _say(self, told):
        self.said.append(told)

    def _end(self, code, reason):
        self.ended.set_result((code, reason))


@pytest.fixture
async def house():
    house = House(Ticks())
    yield house
    await house.beside.cancel()


async def test_tells_the_client_sends_and_ends(house):
    await house.beside.do([ToClient(b"a", binary=True), ToEndpoint(b"b"), End(4000, "enough")], may_wait=True)
    assert house.said == [ToClient(b"a", binary=True)]
    assert house.transport.heard == [b"b"]
    assert await house.ended == (4000, "enough")


async def test_who_may_not_wait_leaves_it_to_be_added(house):
    await house.beside.do([ToEndpoint(b'"a"'), ToEndpoint(b'"b"')])
    assert house.transport.heard == []
    house.beside.spawn(house.beside.add())
    assert await house.transport.hears(2) == ["a", "b"]


async def test_what_a_stage_has_let_go_is_sent_before_what_the_client_says_next(house):
    await house.beside.do([ToEndpoint(b'"held"'), ToEndpoint(b'"held as well"')])
    assert not house.beside.in_order
    house.beside.spawn(house.beside.add())
    await house.beside.do([ToEndpoint(b'"next"')], may_wait=True)
    assert house.beside.in_order
    assert await house.transport.hears(3) == ["held", "held as well", "next"]


async def test_an_endpoint_that_is_gone_holds_nobody_up(house):
    await house.transport.close(1001, "gone")
    await house.beside.do([ToEndpoint(b"a")])
    house.beside.spawn(house.beside.add())
    with pytest.raises(ConnectionLost, match="gone"):
        await house.beside.do([ToEndpoint(b"b")], may_wait=True)
    assert not house.ended.done()  # who reads the endpoint says so


async def test_a_session_that_ends_holds_nobody_up(house):
    await house.beside.do([ToEndpoint(b"a")])
    adding = asyncio.Event()

    async def stuck(_):
        adding.set()
        await asyncio.Event().wait()

    house.transport.send, send = stuck, house.transport.send
    house.beside.spawn(house.beside.add())
    await adding.wait()
    waiting = asyncio.create_task(house.beside.do([ToEndpoint(b'"b"')], may_wait=True))
    await asyncio.sleep(0)
    house.transport.send = send
    await house.beside.cancel()
    await waiting


async def test_does_what_is_due_and_what_work_came_to(house):
    await house.beside.tick()

    async def work():
        return [Up(Frame('{"type":"worked"}'))]

    await house.beside.do([Task(0, work)])
    house.beside.spawn(house.beside.add())
    assert await house.transport.hears(2) == [{"type": "tick"}, {"type": "worked"}]


async def test_what_fails_ends_the_session(house, caplog):
    async def work():
        raise ValueError("a defect")

    await house.beside.do([Task(0, work)])
    assert await house.ended == (1011, "The session failed; this is a defect of the server.")
    assert "a session failed" in caplog.text


async def test_a_stage_that_adds_without_end_is_at_fault(house):
    with pytest.raises(asyncio.QueueFull):
        await house.beside.do([ToEndpoint(b"a")] * (MOST_ADDED + 1))


async def test_cancels_all_but_who_asks(house):
    ended, asked, waits = [], asyncio.Event(), asyncio.Event()

    async def wait():
        try:
            waits.set()
            await asyncio.Event().wait()
        finally:
            ended.append("waited")

    async def ask():
        await house.beside.cancel()
        ended.append("asked")
        asked.set()

    house.beside.spawn(wait())
    await waits.wait()
    house.beside.spawn(ask())
    await asked.wait()
    assert ended == ["waited", "asked"]
