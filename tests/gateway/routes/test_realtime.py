import aiohttp
import pytest

from tests.gateway.doubles import ScriptedUpstream, gateway
from vivavoce.errors import ConnectionFailed, WeightsUnavailable


class TestUpgrade:
    async def test_the_endpoint_is_told_the_model(self):
        async with gateway() as running, running.connect("/v1/realtime?model=gpt-realtime-2.1") as ws:
            assert (await ws.receive_json())["session"]["model"] == "gpt-realtime-2.1"

    @pytest.mark.parametrize(
        ("query", "kind"),
        [
            ("model=gpt-realtime", "realtime"),
            ("intent=transcription", "transcription"),
            ("model=gpt-4o-transcribe&intent=transcription", "transcription"),
        ],
    )
    async def test_and_what_the_session_is_for(self, query, kind):
        async with gateway() as running, running.connect(f"/v1/realtime?{query}") as ws:
            await ws.receive_json()
            assert running.upstream.sessions[0].params.type == kind

    @pytest.mark.parametrize(
        "offered",
        [
            ["realtime"],
            ["realtime", "openai-insecure-api-key.sk-x"],
            ["realtime", "openai-insecure-api-key.null", "openai-agents-sdk.0.20.0"],
            ["openai-insecure-api-key.sk-x", "realtime"],
        ],
    )
    async def test_selects_realtime_of_what_a_browser_offers(self, offered):
        async with gateway() as running, running.connect(protocols=offered) as ws:
            assert ws.protocol == "realtime"

    async def test_selects_nothing_when_nothing_is_offered(self):
        async with gateway() as running, running.connect() as ws:
            assert ws.protocol is None

    async def test_takes_any_key_on_this_machine(self):
        async with gateway() as running, running.connect(headers={"Authorization": "Bearer anything"}) as ws:
            assert (await ws.receive_json())["type"] == "session.created"


class TestRefusals:
    async def test_a_request_that_is_no_upgrade(self):
        async with gateway() as running, running.get("/v1/realtime?model=m") as response:
            assert response.status == 426
            assert (await response.json())["error"]["code"] == "upgrade_required"

    @pytest.mark.parametrize(
        ("query", "status", "code", "param"),
        [
            ("", 400, "missing_required_parameter", "model"),
            ("?model=", 400, "missing_required_parameter", "model"),
            ("?intent=transcription&model=", 400, "missing_required_parameter", "model"),
            ("?intent=conversation&model=m", 400, "invalid_value", "intent"),
            (f"?intent=transcription&model={'m' * 257}", 400, "invalid_value", "model"),
            (f"?model={'m' * 257}", 400, "invalid_value", "model"),
            ("?call_id=", 400, "invalid_value", "call_id"),
            (f"?call_id={'c' * 129}", 400, "invalid_value", "call_id"),
        ],
    )
    async def test_a_request_that_does_not_say_what_it_wants(self, query, status, code, param):
        async with gateway() as running:
            got, error, _ = await running.refused(f"/v1/realtime{query}")
            assert (got, error["code"], error["param"]) == (status, code, param)
            assert error["type"] == "invalid_request_error"
            assert running.upstream.sessions == []

    async def test_subprotocols_without_ours_and_without_repeating_the_key(self):
        async with gateway() as running:
            status, error, _ = await running.refused(
                Sec_WebSocket_Protocol="openai-insecure-api-key.sk-x, other"
            )
            assert (status, error["code"]) == (400, "unsupported_subprotocol")
            assert "sk-x" not in error["message"]

    @pytest.mark.parametrize(
        "headers", [{"Sec_WebSocket_Version": "99"}, {"Sec_WebSocket_Key": "short"}, {"Connection": "close"}]
    )
    async def test_a_broken_handshake(self, headers):
        async with gateway() as running:
            status, error, _ = await running.refused(**headers)
            assert (status, error["code"]) == (400, "bad_request")
            assert len(running.sessions) == 0
            assert running.upstream.sessions == []

    async def test_not_ready(self):
        async with gateway(ScriptedUpstream(ready=False), ready=False, retry_after_seconds=3) as running:
            status, error, headers = await running.refused()
            assert (status, error["code"], error["type"]) == (503, "not_ready", "server_error")
            assert headers["Retry-After"] == "3"
            assert "weights" in error["message"]

    async def test_failed(self):
        upstream = ScriptedUpstream(failure=WeightsUnavailable("nobody has them"))
        async with gateway(upstream, ready=False) as running:
            status, error, _ = await running.refused()
            assert (status, error["code"]) == (503, "upstream_unavailable")
            assert "nobody has them" in error["message"]

    @pytest.mark.parametrize(
        ("code", "told"), [(None, "upstream_unavailable"), ("session_limit_reached", "session_limit_reached")]
    )
    async def test_an_endpoint_that_refuses(self, code, told):
        class Refusing(ScriptedUpstream):
            async def connect(self, model, params, **_):
                raise ConnectionFailed("The engine is full.", status=503, code=code)

        async with gateway(Refusing()) as running:
            status, error, headers = await running.refused()
            assert (status, error["message"], error["code"]) == (503, "The engine is full.", told)
            assert headers["Retry-After"] == "5"

    @pytest.mark.parametrize(
        ("capacity", "settings"), [(None, {"max_sessions": 1}), (1, {}), (1, {"max_sessions": 9})]
    )
    async def test_too_many_sessions(self, capacity, settings):
        async with gateway(ScriptedUpstream(capacity=capacity), **settings) as running:
            async with running.connect() as ws:
                await ws.receive()
                status, error, headers = await running.refused()
                assert (status, error["code"], headers["Retry-After"]) == (503, "session_limit_reached", "5")
                with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
                    await running.connect()
            await running.upstream.sessions[0].closed
            async with running.connect() as ws:  # its place is free again
                assert (await ws.receive_json())["type"] == "session.created"
