"""Calls that find no way but by a TURN server."""

import asyncio
import json

import numpy as np
import pytest

from tests.gateway.doubles import gateway
from vivavoce.gateway.upstreams.local import LocalUpstream
from vivavoce.testing.engine import ScriptedEngine
from vivavoce.testing.script import Script, Turn
from vivavoce.webrtc.leg import IceServer, Leg

from .turn import CREDENTIAL, TURNSERVER, USERNAME, turn_server

pytestmark = pytest.mark.skipif(TURNSERVER is None, reason="needs turnserver (coturn)")

SDP = {"Content-Type": "application/sdp"}


@pytest.fixture
async def turn(tmp_path):
    async with turn_server(tmp_path) as port:
        yield port


def scripted():
    return LocalUpstream(ScriptedEngine(Script(turns=[Turn(say="Hello to you!")])))


def relayed(sdp):
    """Return a description without the addresses that a NAT would hide: those of the relay are left."""
    lines = sdp.splitlines(keepends=True)
    return "".join(line for line in lines if "a=candidate" not in line or " typ relay" in line)


@pytest.mark.parametrize("hidden", [{"caller"}, {"server"}, {"caller", "server"}], ids="+".join)
async def test_who_is_behind_a_nat_is_reached_by_its_own_relay(turn, hidden):
    url = f"turn:{USERNAME}:{CREDENTIAL}@127.0.0.1:{turn}" if "server" in hidden else ""
    servers = [IceServer(f"turn:127.0.0.1:{turn}", USERNAME, CREDENTIAL)] if "caller" in hidden else []
    heard, told = [], asyncio.Queue()
    async with gateway(scripted(), ice_servers=url) as running:
        caller = Leg(lambda: None, heard.append, told.put_nowait, ice_servers=servers)
        offer = await caller.offer()
        offer = relayed(offer) if "caller" in hidden else offer
        async with running.client.post(running.url("/v1/realtime/calls"), data=offer, headers=SDP) as answer:
            assert answer.status == 201
            sdp = await answer.text()
        await caller.accept(relayed(sdp) if "server" in hidden else sdp)
        await caller.send('{"type":"response.create"}')
        kinds = []
        async with asyncio.timeout(40):
            while "output_audio_buffer.stopped" not in kinds:
                kinds.append(json.loads(await told.get())["type"])
        assert np.abs(np.concatenate(heard)).max() > 1000
        await caller.close()


async def test_a_relay_that_lets_nobody_in_is_done_without(turn):
    told = asyncio.Queue()
    async with gateway(scripted(), ice_servers=f"turn:{USERNAME}:wrong@127.0.0.1:{turn}") as running:
        caller = Leg(lambda: None, lambda _: None, told.put_nowait)
        data = await caller.offer()
        async with running.client.post(running.url("/v1/realtime/calls"), data=data, headers=SDP) as answer:
            sdp = await answer.text()
            assert relayed(sdp) != sdp
            assert "typ relay" not in sdp
        await caller.accept(sdp)
        async with asyncio.timeout(40):
            assert json.loads(await told.get())["type"] == "session.created"
        await caller.close()
