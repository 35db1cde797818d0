"""A gateway in front of a provider, over sockets."""

import asyncio

import aiohttp
import pytest
from aiohttp import web
from openai import AsyncOpenAI

from tests.gateway.doubles import ScriptedTransport, gateway
from tests.gateway.upstreams.doubles import KEY, providing
from vivavoce.gateway.settings import GatewaySettings
from vivavoce.gateway.upstreams.choosing import choose_upstream
from vivavoce.gateway.upstreams.remote import RemoteUpstream


def _no_engine():
    raise AssertionError("expected no engine")


def _settings(provider, **settings):
    return {"upstream": provider.url, "upstream_key": KEY, "continuity": False, **settings}


def _gateway(provider, **settings):
    settings = _settings(provider, **settings)
    return gateway(choose_upstream(GatewaySettings(**settings), _no_engine), **settings)


async def _created(ws):
    event = await ws.receive_json()
    assert event["type"] == "session.created", event
    return event["session"]


async def _answer(ws):
    """Ask for a response, and return its transcript and the types of all events up to its end."""
    await ws.send_json({"type": "response.create"})
    types, words = [], []
    async with asyncio.timeout(20):
        while True:
            event = await ws.receive_json()
            types.append(event["type"])
            if event["type"] == "response.output_audio_transcript.delta":
                words.append(event["delta"])
            if event["type"] == "response.done":
                return "".join(words), types


class TestRelaying:
    async def test_answers_come_from_the_provider(self):
        async with providing() as provider, _gateway(provider) as running, running.connect() as ws:
            await _created(ws)
            words, _ = await _answer(ws)
            assert words == "Good morning."

    async def test_the_key_is_the_gateways_and_not_the_clients(self):
        async with providing() as provider, _gateway(provider) as running:
            headers = {"Authorization": "Bearer sk-mine", "OpenAI-Beta": "realtime=v1", "Cookie": "a=b"}
            async with running.connect(
                headers={k: v for k, v in headers.items() if k != "OpenAI-Beta"}
            ) as ws:
                await _created(ws)
            (request,) = provider.requests
            assert request.headers["Authorization"] == f"Bearer {KEY}"
            assert "Cookie" not in request.headers

    async def test_the_official_client_is_served(self):
        async with providing() as provider, _gateway(provider) as running:
            client = AsyncOpenAI(base_url=running.url("/v1"), api_key="any")
            async with client, client.realtime.connect(model="gpt-realtime-2.1") as connection:
                created = await connection.recv()
                assert created.session.model == "gpt-realtime-2.1"
                await connection.response.create()
                async for event in connection:
                    if event.type == "response.done":
                        assert event.response.status == "completed"
                        break

    async def test_transcription_is_asked_for(self):
        async with providing() as provider, _gateway(provider) as running:
            async with running.connect("/v1/realtime?intent=transcription") as ws:
                assert (await _created(ws))["type"] == "transcription"
            assert provider.requests[0].query_string == "intent=transcription"

    async def test_the_provider_says_how_it_ends(self):
        async with providing() as provider, _gateway(provider) as running, running.connect() as ws:
            await _created(ws)
            await provider.sockets[0].close(code=1001, message=b"Your session hit the maximum duration.")
            message = await ws.receive()
            assert (message.data, message.extra) == (1001, "Your session hit the maximum duration.")

    async def test_many_sessions_share_no_limit(self):
        mine = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        async with providing() as provider, _gateway(provider) as running, mine:
            url = running.url("/v1/realtime?model=gpt-realtime")
            sockets = [await mine.ws_connect(url) for _ in range(110)]
            for ws in sockets:
                await _created(ws)
            assert len(provider.sockets) == 110
            await asyncio.gather(*(ws.close() for ws in sockets))


class TestBeta:
    async def test_a_client_of_the_beta_is_served_by_a_provider_that_refuses_it(self):
        headers = {"OpenAI-Beta": "realtime=v1"}
        async with (
            providing() as provider,
            _gateway(provider, openai_realtime_model="gpt-realtime-2.1") as running,
            running.connect(TestModels.OLD, headers=headers) as ws,
        ):
            created = await _created(ws)
            assert (created["model"], created["input_audio_format"]) == ("gpt-realtime-2.1", "pcm16")
            await ws.send_json(
                {"type": "session.update", "session": {"instructions": "Sing.", "voice": "ash"}}
            )
            event = await ws.receive_json()
            assert (event["type"], event["session"]["voice"]) == ("session.updated", "ash")
            await ws.send_json({"type": "response.create"})
            types = []
            async with asyncio.timeout(20):
                while "response.done" not in types:
                    types.append((await ws.receive_json())["type"])
            assert "response.audio.delta" in types
            assert "conversation.item.done" not in types
            assert "OpenAI-Beta" not in provider.requests[0].headers


class TestModels:
    OLD = "/v1/realtime?model=gpt-4o-realtime-preview-2024-10-01"

    async def test_an_old_name_leads_to_the_model_of_the_settings(self, caplog):
        async with (
            providing() as provider,
            _gateway(provider, openai_realtime_model="gpt-realtime-2") as running,
            running.connect(self.OLD) as ws,
        ):
            assert (await _created(ws))["model"] == "gpt-realtime-2"
            assert ws._response.headers["Vivavoce-Warning"] == (
                "The model gpt-4o-realtime-preview-2024-10-01 is gone; gpt-realtime-2 answers in its place."
            )
            assert "is gone" in caplog.text

    async def test_so_does_none(self):
        async with (
            providing() as provider,
            _gateway(provider, openai_realtime_model="gpt-realtime-2") as running,
            running.connect("/v1/realtime") as ws,
        ):
            assert (await _created(ws))["model"] == "gpt-realtime-2"
            assert "Vivavoce-Warning" not in ws._response.headers

    async def test_what_is_not_allowed_is_refused(self):
        async with providing() as provider, _gateway(provider, allowed_models="gpt-realtime-2") as running:
            status, error, _ = await running.refused()
            assert (status, error["code"], error["param"]) == (404, "model_not_found", "model")
            assert provider.requests == []


class TestBackpressure:
    async def test_a_client_that_does_not_read_makes_the_provider_wait(self):
        sent = []

        async def flood(request):
            socket = web.WebSocketResponse(writer_limit=2**16)
            await socket.prepare(request)
            await socket.send_json({"type": "session.created", "session": {}})
            while True:
                await socket.send_json({"type": "flood", "pad": "x" * 65_536})
                sent.append(len(sent))

        async with providing() as provider, _gateway(provider, send_timeout_seconds=60) as running:
            provider.refusal = flood
            async with running.connect(max_msg_size=0) as ws:
                await _created(ws)
                async with asyncio.timeout(20):
                    seen = None
                    while seen != (seen := len(sent)) or not sent:  # noqa: ASYNC110 - nobody tells that nothing happens
                        await asyncio.sleep(0.2)
                assert len(sent) < 500  # 32 MiB: what all the sockets between them hold, and no more
                for _ in range(len(sent) + 10):
                    assert (await ws.receive_json())["type"] == "flood"


class TestSideband:
    async def test_a_call_is_controlled(self):
        async with providing() as provider, _gateway(provider) as running:
            call = provider.calls["rtc_1"] = ScriptedTransport("m", lambda data: [{"type": "heard"}])
            await call.receive()  # a sideband hears no session.created
            async with running.connect("/v1/realtime?call_id=rtc_1") as ws:
                await ws.send_json({"type": "response.cancel"})
                assert (await ws.receive_json())["type"] == "heard"
            assert provider.requests[0].query_string == "call_id=rtc_1"

    async def test_a_call_that_is_not_there(self):
        async with providing() as provider, _gateway(provider) as running:
            status, error, _ = await running.refused("/v1/realtime?call_id=rtc_2")
            assert (status, error["code"], error["param"]) == (404, "call_not_found", "call_id")

    async def test_the_engine_has_no_calls(self):
        async with gateway() as running:
            running.upstream.connect = RemoteUpstream("ws://127.0.0.1:1").connect
            status, error, _ = await running.refused("/v1/realtime?call_id=rtc_2")
            assert (status, error["code"]) == (503, "upstream_unavailable")


class TestGranted:
    async def _key(self, running, session):
        async with running.client.post(
            running.url("/v1/realtime/client_secrets"), json={"session": session}
        ) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def test_a_session_begins_as_its_key_says(self):
        session = {"type": "realtime", "model": "gpt-realtime-2", "instructions": "Sell shoes."}
        async with providing() as provider, _gateway(provider) as running:
            made = await self._key(running, session)
            assert made["session"]["instructions"] == "Sell shoes."
            assert made["session"]["model"] == "gpt-realtime-2"
            assert made["session"]["audio"]["output"]["voice"] == "alloy"
            headers = {"Authorization": f"Bearer {made['value']}"}
            async with running.connect("/v1/realtime", headers=headers) as ws:
                created = await _created(ws)
                assert (created["instructions"], created["model"]) == ("Sell shoes.", "gpt-realtime-2")
                await ws.send_json(
                    {"type": "session.update", "session": {"type": "realtime", "instructions": "B"}}
                )
                event = await ws.receive_json()  # the first that it sees, and its own
                assert (event["type"], event["session"]["instructions"]) == ("session.updated", "B")
            assert provider.requests[-1].query["model"] == "gpt-realtime-2"

    async def test_a_session_that_the_provider_does_not_want(self):
        session = {"type": "realtime", "audio": {"output": {"voice": {"id": "voice_unknown"}}}}
        async with providing() as provider, _gateway(provider) as running:
            made = await self._key(running, session)
            status, error, _ = await running.refused(
                "/v1/realtime?model=gpt-realtime", Authorization=f"Bearer {made['value']}"
            )
            assert (status, error["code"]) == (502, "upstream_refused")

    async def test_controls_no_call(self):
        async with providing() as provider, _gateway(provider) as running:
            made = await self._key(running, {"type": "realtime"})
            status, error, _ = await running.refused(
                "/v1/realtime?call_id=rtc_1", Authorization=f"Bearer {made['value']}"
            )
            assert (status, error["code"]) == (403, "call_not_allowed")
            assert provider.requests == []


class TestRefusing:
    @pytest.mark.parametrize(
        ("status", "headers", "expected"),
        [
            (401, {}, (502, "upstream_refused", None)),
            (403, {}, (502, "upstream_refused", None)),
            (302, {"Location": "http://127.0.0.1:1/"}, (502, "upstream_refused", None)),
            (404, {}, (502, "upstream_refused", None)),
            (429, {"Retry-After": "17"}, (429, "upstream_rate_limited", "17")),
            (429, {}, (429, "upstream_rate_limited", "5")),
            (500, {}, (503, "upstream_unavailable", "5")),
            (503, {"Retry-After": "3"}, (503, "upstream_unavailable", "3")),
        ],
    )
    async def test_before_the_upgrade(self, caplog, status, headers, expected):
        async with providing() as provider, _gateway(provider) as running:
            body = {"error": {"message": f"no {KEY} here", "code": "odd"}}
            provider.refusal = lambda _: web.json_response(body, status=status, headers=headers)
            got, error, answered = await running.refused()
            assert (got, error["code"], answered.get("Retry-After")) == expected
            assert KEY not in str(error)
            assert f"status {status}" in caplog.text
            assert KEY not in caplog.text

    async def test_of_a_wrong_key(self, caplog):
        async with providing() as provider, _gateway(provider, upstream_key="sk-wrong-one") as running:
            status, error, _ = await running.refused()
            assert (status, error["code"], error["type"]) == (502, "upstream_refused", "server_error")
            assert "sk-wrong-one" not in str(error) + caplog.text

    @pytest.mark.parametrize(
        ("code", "told"),
        [
            ("invalid_api_key", 502),
            ("rate_limit_exceeded", 429),
            ("beta_api_shape_disabled", 502),
            (None, 502),
        ],
    )
    async def test_of_an_error_in_place_of_a_session(self, caplog, code, told):
        async with providing() as provider, _gateway(provider) as running:
            provider.first = [{"type": "error", "error": {"message": "No.", "code": code, "type": "x"}}]
            assert (await running.refused())[0] == told

    @pytest.mark.parametrize(("code", "told"), [(1011, 503), (4000, 502)])
    async def test_of_a_close_in_place_of_a_session(self, caplog, code, told):
        async with providing() as provider, _gateway(provider) as running:
            provider.first, provider.code = [], code
            assert (await running.refused())[0] == told

    async def test_of_silence(self, caplog):
        async with providing() as provider, _gateway(provider, upstream_timeout_seconds=0.2) as running:
            provider.silent = True
            status, error, _ = await running.refused()
            assert (status, error["code"]) == (504, "upstream_timeout")

    async def test_of_nobody(self, caplog, free_port):
        async with providing() as provider:
            there = f"ws://127.0.0.1:{free_port}/v1/realtime"
            async with _gateway(provider, upstream=there) as running:
                status, error, _ = await running.refused()
                assert (status, error["code"]) == (503, "upstream_unavailable")
                assert str(free_port) not in error["message"]
                assert len(running.sessions) == 0


class TestHealth:
    async def _health(self, running):
        async with running.get("/health") as response:
            return response.status, await response.json()

    async def test_tells_that_the_provider_answers_without_a_session_or_a_key(self):
        async with providing() as provider, _gateway(provider) as running:
            for _ in range(3):
                status, body = await self._health(running)
            assert (status, body["status"]) == (200, "ready")
            assert "engine" not in body
            address = provider.url
            assert body["upstreams"] == [{"address": address, "reachable": True, "last_failure": None}]
            assert provider.sockets == []
            (request,) = provider.requests  # it is not asked each time
            assert "Authorization" not in request.headers

    async def test_tells_of_the_last_failure(self, caplog):
        async with providing() as provider, _gateway(provider, upstream_key="sk-wrong") as running:
            await running.refused()
            _, body = await self._health(running)
            (there,) = body["upstreams"]
            assert (there["reachable"], there["last_failure"]["code"]) == (True, "upstream_refused")

    async def test_tells_that_nobody_is_there(self, free_port):
        there = f"ws://127.0.0.1:{free_port}/?k=hidden"
        async with providing() as provider, _gateway(provider, upstream=there) as running:
            status, body = await self._health(running)
            assert (status, body["status"]) == (503, "unreachable")
            assert "hidden" not in str(body)
