import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from tests.gateway.doubles import serving
from vivavoce.errors import ConnectionLost
from vivavoce.gateway.leg import Leg, Limits, Stalled

LIMITS = Limits(message=1024, send_buffer=4096, send_timeout=0.05, close_timeout=0.05, heartbeat=20)


@asynccontextmanager
async def _legs(**made):
    """Serve WebSockets on loopback; give a queue of their legs and a function that connects."""
    legs, over = asyncio.Queue(), asyncio.Event()

    async def handler(request):
        leg = Leg(LIMITS, **made)
        await leg.open(request)
        legs.put_nowait(leg)
        await over.wait()
        return leg.socket

    async with serving(handler) as port, aiohttp.ClientSession() as session:
        yield legs, lambda: session.ws_connect(f"http://127.0.0.1:{port}/", autoping=False)
        over.set()


async def test_it_says_what_it_is_told_and_how_it_ends():
    async with _legs() as (legs, connect), connect() as ws:
        leg = await legs.get()
        await leg.say(b"text", WSMsgType.TEXT)
        await leg.say(b"\0", WSMsgType.BINARY)
        assert (await ws.receive()).data == "text"
        assert (await ws.receive()).data == b"\0"
        leaving = asyncio.create_task(leg.leave(1006, "ä" * 100))
        message = await ws.receive()
        assert (message.data, message.extra) == (1011, "ä" * 61)
        await leaving


async def test_a_ping_has_what_is_asked():
    async with _legs(numbered=True) as (legs, connect), connect() as ws:
        leg = await legs.get()
        await leg.ping(b"7")
        message = await ws.receive()
        assert (message.type, message.data) == (WSMsgType.PING, b"7")
        await ws.pong(b"7")
        message = await leg.socket.receive()
        assert (message.type, message.data) == (WSMsgType.PONG, b"7")
        leg.abort()


async def test_who_is_gone_is_lost():
    async with _legs() as (legs, connect), connect():
        leg = await legs.get()
        leg.abort()
        await leg.socket.receive()
        with pytest.raises(ConnectionLost):
            await leg.say(b"text", WSMsgType.TEXT)
        await leg.ping(b"7")
        await leg.pong(b"7")


async def test_who_has_not_waited_is_lost():
    told = asyncio.Queue()

    async def handler(request):
        request.transport.abort()
        while request.transport is not None:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
        try:
            await Leg(LIMITS).open(request)
        except ConnectionLost as lost:
            told.put_nowait(lost.code)
        return web.Response()

    async with serving(handler) as port, aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.ws_connect(f"http://127.0.0.1:{port}/")
        assert await told.get() == 1006


async def test_who_does_not_read_has_stalled():
    async with _legs() as (legs, connect), connect():
        leg = await legs.get()

        async def flood():
            for _ in range(1000):
                await leg.say(b"x" * 65_536, WSMsgType.TEXT)

        with pytest.raises(Stalled, match=r"not read for 0\.05 seconds"):
            await flood()
        leg.abort()


async def test_who_was_never_there_needs_no_goodbye():
    leg = Leg(LIMITS)
    await leg.leave(1000, "")
    leg.abort()
    assert not leg.socket.prepared
