import asyncio
import logging

import aiohttp
import pytest
from aiohttp import web

from tests.gateway.doubles import gateway

SECRETS = ("sk-secret", "ek-secret", "query-secret", "spoken-secret")


class TestAccessLogger:
    async def test_tells_method_path_status_and_nothing_secret(self, caplog):
        caplog.set_level(logging.DEBUG)
        async with gateway() as running:
            headers = {"Authorization": "Bearer sk-secret"}
            protocols = ["realtime", "openai-insecure-api-key.ek-secret"]
            path = "/v1/realtime?model=m&token=query-secret"
            async with running.connect(path, headers=headers, protocols=protocols) as ws:
                await ws.send_str('{"type":"spoken-secret"}')
                await ws.receive()
                await ws.receive()
            async with running.get("/nothing?key=query-secret", headers=headers):
                pass
            await running.refused(Sec_WebSocket_Protocol="openai-insecure-api-key.ek-secret", **headers)
        lines = [record.getMessage() for record in caplog.records if record.name == "aiohttp.access"]
        assert [line.rsplit(" ", 1)[0] for line in lines] == [
            "127.0.0.1 GET /v1/realtime 101",
            "127.0.0.1 GET /nothing 404",
            "127.0.0.1 GET /v1/realtime 400",
        ]
        for secret in SECRETS:
            assert secret not in caplog.text

    @pytest.mark.parametrize(
        "line", [b"GET /?key=query-secret HTTP/9.9.9", b"\x00\x01query-secret", b"G\xe4T / HTTP/1.1"]
    )
    async def test_no_request_line_is_repeated_even_when_it_is_broken(self, caplog, line):
        async with gateway() as running:
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(line + b"\r\nAuthorization: Bearer sk-secret\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.0 400")
            writer.close()
            await writer.wait_closed()
        for secret in SECRETS:
            assert secret not in caplog.text

    async def test_no_subprotocol_is_repeated_that_nobody_knows(self, caplog):
        """A key may be among them; aiohttp itself would repeat all that were offered."""
        caplog.set_level(logging.DEBUG)

        async def answer(request):
            socket = web.WebSocketResponse(protocols=("other",))
            await socket.prepare(request)
            return socket

        app = web.Application()
        app.router.add_get("/", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        offered = ["realtime", "openai-insecure-api-key.ek-secret"]
        url = f"http://127.0.0.1:{site.port}/"
        async with aiohttp.ClientSession() as client, client.ws_connect(url, protocols=offered) as ws:
            assert ws.protocol is None
        await runner.cleanup()
        assert caplog.records
        assert "ek-secret" not in caplog.text
