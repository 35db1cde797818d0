import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from vivavoce.errors import ConnectionFailed
from vivavoce.protocol.session_params import RealtimeSessionParams
from vivavoce.webrtc import signalling as module
from vivavoce.webrtc.signalling import Signalling

TAKEN = {"status": 201, "text": "v=0 answer", "headers": {"Location": "/v1/realtime/calls/rtc_1"}}


class Endpoint:
    """An endpoint that answers as it is told to, and notes what it is asked."""

    def __init__(self):
        self.answers, self.asked, self._over = [], [], asyncio.Event()

    async def __call__(self, request):
        self.asked.append((request.method, request.path, await request.text()))
        self.authorization = request.headers.get("Authorization")
        if not self.answers:
            await self._over.wait()
            return web.Response()
        return web.Response(**self.answers.pop(0))

    @asynccontextmanager
    async def serve(self):
        runner = web.ServerRunner(web.Server(self))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        try:
            yield f"http://{host}:{port}/v1/"
        finally:
            self._over.set()
            await runner.cleanup()


@pytest.fixture
async def endpoint():
    endpoint = Endpoint()
    async with endpoint.serve() as endpoint.url:
        yield endpoint


async def test_a_call_from_its_beginning_to_its_end(endpoint):
    endpoint.answers += [TAKEN, {"text": "v=0 another"}, {}]
    async with aiohttp.ClientSession() as http:
        call = Signalling(endpoint.url, api_key="sk-1", http=http)
        assert await call.begin("v=0 offer", None) == "v=0 answer"
        assert call.call_id == "rtc_1"
        assert endpoint.authorization == "Bearer sk-1"
        assert await call.restart("v=0 anew") == "v=0 another"
    await call.hang_up()
    path = "/v1/realtime/calls"
    assert endpoint.asked == [
        ("POST", path, "v=0 offer"),
        ("PATCH", f"{path}/rtc_1", "v=0 anew"),
        ("POST", f"{path}/rtc_1/hangup", ""),
    ]


async def test_says_what_the_session_begins_with(endpoint):
    endpoint.answers.append(TAKEN)
    await Signalling(endpoint.url).begin("v=0 offer", RealtimeSessionParams(instructions="Be brief."))
    ((_, _, form),) = endpoint.asked
    for part in ('name="sdp"', "v=0 offer", 'name="session"', '"instructions":"Be brief."'):
        assert part in form
    assert endpoint.authorization is None


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            {
                "status": 503,
                "text": '{"error": {"message": "It is full.", "code": "session_limit_reached"}}',
                "headers": {"Retry-After": "7"},
            },
            ("It is full.", 503, "session_limit_reached", 7),
        ),
        (
            {"status": 502, "text": "<h1>Bad</h1>", "headers": {"Retry-After": "soon"}},
            ("Bad", 502, None, None),
        ),
        ({"status": 500, "text": '{"error": "x"}'}, ("error", 500, None, None)),
        ({"status": 404}, ("Not Found", 404, None, None)),
    ],
)
async def test_a_refusal_says_all_that_it_says(endpoint, answer, told):
    endpoint.answers.append(answer)
    with pytest.raises(ConnectionFailed, match=told[0]) as refused:
        await Signalling(endpoint.url).begin("v=0 offer", None)
    assert (refused.value.status, refused.value.code, refused.value.retry_after) == told[1:]


async def test_an_endpoint_that_says_nothing_is_not_waited_for(endpoint, monkeypatch):
    monkeypatch.setattr(module, "CALL_SECONDS", 0.1)
    with pytest.raises(ConnectionFailed, match=r"did not answer in 0\.1 s") as failed:
        await Signalling(endpoint.url).begin("v=0 offer", None)
    assert failed.value.code == "timeout"


async def test_nobody_there():
    with pytest.raises(ConnectionFailed, match="Cannot reach"):
        await Signalling("http://127.0.0.1:9/v1").begin("v=0 offer", None)


async def test_who_cannot_be_told_of_the_end_finds_out(endpoint):
    call = Signalling(endpoint.url)
    await call.hang_up()
    assert endpoint.asked == []
    endpoint.answers += [TAKEN, {"status": 500}]
    await call.begin("v=0 offer", None)
    await call.hang_up()
    await call.hang_up()
    assert len(endpoint.asked) == 2
