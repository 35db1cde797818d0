from tests.gateway.doubles import ScriptedProgress, ScriptedUpstream, gateway
from vivavoce import __version__
from vivavoce.errors import WeightsUnavailable


async def _health(running):
    async with running.get("/health") as response:
        assert response.content_type == "application/json"
        assert response.headers["Cache-Control"] == "no-store"
        return response.status, await response.json(), response.headers.get("Retry-After")


class TestHealth:
    async def test_loading(self):
        upstream = ScriptedUpstream(ready=False)
        async with gateway(upstream, ready=False) as running:
            common = {"status": "loading", "version": __version__, "sessions": 0, "stage": "weights"}
            assert await _health(running) == (503, {**common, "progress": None}, "5")
            upstream.progress(ScriptedProgress("recogniser", 21, 42))
            progress = {"name": "recogniser", "done": 21, "total": 42}
            assert (await _health(running))[1] == {**common, "progress": progress}

    async def test_ready(self):
        async with gateway(ScriptedUpstream(capacity=3), engine_profile="small") as running:
            status, body, retry_after = await _health(running)
            assert (status, retry_after) == (200, None)
            assert body == {
                "status": "ready",
                "version": __version__,
                "sessions": 0,
                "capacity": 3,
                "engine": {"profile": "small", "models": {"recogniser": "scripted"}, "seconds": 0.25},
            }

    async def test_says_that_it_plays_a_script(self):
        async with gateway(engine="scripted") as running:
            assert (await _health(running))[1]["engine"]["profile"] == "scripted"

    async def test_counts_sessions(self):
        async with gateway() as running:
            async with running.connect() as one, running.connect() as two:
                await one.receive()
                await two.receive()
                assert (await _health(running))[1]["sessions"] == 2
            await running.upstream.sessions[0].closed
            await running.upstream.sessions[1].closed

    async def test_failed(self, caplog):
        upstream = ScriptedUpstream(failure=WeightsUnavailable("nobody has them"))
        async with gateway(upstream, ready=False) as running:
            status, body, _ = await _health(running)
            assert status == 503
            assert (body["status"], body["error"]) == ("failed", "nobody has them")
