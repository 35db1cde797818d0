"""How `/v1/realtime` meets clients of the beta."""

from openai.types.beta.realtime.error_event import ErrorEvent

from tests.gateway.doubles import gateway

BETA = {"OpenAI-Beta": "realtime=v1"}


class TestWrongKeys:
    async def test_they_are_let_in_told_and_sent_away(self):
        async with (
            gateway(local_access="token", token="sesame-open-sesame") as running,
            running.connect(headers={**BETA, "Authorization": "Bearer null"}) as ws,
        ):
            told = await ws.receive_str()
            error = ErrorEvent.model_validate_json(told, strict=True).error
            assert error.code == "invalid_api_key"
            assert "Incorrect API key provided" in error.message
            await ws.receive()
            assert ws.close_code == 3000
            assert running.upstream.sessions == []

    async def test_browsers_too(self):
        protocols = ["realtime", "openai-insecure-api-key.ek_never", "openai-beta.realtime-v1"]
        async with gateway() as running, running.connect(protocols=protocols) as ws:
            assert ws.protocol == "realtime"
            assert (await ws.receive_json())["error"]["code"] == "invalid_api_key"

    async def test_but_only_where_a_websocket_is_asked_for(self):
        async with (
            gateway(local_access="token", token="sesame-open-sesame") as running,
            running.get("/v1/realtime", headers=BETA) as response,
        ):
            assert response.status == 401

    async def test_clients_of_today_are_refused_before(self):
        async with gateway(local_access="token", token="sesame-open-sesame") as running:
            status, error, _ = await running.refused(Authorization="Bearer null")
            assert (status, error["code"]) == (401, "token_required")


async def test_it_need_not_name_a_model():
    async with gateway() as running, running.connect("/v1/realtime", headers=BETA) as ws:
        assert (await ws.receive_json())["type"] == "session.created"


async def test_its_name_for_a_session_that_only_listens():
    async with gateway() as running, running.connect("/v1/realtime?intent=transcription", headers=BETA) as ws:
        await ws.receive_json()
        assert running.upstream.sessions[0].params.type == "transcription"


async def test_without_latency_what_it_says_arrives_as_it_comes():
    async with gateway(beta_latency_ms=0) as running, running.connect(headers=BETA) as ws:
        await ws.receive_json()
        await ws.send_json({"type": "response.cancel", "event_id": "e"})
        assert await running.upstream.sessions[0].hears(1)
