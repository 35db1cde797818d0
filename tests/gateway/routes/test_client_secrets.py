import json
import logging
import time

import pytest

from tests.gateway.doubles import ScriptedUpstream, gateway
from vivavoce.errors import ProtocolError, WeightsUnavailable
from vivavoce.protocol.session_params import RealtimeSessionParams, TranscriptionSessionParams

PATH = "/v1/realtime/client_secrets"
BRIEF = {"type": "realtime", "instructions": "Be brief."}


async def post(running, body, **headers):
    """Ask for a key; return the status, the answer and its headers."""
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    headers = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
    async with running.client.post(running.url(PATH), data=data, headers=headers) as response:
        return response.status, await response.json(), response.headers


async def key(running, **asked):
    status, answer, _ = await post(running, asked)
    assert status == 200
    return answer["value"]


class TestMaking:
    @pytest.mark.parametrize(
        ("asked", "seconds"), [({}, 600), ({"seconds": 10}, 10), ({"seconds": 7200}, 7200)]
    )
    async def test_a_key_a_time_and_the_session(self, asked, seconds):
        async with gateway() as running:
            before = int(time.time())
            status, answer, headers = await post(
                running, {"expires_after": {"anchor": "created_at", **asked}}
            )
            assert status == 200
            assert set(answer) == {"value", "expires_at", "session"}
            assert answer["value"].startswith("ek_")
            assert before + seconds <= answer["expires_at"] <= time.time() + seconds
            assert answer["session"]["type"] == "realtime"
            assert (headers["Content-Type"], headers["Cache-Control"]) == (
                "application/json; charset=utf-8",
                "no-store",
            )
            assert running.upstream.sessions == []

    async def test_what_the_endpoint_does_not_serve(self):
        class Particular(ScriptedUpstream):
            def describe(self, params):
                raise ProtocolError("No.", code="invalid_value", param="session.prompt")

        async with gateway(Particular()) as running:
            status, answer, _ = await post(running, {"session": BRIEF})
            assert status == 400
            assert answer["error"] == {
                "message": "No.",
                "type": "invalid_request_error",
                "code": "invalid_value",
                "param": "session.prompt",
            }

    @pytest.mark.parametrize(
        ("body", "headers", "status", "code"),
        [
            ("{", {}, 400, "invalid_json"),
            ("", {}, 400, "invalid_json"),
            (b"\xff", {}, 400, "invalid_json"),
            ("{}", {"Content_Type": "text/plain"}, 400, "unsupported_content_type"),
            ('{"session":{}}', {}, 400, "missing_required_parameter"),
            (f'{{"pad":"{"x" * 1024}"}}', {}, 413, "request_entity_too_large"),
            ("{}", {"Origin": "https://evil.example"}, 403, "origin_not_allowed"),
        ],
    )
    async def test_what_is_no_such_request(self, body, headers, status, code):
        async with gateway(max_body_bytes=1024) as running:
            got, answer, _ = await post(running, body, **headers)
            assert (got, answer["error"]["code"]) == (status, code)

    async def test_while_the_models_load(self):
        async with gateway(ScriptedUpstream(ready=False), ready=False, retry_after_seconds=3) as running:
            status, answer, headers = await post(running, {})
            assert (status, answer["error"]["code"], headers["Retry-After"]) == (503, "not_ready", "3")

    async def test_when_they_failed(self):
        upstream = ScriptedUpstream(failure=WeightsUnavailable("nobody has them"))
        async with gateway(upstream, ready=False) as running:
            status, answer, _ = await post(running, {})
            assert (status, answer["error"]["code"]) == (503, "upstream_unavailable")

    async def test_as_many_as_there_may_be(self):
        async with gateway(max_client_secrets=1) as running:
            await key(running, expires_after={"seconds": 60})
            status, answer, headers = await post(running, {})
            assert (status, answer["error"]["code"]) == (503, "client_secret_limit_reached")
            assert 58 <= int(headers["Retry-After"]) <= 60


class TestUsing:
    @pytest.mark.parametrize("where", ["header", "subprotocol"])
    @pytest.mark.parametrize("query", ["", "?model=gpt-realtime", "?intent=transcription"])
    async def test_a_session_begins_as_its_key_says(self, where, query):
        async with gateway() as running:
            value = await key(running, session=BRIEF)
            offered = {
                "header": {"headers": {"Authorization": f"Bearer {value}"}},
                "subprotocol": {"protocols": ["realtime", f"openai-insecure-api-key.{value}"]},
            }[where]
            for _ in range(2):
                async with running.connect(f"/v1/realtime{query}", **offered) as ws:
                    assert (await ws.receive_json())["type"] == "session.created"
            assert [session.params for session in running.upstream.sessions] == [
                RealtimeSessionParams(instructions="Be brief.")
            ] * 2

    async def test_the_model_of_the_address_is_for_a_key_that_names_none(self):
        async with gateway() as running:
            headers = {"Authorization": f"Bearer {await key(running, session=BRIEF)}"}
            async with running.connect("/v1/realtime?model=gpt-realtime-2.1", headers=headers) as ws:
                assert (await ws.receive_json())["session"]["model"] == "gpt-realtime-2.1"

    async def test_a_key_may_be_for_transcription(self):
        async with gateway() as running:
            headers = {"Authorization": f"Bearer {await key(running, session={'type': 'transcription'})}"}
            async with running.connect("/v1/realtime", headers=headers) as ws:
                await ws.receive_json()
            assert running.upstream.sessions[0].params == TranscriptionSessionParams()

    async def test_a_key_that_was_never_made(self, caplog):
        caplog.set_level(logging.DEBUG)
        async with gateway() as running:
            await key(running)
            value = "ek_" + "0" * 32
            for headers in (
                {"Authorization": f"Bearer {value}"},
                {"Sec_WebSocket_Protocol": f"realtime, openai-insecure-api-key.{value}"},
            ):
                status, error, got = await running.refused(**headers)
                assert (status, error["code"], got["WWW-Authenticate"]) == (401, "invalid_api_key", "Bearer")
                assert value not in error["message"]
            assert running.upstream.sessions == []
        assert value not in caplog.text

    async def test_a_key_that_has_expired(self, monkeypatch):
        async with gateway() as running:
            headers = {"Authorization": f"Bearer {await key(running, expires_after={'seconds': 10})}"}
            now = time.time()
            monkeypatch.setattr(time, "time", lambda: now + 11)
            status, error, _ = await running.refused(**headers)
            assert (status, error["code"]) == (401, "invalid_api_key")

    async def test_keys_are_not_logged(self, caplog):
        caplog.set_level(logging.DEBUG)
        async with gateway() as running:
            value = await key(running, session=BRIEF)
            async with running.connect(headers={"Authorization": f"Bearer {value}"}) as ws:
                await ws.receive()
        assert caplog.records
        assert value not in caplog.text
