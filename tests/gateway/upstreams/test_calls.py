import asyncio

import pytest
from aiohttp import web

from tests.gateway.doubles import gateway
from tests.gateway.routes.test_calls import Caller, calling, offered, only_this_machine
from tests.gateway.routes.test_calls_restarting import patched
from vivavoce.client.retrying import Reconnect
from vivavoce.errors import ConnectionFailed, ProtocolError
from vivavoce.gateway.app import create_app, relays_calls
from vivavoce.gateway.calls import Held
from vivavoce.gateway.opening import Caller as Person
from vivavoce.gateway.settings import GatewaySettings
from vivavoce.gateway.upstreams.calls import CallRelay
from vivavoce.gateway.upstreams.remote import RemoteUpstream
from vivavoce.protocol.session_params import RealtimeSessionParams

__all__ = ["only_this_machine"]


def front_of(back, **settings):
    """A gateway in front of another, which takes the calls."""
    url = back.url("/v1/realtime")
    return gateway(RemoteUpstream(url), upstream=url, **settings)


class TestThroughTheGateway:
    async def test_the_call_is_the_endpoints_and_the_gateway_listens(self):
        async with gateway() as back, front_of(back) as front, calling(front) as caller:
            assert (await caller.told())["type"] == "session.created"
            (call_id,) = back.calls._held
            assert caller.location == f"/v1/realtime/calls/{call_id}"
            await caller.tell({"type": "response.create"})
            assert (await caller.told())["event"] == {"type": "response.create"}
            assert (len(front.sessions), len(front.calls)) == (1, 1)
        assert len(back.upstream.sessions) == 1

    async def test_a_sideband_of_the_gateway_controls_it(self):
        async with gateway() as back, front_of(back) as front, calling(front) as caller:
            await caller.told()
            call_id = caller.location.rsplit("/", 1)[1]
            async with front.connect(f"/v1/realtime?call_id={call_id}") as ws:
                await ws.send_str('{"type":"response.create"}')
                assert (await ws.receive_json())["event"] == {"type": "response.create"}
            assert (await caller.told())["event"] == {"type": "response.create"}

    async def test_somebody_elses_is_not_asked_for_at_the_endpoint(self):
        async with gateway() as back, front_of(back) as front, calling(back) as caller:
            await caller.told()
            call_id = caller.location.rsplit("/", 1)[1]
            with front.calls.hold(Held(call_id, Person("somebody else"), None, None)):
                status, error, _ = await front.refused(f"/v1/realtime?call_id={call_id}")
                assert (status, error["code"]) == (404, "call_not_found")
            async with front.connect(f"/v1/realtime?call_id={call_id}") as ws:  # which no gateway began
                await ws.send_str('{"type":"response.create"}')
                assert (await ws.receive_json())["event"] == {"type": "response.create"}

    async def test_hanging_up_at_the_gateway_hangs_up_at_the_endpoint(self):
        async with gateway() as back, front_of(back) as front, calling(front) as caller:
            await caller.told()
            async with front.client.post(front.url(f"{caller.location}/hangup")) as response:
                assert response.status == 200
            assert await back.upstream.sessions[0].closed == (1000, "hung up")

    async def test_an_end_at_the_endpoint_ends_it_here(self):
        async with gateway() as back, front_of(back) as front, calling(front) as caller:
            await caller.told()
            back.upstream.sessions[0].hang_up(1001, "enough")
            await caller.leg.ended()
            async with asyncio.timeout(20):
                while len(front.calls):  # noqa: ASYNC110 - there is no event for it
                    await asyncio.sleep(0.01)

    async def test_a_line_that_breaks_ends_no_call(self):
        async with gateway() as back, front_of(back) as front, calling(front) as caller:
            await caller.told()
            (held,) = back.calls.all
            listeners = {*held.session._listeners}
            async with front.connect(f"/v1/realtime?call_id={held.id}") as ws, asyncio.timeout(20):
                for connection in back.connections:
                    if connection.transport is not None:
                        connection.transport.abort()
                while held.session._listeners <= listeners:  # noqa: ASYNC110 - there is no event for it
                    await asyncio.sleep(0.01)
                await caller.tell({"type": "still.there"})
                assert (await ws.receive_json())["event"] == {"type": "still.there"}
            assert (len(front.calls), len(back.calls)) == (1, 1)

    async def test_the_session_is_what_the_client_asks_for(self):
        async with gateway() as back, front_of(back) as front:
            session = {"type": "realtime", "model": "gpt-realtime-2.1", "instructions": "Be brief."}
            async with calling(front, session) as caller:
                await caller.told()
                assert back.upstream.sessions[0].params.instructions == "Be brief."

    async def test_another_way_is_refused_since_endpoints_know_none(self):
        async with gateway() as back, front_of(back) as front, calling(front) as caller:
            await caller.told()
            async with patched(front, caller.location, "v=0") as response:
                assert (response.status, (await response.json())["error"]["code"]) == (
                    422,
                    "restart_not_supported",
                )
            await caller.tell({"type": "still.there"})
            assert (await caller.told())["event"] == {"type": "still.there"}

    async def test_a_bad_offer_gets_400(self):
        async with gateway() as back, front_of(back) as front:
            headers = {"Content-Type": "application/sdp"}
            async with front.client.post(
                front.url("/v1/realtime/calls"), data="v=0", headers=headers
            ) as response:
                assert (response.status, (await response.json())["error"]["code"]) == (400, "invalid_offer")
            assert len(front.sessions) == 0

    async def test_a_call_that_nobody_comes_to_control_is_hung_up(self, monkeypatch):
        waits = asyncio.Event()

        async def attach(self, call_id):
            waits.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(CallRelay, "attach", attach)
        async with gateway() as back, front_of(back) as front:
            caller = Caller(front)
            offering = asyncio.create_task(offered(front, await caller.leg.offer()))
            await waits.wait()
            (holding,) = front.calls._tasks
            holding.cancel()
            assert await offering == 503
            assert await back.upstream.sessions[0].closed == (1000, "hung up")
            await caller.leg.close()


class TestRelaying:
    @pytest.mark.parametrize(
        ("status", "told"),
        [(401, 502), (404, 502), (429, 429), (500, 503), (503, 503), (201, 502)],
    )
    async def test_a_refusal_is_told_in_our_words(self, aiohttp_server_at, status, told):
        async def calls(request):
            return web.Response(status=status, text="key sk-secret is wrong")

        url = await aiohttp_server_at(calls)
        relay = CallRelay(url, key="sk-secret")
        with pytest.raises(ConnectionFailed) as failed:
            await relay.begin("v=0", "m", RealtimeSessionParams())
        assert failed.value.status == told
        assert "sk-secret" not in str(failed.value)
        await relay.close()

    async def test_nobody_there(self, free_port):
        relay = CallRelay(f"http://127.0.0.1:{free_port}/v1", key=None)
        with pytest.raises(ConnectionFailed) as failed:
            await relay.begin("v=0", "m", RealtimeSessionParams())
        assert failed.value.status == 503
        with pytest.raises(ConnectionFailed):
            await relay.attach("rtc_1")
        await relay.close()

    async def test_an_offer_that_the_endpoint_refuses_is_the_clients_fault(self, aiohttp_server_at):
        async def calls(request):
            return web.Response(status=400)

        relay = CallRelay(await aiohttp_server_at(calls), key=None)
        with pytest.raises(ProtocolError):
            await relay.begin("v=0", "m", RealtimeSessionParams())
        await relay.close()

    async def test_the_key_and_the_model_go_with_the_offer(self, aiohttp_server_at):
        seen = {}

        async def calls(request):
            form = await request.post()
            seen.update(
                authorization=request.headers["Authorization"], sdp=form["sdp"], session=form["session"]
            )
            return web.Response(status=201, text="answer", headers={"Location": "/v1/realtime/calls/rtc_7"})

        relay = CallRelay(await aiohttp_server_at(calls), key="sk-secret", model="gpt-realtime-2.1")
        begun = await relay.begin("v=0", "whatever", RealtimeSessionParams())
        assert (begun.answer, begun.call_id) == ("answer", "rtc_7")
        assert seen["authorization"] == "Bearer sk-secret"
        assert '"model":"gpt-realtime-2.1"' in str(seen["session"])
        await relay.close()


class TestHangingUp:
    @pytest.fixture
    async def hung_up(self, aiohttp_server_at, monkeypatch):
        """Hang up a call at an endpoint that answers with such statuses; return what it was asked."""
        monkeypatch.setattr("vivavoce.gateway.upstreams.calls.PATIENCE", Reconnect(attempts=4, first_wait=0))

        async def hang_up(*statuses):
            seen = []

            async def answer(request):
                seen.append(request.path)
                return web.Response(status=statuses[len(seen) - 1])

            relay = CallRelay(await aiohttp_server_at(answer), key="sk-secret")
            await relay.hang_up("rtc_7")
            await relay.close()
            return seen

        return hang_up

    @pytest.mark.parametrize("statuses", [[200], [404], [500, 429, 503, 200]])
    async def test_is_tried_until_it_is_done(self, hung_up, caplog, statuses):
        assert await hung_up(*statuses) == ["/v1/realtime/calls/rtc_7/hangup"] * len(statuses)
        assert not caplog.records

    @pytest.mark.parametrize("statuses", [[500] * 4, [401]])
    async def test_is_given_up_where_that_is_no_use_and_the_log_says_so(self, hung_up, caplog, statuses):
        assert len(await hung_up(*statuses)) == len(statuses)
        assert "could not be hung up, and may go on at the endpoint: http://127.0.0.1" in caplog.text
        assert f"status {statuses[-1]}" in caplog.text
        assert "sk-secret" not in caplog.text


@pytest.fixture
async def aiohttp_server_at():
    runners = []

    async def start(handler):
        app = web.Application()
        app.router.add_post("/v1/realtime/calls{call:.*}", handler)
        runner = web.AppRunner(app)
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{site.port}/v1/realtime"

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("settings", "relayed"),
    [
        ({}, False),
        ({"upstream": "wss://example.org/v1/realtime"}, True),
        ({"upstream": "wss://example.org/v1/realtime", "policy": "policy.yaml"}, False),
        ({"upstream": "wss://example.org/v1/realtime", "call_media": "here"}, False),
        ({"upstream": "wss://example.org/v1/realtime", "policy": "p.yaml", "call_media": "upstream"}, True),
    ],
)
def test_calls_are_taken_where_the_rules_can_be_held(settings, relayed):
    assert relays_calls(GatewaySettings(**settings)) is relayed


@pytest.mark.parametrize(("media", "warned"), [("upstream", True), ("here", False)])
def test_a_policy_that_cannot_hold_for_calls_is_told(tmp_path, caplog, media, warned):
    policy = tmp_path / "policy.yaml"
    policy.write_text("default: {limits: {sessions: 1}}\n")
    url = "wss://example.org/v1/realtime"
    create_app(GatewaySettings(upstream=url, policy=policy, call_media=media), RemoteUpstream(url))
    assert ("the policy cannot hold for calls" in caplog.text) is warned
