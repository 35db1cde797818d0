import asyncio

from tests.gateway.doubles import ScriptedUpstream, gateway


async def ask(running, path="/ready"):
    async with running.get(path) as response:
        assert response.headers["Cache-Control"] == "no-store"
        return response.status, (await response.json())["status"]


async def test_only_once_the_endpoint_is():
    upstream = ScriptedUpstream(ready=False)
    async with gateway(upstream, ready=False) as running:
        assert await ask(running) == (503, "loading")
        upstream.let_ready.set()
        await running.loading.finished()
        assert await ask(running) == (200, "ready")


async def test_no_more_while_it_drains():
    async with gateway(drain_seconds=300) as running, running.connect() as ws:
        await ws.receive()
        draining = asyncio.create_task(running.drain.run())
        await asyncio.sleep(0)
        assert await ask(running) == (503, "draining")
        assert await ask(running, "/health") == (503, "draining")
        await ws.close()
        await draining


async def test_a_full_server_is_ready_all_the_same():
    async with gateway(max_sessions=1) as running, running.connect() as ws:
        await ws.receive()
        assert await ask(running) == (200, "ready")
