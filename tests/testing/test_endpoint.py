import asyncio
import json

import pytest

from vivavoce.client import Connection
from vivavoce.errors import ConnectionFailed, ConnectionLost, ScriptFailed
from vivavoce.protocol.client_events import InputAudioBufferClear
from vivavoce.protocol.server_events import InputAudioBufferCleared
from vivavoce.testing import ScriptedEndpoint, close, emit, expect

CLEAR = [expect("input_audio_buffer.clear"), emit("input_audio_buffer.cleared")]


async def test_is_a_transport_for_our_client():
    async with ScriptedEndpoint(CLEAR) as transport, Connection(transport) as connection:
        await connection.send(InputAudioBufferClear())
        assert isinstance(await connection.receive(), InputAudioBufferCleared)


async def test_an_event_that_was_not_expected_fails_where_it_is_sent_and_ends_the_session():
    endpoint = ScriptedEndpoint([emit("hello"), *CLEAR])
    with pytest.raises(ScriptFailed, match=r"Step 2: expected input_audio_buffer\.clear, got"):
        await endpoint.send('{"type": "response.create"}')
    assert json.loads(await endpoint.receive())["type"] == "hello"
    for _ in range(2):
        with pytest.raises(ConnectionLost, match="1008: Step 2"):
            await endpoint.receive()
    with pytest.raises(ConnectionLost, match="1008"):
        await endpoint.send('{"type": "input_audio_buffer.clear"}')


async def test_a_failure_that_somebody_swallowed_is_raised_on_the_way_out():
    with pytest.raises(ScriptFailed, match="Step 1: expected nothing more"):
        async with ScriptedEndpoint([]) as transport:
            await asyncio.gather(transport.send('{"type": "a"}'), return_exceptions=True)


async def test_steps_that_are_left_are_raised_on_the_way_out():
    with pytest.raises(ScriptFailed, match="2 steps are left"):
        async with ScriptedEndpoint(CLEAR):
            pass


async def test_another_failure_is_not_hidden():
    with pytest.raises(KeyError):
        async with ScriptedEndpoint(CLEAR):
            raise KeyError


async def test_the_end_of_the_script_is_told_after_all_that_was_said():
    async with ScriptedEndpoint([emit("a"), close(1001, "over")]) as transport:
        assert json.loads(await transport.receive())["type"] == "a"
        with pytest.raises(ConnectionLost, match="1001: over"):
            await transport.receive()


async def test_closing_frees_who_waits():
    endpoint = ScriptedEndpoint([])
    receiving = asyncio.create_task(endpoint.receive())
    await asyncio.sleep(0)
    await endpoint.close(1000, "done")
    await endpoint.close()
    with pytest.raises(ConnectionLost, match="1000: done"):
        await receiving


async def test_is_one_session():
    endpoint = ScriptedEndpoint([])
    assert endpoint.connect("gpt-realtime") is endpoint
    with pytest.raises(ConnectionFailed, match="one session"):
        endpoint.connect()
