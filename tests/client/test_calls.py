import json
import socket

import aiohttp
import pytest
from aiohttp import web

from vivavoce.client.calls import begin_call, hang_up
from vivavoce.errors import ConnectionFailed
from vivavoce.protocol.session_params import RealtimeSessionParams

PARAMS = RealtimeSessionParams(model="gpt-realtime-2.1")


@pytest.fixture
async def endpoint():
    """Serve answers, and return what was asked and how to ask: ``await endpoint(response)``."""
    app, asked, answers = web.Application(), [], []

    async def answer(request):
        asked.append((request.path, dict(request.headers), dict(await request.post())))
        return answers.pop(0)

    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    async with aiohttp.ClientSession() as http:
        yield http, f"http://127.0.0.1:{site.port}/v1", asked, answers
    await runner.cleanup()


async def test_an_offer_is_passed_on_with_the_key_and_the_session(endpoint):
    http, url, asked, answers = endpoint
    answers.append(web.Response(status=201, text="answer", headers={"Location": "/v1/realtime/calls/rtc_7"}))
    begun = await begin_call(http, url, "offer", PARAMS, api_key="sk-secret")
    assert (begun.answer, begun.call_id) == ("answer", "rtc_7")
    ((path, headers, form),) = asked
    assert (path, headers["Authorization"]) == ("/v1/realtime/calls", "Bearer sk-secret")
    assert form["sdp"] == b"offer"
    assert json.loads(form["session"]) == {"type": "realtime", "model": "gpt-realtime-2.1"}


@pytest.mark.parametrize("status", [201, 302, 400, 404, 503])
async def test_what_is_no_call_is_told(endpoint, status):
    http, url, _, answers = endpoint
    answers.append(web.Response(status=status, text="No."))  # 201 without saying where it is
    with pytest.raises(ConnectionFailed, match=f"refused the call with status {status}: No") as failed:
        await begin_call(http, url, "offer", PARAMS)
    assert failed.value.status == status


async def test_nobody_there(free_port):
    async with aiohttp.ClientSession() as http:
        with pytest.raises(ConnectionFailed, match="Cannot reach"):
            await begin_call(http, f"http://127.0.0.1:{free_port}/v1", "offer", PARAMS)
        with pytest.raises(ConnectionFailed, match="Cannot reach"):
            await hang_up(http, f"http://127.0.0.1:{free_port}/v1", "rtc_7")


@pytest.fixture
def silent_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


async def test_an_endpoint_that_does_not_answer_is_not_waited_for(silent_port):
    async with aiohttp.ClientSession() as http:
        with pytest.raises(ConnectionFailed, match=r"did not answer in 0\.05 s") as failed:
            await begin_call(http, f"http://127.0.0.1:{silent_port}/v1", "offer", PARAMS, timeout=0.05)
    assert failed.value.code == "timeout"


async def test_hangs_up_what_may_have_ended(endpoint):
    http, url, asked, answers = endpoint
    answers += [web.Response(), web.Response(status=404)]
    for _ in answers[:]:
        await hang_up(http, url, "rtc_7", api_key="sk-secret")
    assert [path for path, _, _ in asked] == ["/v1/realtime/calls/rtc_7/hangup"] * 2


@pytest.mark.parametrize("status", [302, 401, 500])
async def test_what_is_not_hung_up_is_told(endpoint, status):
    http, url, _, answers = endpoint
    answers.append(web.Response(status=status))
    with pytest.raises(ConnectionFailed, match=f"refused to hang up with status {status}") as failed:
        await hang_up(http, url, "rtc_7")
    assert failed.value.status == status
