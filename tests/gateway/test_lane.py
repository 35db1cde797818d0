import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import aiohttp
import pytest
from aiohttp import WSMsgType
from aiohttp.http import WebSocketReader

from tests.gateway.doubles import serving
from vivavoce.gateway.lane import AcceptedSocket, DialledSocket, Lane, text_frame

SIZES = [0, 1, 125, 126, 65_535, 65_536, 100_001]


def lane():
    protocol = SimpleNamespace(_reading_paused=False)
    return Lane(protocol, 2**20, loop=asyncio.get_running_loop())


def say(lane, *texts):
    """Let a lane take what a peer wrote."""
    reader = WebSocketReader(lane, 0, compress=False, decode_text=False)
    reader.feed_data(b"".join(text_frame(text, masked=False) for text in texts))


async def reading(lane):
    """Return a task that waits for the lane's next message."""
    task = asyncio.create_task(lane.read())
    await asyncio.sleep(0)  # it has begun, and found nothing
    return task


class TestLane:
    async def test_offers_what_comes_while_its_reader_waits(self):
        taken = []
        road = lane()
        road.taker = lambda data: not taken.append(data) and data != b"no"
        task = await reading(road)
        say(road, b"one", b"two", b"no", b"three")
        assert taken == [b"one", b"two", b"no"]
        assert [(await task).data, (await road.read()).data] == [b"no", b"three"]

    async def test_offers_nothing_while_nobody_waits(self):
        road = lane()
        road.taker = lambda data: pytest.fail(f"expected no offer, got {data}")
        say(road, b"one")
        assert (await road.read()).data == b"one"
        say(road, b"two")
        assert (await road.read()).data == b"two"

    async def test_offers_text_alone(self):
        road = lane()
        road.taker = lambda data: pytest.fail(f"expected no offer, got {data}")
        task = await reading(road)
        WebSocketReader(road, 0, compress=False, decode_text=False).feed_data(b"\x82\x02ab")
        assert (await task).type is WSMsgType.BINARY

    async def test_offers_nothing_when_its_reader_has_given_up(self):
        road = lane()
        road.taker = lambda data: pytest.fail(f"expected no offer, got {data}")
        task = await reading(road)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        say(road, b"one")
        assert (await road.read()).data == b"one"


class TestFrames:
    @pytest.mark.parametrize("masked", [False, True])
    @pytest.mark.parametrize("size", SIZES)
    async def test_say_what_they_carry(self, size, masked):
        payload = bytes(range(256)) * (size // 256 + 1)
        payload = payload[:size]
        road = lane()
        frame = text_frame(payload, masked=masked)
        assert bool(frame[1] & 0x80) == masked
        WebSocketReader(road, 0, compress=False, decode_text=False).feed_data(frame)
        message = await road.read()
        assert (message.type, message.data) == (WSMsgType.TEXT, payload)

    def test_masks_differ(self):
        assert len({text_frame(b"the same", masked=True) for _ in range(8)}) > 1


class _Dialled(DialledSocket):
    @property
    def max_msg_size(self):
        return 1024


@asynccontextmanager
async def _sockets(heartbeat=20.0, autoping=True):
    """Give both ends of a WebSocket."""
    accepted, over = asyncio.get_running_loop().create_future(), asyncio.Event()

    async def handler(request):
        socket = AcceptedSocket(heartbeat=heartbeat, decode_text=False)
        await socket.prepare(request)
        accepted.set_result(socket)
        await over.wait()
        return socket

    async with serving(handler) as port, aiohttp.ClientSession(ws_response_class=_Dialled) as session:
        dialled = await session.ws_connect(f"http://127.0.0.1:{port}/", autoping=autoping)
        dialled.settle()
        try:
            yield await accepted, dialled
        finally:
            over.set()
            await dialled.close()


class TestSockets:
    async def test_both_have_a_lane(self):
        async with _sockets() as (accepted, dialled):
            for here, there in ((accepted, dialled), (dialled, accepted)):
                taken = asyncio.get_running_loop().create_future()
                here.lane.taker = lambda data, taken=taken: not taken.set_result(data)
                waiting = asyncio.create_task(here.receive())
                await asyncio.sleep(0)
                await there.send_frame(b"Hello.", WSMsgType.TEXT)
                async with asyncio.timeout(20):
                    assert await taken == b"Hello."
                here.lane.taker = None
                await there.send_frame(b"Again.", WSMsgType.TEXT)
                async with asyncio.timeout(20):
                    assert (await waiting).data == b"Again."

    async def test_one_that_is_cut_tells_who_waits(self):
        async with _sockets() as (accepted, dialled):
            waiting = asyncio.create_task(dialled.receive())
            await asyncio.sleep(0)
            accepted._req.transport.abort()
            async with asyncio.timeout(20):
                assert (await waiting).type in {WSMsgType.CLOSED, WSMsgType.ERROR}

    async def test_what_is_too_large_is_not_read(self):
        async with _sockets() as (accepted, dialled):
            await accepted.send_frame(b"x" * 1025, WSMsgType.TEXT)
            async with asyncio.timeout(20):
                assert (await dialled.receive()).type is WSMsgType.ERROR
            assert dialled.close_code == 1009


class TestHeartbeat:
    async def test_ends_a_session_with_one_that_answers_no_ping(self):
        async with _sockets(heartbeat=0.02, autoping=False) as (accepted, _):
            async with asyncio.timeout(20):
                message = await accepted.receive()
            assert message.type in {WSMsgType.ERROR, WSMsgType.CLOSED}
            assert accepted.close_code == 1006

    async def test_goes_on_with_one_that_answers(self):
        async with _sockets(heartbeat=0.2, autoping=False) as (accepted, dialled):
            waiting = asyncio.create_task(accepted.receive())
            async with asyncio.timeout(20):
                for _ in range(3):
                    ping = await dialled.receive()
                    assert ping.type is WSMsgType.PING
                    await dialled.pong(ping.data)
            assert not waiting.done()
            waiting.cancel()

    async def test_is_moved_by_what_comes(self):
        async with _sockets() as (accepted, dialled):
            accepted._heartbeat_when = 0.0
            await dialled.send_frame(b"Hello.", WSMsgType.TEXT)
            await accepted.receive()
            assert accepted._heartbeat_when > asyncio.get_running_loop().time()
            assert accepted._heartbeat_reset_handle is None  # and not by a timer
