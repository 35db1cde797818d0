import asyncio
import socket

import aiohttp
import pytest

from tests.gateway.doubles import ScriptedTransport, ScriptedUpstream, gateway
from vivavoce.gateway import GatewaySettings, create_app, listen
from vivavoce.gateway.state import GATEWAY


class TestListen:
    async def test_tells_the_address_to_open(self, free_port):
        async with listen(create_app(GatewaySettings(port=free_port), ScriptedUpstream())) as listening:
            assert listening.url == f"http://127.0.0.1:{free_port}"
            assert listening.port == free_port

    @pytest.mark.parametrize(
        ("host", "url"), [("0.0.0.0", "http://127.0.0.1:{}"), ("localhost", "http://localhost:{}")]
    )
    async def test_tells_an_address_that_a_browser_can_open(self, host, url):
        async with listen(create_app(GatewaySettings(host=host, port=0), ScriptedUpstream())) as listening:
            assert listening.url == url.format(listening.port)

    @pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
    async def test_writes_an_ipv6_address_in_brackets(self):
        async with listen(create_app(GatewaySettings(host="::1", port=0), ScriptedUpstream())) as listening:
            assert listening.url == f"http://[::1]:{listening.port}"

    async def test_a_port_that_is_taken_loads_nothing_and_closes_what_there_is(self, free_port):
        upstream = ScriptedUpstream()
        with socket.create_server(("127.0.0.1", free_port)), pytest.raises(OSError, match="in use"):
            async with listen(create_app(GatewaySettings(port=free_port), upstream)):
                pytest.fail("listened at a port that is taken")
        assert upstream.status.state == "stopped"
        assert upstream.closed

    async def test_answers_before_the_models_do(self):
        upstream = ScriptedUpstream(ready=False)
        async with gateway(upstream, ready=False) as running, running.get("/health") as response:
            assert response.status == 503


class TestShutdown:
    async def test_says_goodbye_and_closes_the_endpoint(self):
        upstream = ScriptedUpstream()
        app = create_app(GatewaySettings(port=0), upstream)
        async with aiohttp.ClientSession() as client:
            async with listen(app) as listening:
                await app[GATEWAY].loading.finished()
                ws = await client.ws_connect(f"{listening.url}/v1/realtime?model=m")
                await ws.receive()
                goodbye = asyncio.create_task(ws.receive())
            message = await goodbye
            assert (message.data, message.extra) == (1001, "The server stops.")
            assert await upstream.sessions[0].closed == (1001, "The server stops.")
            assert upstream.closed

    async def test_does_not_wait_for_ever_for_a_session_that_does_not_end(self, caplog):
        class Stubborn(ScriptedTransport):
            async def close(self, code=1000, reason=""):
                await asyncio.Event().wait()

        upstream = ScriptedUpstream(transport=Stubborn)
        async with (
            aiohttp.ClientSession() as client,
            asyncio.timeout(5),
            gateway(upstream, shutdown_seconds=0.05) as running,
        ):
            ws = await client.ws_connect(running.url("/v1/realtime?model=m"))
            await ws.receive()
        assert "1 sessions did not end in time" in caplog.text
        assert upstream.closed

    async def test_stops_loading(self):
        upstream = ScriptedUpstream(ready=False)
        async with gateway(upstream, ready=False):
            pass
        assert upstream.closed
