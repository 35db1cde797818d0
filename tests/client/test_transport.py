import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from vivavoce.client.transport import WebSocketTransport
from vivavoce.errors import ConnectionFailed, ConnectionLost

KEY = "sk-very-secret"


@asynccontextmanager
async def serving(handler):
    app = web.Application()
    app.router.add_get("/v1/realtime", handler)
    async with TestServer(app) as server:
        yield str(server.make_url("/v1"))


def upgraded(talk, seen=None):
    """Return a handler that accepts the upgrade and talks."""

    async def handler(request):
        if seen is not None:
            seen.append(request)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await talk(socket)
        return socket

    return handler


async def echo(socket):
    async for message in socket:
        await socket.send_str(json.dumps({"type": message.type.name, "data": message.data}))


async def test_events_go_both_ways_as_text():
    async with serving(upgraded(echo)) as url:
        transport = await WebSocketTransport.connect(url)
        for data in ('{"a": "é"}', '{"a": "é"}'.encode()):
            await transport.send(data)
            assert json.loads(await transport.receive()) == {"type": "TEXT", "data": '{"a": "é"}'}
        await transport.close()


async def test_binary_events_are_received_as_they_are():
    async with serving(upgraded(lambda socket: socket.send_bytes(b"{}"))) as url:
        transport = await WebSocketTransport.connect(url)
        assert await transport.receive() == b"{}"
        await transport.close()


async def test_the_key_travels_in_a_header_and_shows_nowhere():
    seen = []
    async with serving(upgraded(echo, seen)) as url:
        transport = await WebSocketTransport.connect(url, api_key=KEY, model="m", headers={"X-Test": "yes"})
        assert KEY not in repr(transport)
        await transport.close()
    assert seen[0].headers["Authorization"] == f"Bearer {KEY}"
    assert seen[0].headers["X-Test"] == "yes"
    assert seen[0].query == {"model": "m"}
    assert "Sec-WebSocket-Extensions" not in seen[0].headers


async def test_events_of_many_megabytes_pass():
    big = "x" * (20 * 1024 * 1024)
    async with serving(upgraded(lambda socket: socket.send_str(big))) as url:
        transport = await WebSocketTransport.connect(url)
        assert len(await transport.receive()) == len(big)
        await transport.close()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"error": {"message": "Incorrect API key provided."}}, "Incorrect API key provided."),
        ({"error": "Come back later."}, "Come back later."),
        ({"error": {"code": 1}}, "Unauthorized"),
        ([], "Unauthorized"),
    ],
)
async def test_a_refusal_says_its_status_and_why(body, why):
    async def refuse(request):
        return web.json_response(body, status=401)

    async with serving(refuse) as url:
        with pytest.raises(ConnectionFailed) as caught:
            await WebSocketTransport.connect(url + "/realtime?token=hidden", api_key=KEY)
    assert caught.value.status == 401
    assert str(caught.value).endswith(f"/v1/realtime refused with status 401: {why}")
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("soon", None), ("", None)])
async def test_a_refusal_says_its_code_and_when_to_come_back(header, seconds):
    async def refuse(request):
        error = {"error": {"message": "Too many.", "code": "rate_limit_exceeded", "param": None}}
        return web.json_response(error, status=429, headers={"Retry-After": header})

    async with serving(refuse) as url:
        with pytest.raises(ConnectionFailed) as caught:
            await WebSocketTransport.connect(url)
    refused = caught.value
    assert (refused.status, refused.code, refused.retry_after) == (429, "rate_limit_exceeded", seconds)


async def test_a_page_in_place_of_an_upgrade_is_a_refusal():
    async def page(request):
        return web.Response(text="<html>")

    async with serving(page) as url:
        with pytest.raises(ConnectionFailed, match="status 200") as caught:
            await WebSocketTransport.connect(url)
    assert caught.value.status == 200


async def test_a_server_that_is_not_there_cannot_be_reached(free_port):
    with pytest.raises(
        ConnectionFailed, match=f"Cannot reach ws://127.0.0.1:{free_port}/v1/realtime"
    ) as caught:
        await WebSocketTransport.connect(f"ws://127.0.0.1:{free_port}/?token=hidden")
    assert caught.value.status is None
    assert "hidden" not in str(caught.value)


async def test_a_server_that_does_not_answer_is_given_up():
    left = asyncio.Event()

    async def say_nothing(reader, writer):
        await left.wait()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ConnectionFailed, match=r"did not answer in 0\.05 s") as caught:
            await WebSocketTransport.connect(f"ws://127.0.0.1:{port}", timeout=0.05)
        assert (caught.value.status, caught.value.code) == (None, "timeout")
        left.set()


async def test_the_end_tells_code_and_reason_and_stays_the_end():
    async with serving(upgraded(lambda socket: socket.close(code=4000, message=b"no more"))) as url:
        transport = await WebSocketTransport.connect(url)
        for _ in range(2):
            with pytest.raises(ConnectionLost) as caught:
                await transport.receive()
            assert (caught.value.code, caught.value.reason) == (4000, "no more")
        with pytest.raises(ConnectionLost):
            await transport.send("{}")
        await transport.close()


async def test_a_line_that_breaks_is_1006():
    async def vanish(socket):
        socket._req.transport.abort()

    async with serving(upgraded(vanish)) as url:
        transport = await WebSocketTransport.connect(url)
        with pytest.raises(ConnectionLost) as caught:
            await transport.receive()
        assert caught.value.code == 1006
        await transport.close()


@pytest.mark.parametrize("frame", [b"\xf1\x00", b"\x8f\x00"])
async def test_frames_that_are_none_are_a_line_that_breaks(frame):
    async def babble(socket):
        socket._req.transport.write(frame)
        await socket.receive()

    async with serving(upgraded(babble)) as url:
        transport = await WebSocketTransport.connect(url)
        with pytest.raises(ConnectionLost) as caught:
            await transport.receive()
        assert caught.value.code == 1006
        await transport.close()


async def test_after_closing_there_is_nothing_to_say():
    async with serving(upgraded(echo)) as url:
        transport = await WebSocketTransport.connect(url)
        await transport.close(1000, "done")
        await transport.close()
        with pytest.raises(ConnectionLost):
            await transport.send("{}")
        with pytest.raises(ConnectionLost):
            await transport.receive()


async def test_a_closing_client_says_code_and_reason():
    closed = asyncio.get_running_loop().create_future()

    async def wait(socket):
        message = await socket.receive()
        closed.set_result((message.type, message.data, message.extra))

    async with serving(upgraded(wait)) as url:
        transport = await WebSocketTransport.connect(url)
        await transport.close(1001, "going")
        assert await closed == (WSMsgType.CLOSE, 1001, "going")


async def test_a_session_that_is_given_stays_open():
    async with aiohttp.ClientSession() as session, serving(upgraded(echo)) as url:
        transport = await WebSocketTransport.connect(url, session=session)
        await transport.close()
        assert not session.closed
        assert not session.connector.closed
