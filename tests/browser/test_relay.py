"""Call from a browser that lets nothing out but to its TURN server."""

import json

import numpy as np
import pytest
import pytest_asyncio

from tests.gateway.doubles import gateway
from tests.webrtc.turn import CREDENTIAL, TURNSERVER, USERNAME, turn_server
from vivavoce.gateway.upstreams.local import LocalUpstream
from vivavoce.testing.engine import ScriptedEngine
from vivavoce.testing.script import Script, Turn

from .test_call import CALL, UNTIL

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(TURNSERVER is None, reason="needs turnserver (coturn)"),
]

SILENCE = np.zeros(48_000)
RELAYED = """
  const Direct = RTCPeerConnection;
  window.RTCPeerConnection = class extends Direct {
    constructor() { super({iceTransportPolicy: 'relay', iceServers: [%s]}); }
  };
"""

WAY = """async () => {
  const stats = await window.call.peer.getStats();
  const transport = [...stats.values()].find(({type}) => type === 'transport');
  const pair = stats.get(transport.selectedCandidatePairId);
  const speech = [...stats.values()].find(({type, kind}) => type === 'inbound-rtp' && kind === 'audio');
  return {way: stats.get(pair.localCandidateId).candidateType, bytes: speech.bytesReceived};
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def turn(tmp_path):
    async with turn_server(tmp_path) as port:
        yield {"urls": f"turn:127.0.0.1:{port}", "username": USERNAME, "credential": CREDENTIAL}


async def test_a_call_comes_about_over_its_relay(visit, turn, monkeypatch):
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda *_, **__: ["127.0.0.1"])
    engine = ScriptedEngine(Script(turns=[Turn(say="Hello to you!")]))
    async with gateway(LocalUpstream(engine)) as running:
        visitor = await visit(running.url("/"), microphone=SILENCE, before=RELAYED % json.dumps(turn))
        page = visitor.page
        page.set_default_timeout(50_000)
        await page.evaluate(CALL, {"type": "realtime"})
        await page.evaluate(UNTIL, "session.created")
        await page.evaluate('() => window.call.channel.send(\'{"type":"response.create"}\')')
        await page.evaluate(UNTIL, "output_audio_buffer.stopped")
        found = await page.evaluate(WAY)
        assert found["way"] == "relay"
        assert found["bytes"] > 1000
        await page.evaluate("() => window.call.peer.close()")
