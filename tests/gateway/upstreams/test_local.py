import pytest

from tests.gateway.upstreams.doubles import SCRIPT
from vivavoce.errors import ConnectionFailed
from vivavoce.gateway.upstreams.local import LocalUpstream
from vivavoce.protocol.codec import event_type
from vivavoce.protocol.session_params import RealtimeSessionParams
from vivavoce.testing import ScriptedEngine, parse_script


async def test_it_is_the_engine_behind_it():
    local = LocalUpstream(ScriptedEngine(parse_script(SCRIPT)))
    assert local.status.state == "stopped"
    await local.start()
    params = RealtimeSessionParams(instructions="Sing.")
    assert (local.status.state, local.capacity, await local.reach()) == ("ready", None, ())
    assert local.describe(params).instructions == "Sing."
    transport = await local.connect("gpt-realtime", params)
    assert event_type(await transport.receive()) == "session.created"
    await local.close()


async def test_it_has_no_calls():
    local = LocalUpstream(ScriptedEngine(parse_script(SCRIPT)))
    with pytest.raises(ConnectionFailed) as caught:
        await local.connect("m", RealtimeSessionParams(), call_id="rtc_1")
    assert (caught.value.status, caught.value.code) == (404, "call_not_found")
