import json

import pytest

from tests.gateway.doubles import ScriptedUpstream, gateway


async def read(running, **headers):
    async with running.get("/metrics", headers=headers) as response:
        return response.status, await response.text()


class TestMetrics:
    async def test_a_session_is_measured(self):
        async with gateway() as running:
            async with running.connect() as ws:
                await ws.receive()
                await ws.send_str('{"type":"input_audio_buffer.clear"}')
                await ws.receive()
                assert 'vivavoce_sessions_open{line="websocket"} 1.0' in (await read(running))[1]
            await running.upstream.sessions[0].closed
            page = (await read(running))[1]
        assert 'vivavoce_sessions_open{line="websocket"} 0.0' in page
        assert 'vivavoce_events_total{direction="up",type="input_audio_buffer.clear"} 1.0' in page
        assert 'vivavoce_events_total{direction="down",type="session.created"} 1.0' in page

    async def test_refusals_are_counted_by_reason(self):
        async with gateway(max_sessions=1) as running, running.connect() as ws:
            await ws.receive()
            await running.refused()
            await running.refused("/v1/realtime")
            page = (await read(running))[1]
        assert 'vivavoce_refusals_total{code="session_limit_reached"} 1.0' in page
        assert 'vivavoce_refusals_total{code="missing_required_parameter"} 1.0' in page
        assert 'vivavoce_http_requests_total{method="GET",route="/v1/realtime",status="503"} 1.0' in page

    async def test_so_is_one_that_the_beta_is_told_of_inside(self):
        async with gateway(local_access="token") as running:
            headers = {"OpenAI-Beta": "realtime=v1", "Authorization": "Bearer wrong"}
            async with running.connect(headers=headers) as ws:
                assert (await ws.receive_json())["type"] == "error"
                await ws.receive()
            own = {"Authorization": f"Bearer {running.door.token}"}
            page = (await read(running, **own))[1]
        assert 'vivavoce_refusals_total{code="invalid_api_key"} 1.0' in page

    async def test_nothing_that_was_said_is_in_it(self):
        def reply(data):
            return [{"type": "error", "error": {"type": "t", "code": "c" * 80, "message": "hunter2"}}]

        async with gateway(ScriptedUpstream(reply=reply)) as running:
            async with running.connect("/v1/realtime?model=hunter2") as ws:
                await ws.receive()
                await ws.send_str(json.dumps({"type": "hunter2"}))
                await ws.receive()
            await running.upstream.sessions[0].closed
            page = (await read(running))[1]
        assert "hunter2" not in page
        assert 'vivavoce_errors_total{code="other"} 1.0' in page


class TestAccess:
    async def test_programs_of_this_machine_need_nothing(self):
        async with gateway() as running:
            assert (await read(running))[0] == 200

    @pytest.mark.parametrize("header", ["X-Forwarded-For", "Sec-Fetch-Site"])
    async def test_those_behind_a_proxy_and_pages_need_the_token(self, header):
        async with gateway(metrics_token="t0ken") as running:
            strange = {header: "1"}
            assert (await read(running, **strange))[0] == 401
            assert (await read(running, **strange, Authorization="Bearer wrong"))[0] == 401
            assert (await read(running, **strange, Authorization="Bearer t0ken"))[0] == 200

    async def test_for_everybody_where_that_is_wanted(self):
        async with gateway(metrics="open") as running:
            assert (await read(running, **{"X-Forwarded-For": "1"}))[0] == 200

    async def test_off_with_a_token_is_for_the_token(self):
        async with gateway(metrics="off", metrics_token="t0ken") as running:
            assert (await read(running))[0] == 401
            assert (await read(running, Authorization="Bearer t0ken"))[0] == 200

    async def test_off_is_as_if_it_were_not_there(self):
        async with gateway(metrics="off") as running:
            assert (await read(running))[0] == 404
