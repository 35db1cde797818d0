import asyncio
import json

from tests.gateway.doubles import gateway
from tests.gateway.operations.test_measuring import opening
from vivavoce.gateway.operations.drain import Drain
from vivavoce.gateway.passage import Passage
from vivavoce.gateway.sessions import Sessions


async def test_with_nobody_here_it_takes_no_time():
    sessions = Sessions(lambda: 4, retry_after=5)
    drain = Drain(sessions, 1000)
    assert not drain.begun
    await drain.run()
    assert drain.begun
    assert sessions.refuse().code == "going_away"


async def test_it_waits_for_those_who_are_here():
    sessions = Sessions(lambda: 4, retry_after=5)
    drain = Drain(sessions, 1000)
    with sessions.hold():
        draining = asyncio.create_task(drain.run())
        await asyncio.sleep(0)
        assert drain.begun
        assert not draining.done()
    await draining


async def test_but_not_for_ever():
    sessions = Sessions(lambda: 4, retry_after=5)
    with sessions.hold():
        await Drain(sessions, 0.01).run()
        assert len(sessions) == 1


async def test_a_session_is_told_once():
    sessions = Sessions(lambda: 4, retry_after=5)
    drain = Drain(sessions, 0.01)
    passage = Passage([drain.stage(opening())])
    assert passage.tick(0.0) == []
    with sessions.hold():
        await drain.run()
    [told] = passage.tick(0.0)
    error = json.loads(told.data)["error"]
    assert (error["code"], error["type"]) == ("going_away", "server_error")
    assert passage.tick(1.0) == []


def test_where_there_is_no_time_nobody_is_told():
    assert Drain(None, 0).stage(opening()) is None


async def test_a_client_hears_of_it_and_goes_on():
    async with gateway(drain_seconds=300) as running, running.connect() as ws:
        await ws.receive()
        draining = asyncio.create_task(running.drain.run())
        told = await ws.receive_json()
        assert (told["type"], told["error"]["code"]) == ("error", "going_away")
        await ws.send_json({"type": "input_audio_buffer.clear"})
        assert (await ws.receive_json())["type"] == "echo"
        assert (await running.refused())[:1] == (503,)
        await ws.close()
        await draining
