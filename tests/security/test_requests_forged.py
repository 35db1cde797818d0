"""Nobody sends the gateway, or the endpoint behind it, to an address of their choice."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from tests.gateway.doubles import gateway
from vivavoce.gateway.settings import GatewaySettings
from vivavoce.gateway.upstreams.choosing import choose_upstream


@asynccontextmanager
async def somebody():
    """Run a server that notes what it is asked for, and refuses it."""
    asked = []

    async def note(request):
        asked.append(request.rel_url)
        return web.json_response({"error": {"message": "No.", "code": "model_not_found"}}, status=404)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", note)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"127.0.0.1:{site.port}", asked
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    "model",
    [
        "http://{evil}/", "//{evil}/", "@{evil}/", "../../admin", "x&call_id=rtc_1", "x#fragment", "x?api-version=1",
        "x%0d%0aHost:%20{evil}", "%00", "é",
    ],
)  # fmt: skip
async def test_a_model_is_a_name_and_never_a_place(model):
    async with somebody() as (evil, asked_evil), somebody() as (good, asked):
        settings = {"upstream": f"http://{good}/v1", "allowed_models": "*"}
        known = {name: value for name, value in settings.items() if name in GatewaySettings.model_fields}
        upstream = choose_upstream(GatewaySettings(**known), lambda: None)
        async with gateway(upstream, **known) as running:
            name = model.format(evil=evil)
            async with running.get("/v1/realtime", params={"model": name}, headers={
                "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            }) as response:  # fmt: skip
                assert response.status in {400, 403, 404, 503}
        await asyncio.sleep(0)
    assert asked_evil == []
    sessions = [url for url in asked if url.path == "/v1/realtime"]
    for url in sessions:
        assert dict(url.query) == {"model": name}
    assert {url.path for url in asked} <= {"/v1/realtime", "/v1/models"}
