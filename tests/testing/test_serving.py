import asyncio
import json

import aiohttp
import pytest

from vivavoce.client import WebSocketTransport
from vivavoce.errors import ConnectionFailed, ConnectionLost, ScriptFailed
from vivavoce.testing import (
    Script,
    ScriptedEndpoint,
    ScriptedEngine,
    Turn,
    close,
    emit,
    expect,
    serve_scripted,
)

HELLO = [emit("session.created", session={"id": "sess_1"}), expect("a"), emit("b")]


async def kinds(transport, count):
    return [json.loads(await transport.receive())["type"] for _ in range(count)]


async def test_serves_steps():
    async with serve_scripted(ScriptedEndpoint(HELLO)) as url:
        transport = await WebSocketTransport.connect(url)
        assert await kinds(transport, 1) == ["session.created"]
        await transport.send('{"type": "a"}')
        assert await kinds(transport, 1) == ["b"]
        with pytest.raises(ConnectionFailed, match=r"503.*one session"):
            await WebSocketTransport.connect(url)
        await transport.close()


async def test_serves_the_engine_to_as_many_as_come():
    async with serve_scripted(ScriptedEngine(Script(turns=[Turn(say="Hi.")]), complete=False)) as url:
        one, two = [await WebSocketTransport.connect(url, model=model) for model in ("one", "two")]
        models = [json.loads(await transport.receive())["session"]["model"] for transport in (one, two)]
        assert models == ["one", "two"]
        await one.close()
        await two.close()


async def test_an_intent_is_heeded():
    async with serve_scripted(ScriptedEngine(Script(turns=[Turn(say="Hi.")]), complete=False)) as url:
        transport = await WebSocketTransport.connect(f"{url}?intent=transcription")
        assert json.loads(await transport.receive())["session"]["type"] == "transcription"
        await transport.close()


async def test_what_was_not_expected_ends_the_session_and_fails_the_test():
    with pytest.raises(ScriptFailed, match="Step 2: expected a, got"):
        async with serve_scripted(ScriptedEndpoint(HELLO)) as url:
            await _lose(url, '{"type": "x"}')


async def _lose(url, data):
    transport = await WebSocketTransport.connect(url)
    await transport.send(data)
    await transport.receive()
    with pytest.raises(ConnectionLost, match=r"1008: Step 2: expected a, got"):
        await transport.receive()
    await transport.close()


@pytest.mark.parametrize(("code", "seen"), [(1001, 1001), (4000, 4000), (1006, 1011)])
async def test_the_end_of_the_script_is_the_end_of_the_connection(code, seen):
    async with serve_scripted(ScriptedEndpoint([close(code, "ö" * 100)])) as url:
        transport = await WebSocketTransport.connect(url)
        with pytest.raises(ConnectionLost) as lost:
            await transport.receive()
        assert (lost.value.code, lost.value.reason) == (seen, "ö" * 61)
        await transport.close()


@pytest.mark.parametrize("latency", [0, 5])
async def test_a_client_that_stays_is_told_goodbye(latency):
    script = Script(turns=[Turn(say="Hi.")], latency_ms=latency)
    async with asyncio.timeout(5):
        async with serve_scripted(ScriptedEngine(script, complete=False)) as url:
            transport = await WebSocketTransport.connect(url)
            await transport.receive()
            waiting = asyncio.create_task(transport.receive())
            await asyncio.sleep(0)
        with pytest.raises(ConnectionLost, match="1001"):
            await waiting
        await transport.close()


async def test_speaks_the_subprotocol_that_browsers_offer():
    async with (
        serve_scripted(ScriptedEndpoint([])) as url,
        aiohttp.ClientSession() as client,
        client.ws_connect(f"{url}/realtime", protocols=("realtime",)) as socket,
    ):
        assert socket.protocol == "realtime"
