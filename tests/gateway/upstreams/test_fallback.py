"""Two providers, of which the first fails in every way before its first answer."""

import asyncio
import contextlib
import json
from contextlib import asynccontextmanager

import pytest

from tests.gateway.doubles import ScriptedTransport, ScriptedUpstream, gateway, until
from tests.gateway.upstreams.doubles import SCRIPT, providing
from vivavoce.errors import ConnectionFailed, ConnectionLost
from vivavoce.gateway.upstream import Reach
from vivavoce.gateway.upstreams.fallback import FallbackTransport, FallbackUpstream
from vivavoce.gateway.upstreams.handover import Handover
from vivavoce.gateway.upstreams.local import LocalUpstream
from vivavoce.gateway.upstreams.remote import RemoteUpstream
from vivavoce.protocol.session_params import RealtimeSessionParams
from vivavoce.testing import ScriptedEngine, parse_script

PARAMS = RealtimeSessionParams()
OOPS = {"type": "error", "error": {"type": "server_error", "message": "Oops."}}
MESSAGE = {
    "type": "conversation.item.create",
    "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello."}]},
}


class Failing(ScriptedTransport):
    """Adds items as an endpoint does; at a response it does what ``at_response`` says."""

    at_response = None

    def __init__(self, model, reply):
        super().__init__(model, self._answer)

    def _answer(self, data):
        event = json.loads(data)
        match event["type"]:
            case "conversation.item.create":
                added = {"item": event["item"], "previous_item_id": None}
                return [
                    {"type": "conversation.item.added", **added},
                    {"type": "conversation.item.done", **added},
                ]
            case "response.create":
                return self.at_response() or []
        return []


class Errs(Failing):
    def at_response(self):
        return [{"type": "response.created", "response": {"id": "resp_1"}}, OOPS]


class Fails(Failing):
    def at_response(self):
        return [
            {"type": "response.created", "response": {"id": "resp_1"}},
            {"type": "response.done", "response": {"id": "resp_1", "status": "failed"}},
        ]


class HangsUp(Failing):
    def at_response(self):
        self.hang_up(1011, "defect")


class VanishesWhileSending(Failing):
    def at_response(self):
        self.hang_up(1006)
        raise ConnectionLost(1006)


class Leaves(Failing):
    def at_response(self):
        self.hang_up(1000)


@asynccontextmanager
async def _falling(transport, second=None, **settings):
    first = ScriptedUpstream(transport=transport)
    second = second or LocalUpstream(ScriptedEngine(parse_script(SCRIPT)))
    both = FallbackUpstream(first, second, most_bytes=settings.pop("most_bytes", 10_000))
    async with gateway(both, **settings) as running, running.connect() as ws:
        yield first, ws


class TestHandingOver:
    @pytest.mark.parametrize("transport", [Errs, Fails, HangsUp, VanishesWhileSending])
    async def test_the_client_sees_one_session_and_one_answer(self, transport, caplog):
        async with _falling(transport) as (first, ws):
            await ws.send_json(MESSAGE)
            await ws.send_json({"type": "response.create"})
            events = await until(ws, "response.done")
            types = [event["type"] for event in events]
            for once in ("session.created", "response.created", "response.done"):
                assert types.count(once) == 1
            assert "error" not in types
            assert events[-1]["response"]["status"] == "completed"
            items = {
                e["item"]["id"]: e["item"]["role"] for e in events if e["type"] == "conversation.item.added"
            }
            assert sorted(items.values()) == ["assistant", "user"]
            await first.sessions[0].closed
            assert "goes on with the fallback" in caplog.text

            await ws.send_json({"type": "response.create"})  # and it goes on there
            events = await until(ws, "response.done")
            words = [e["delta"] for e in events if e["type"] == "response.output_audio_transcript.delta"]
            assert "".join(words) == "Good evening."

    async def test_after_an_answer_there_is_no_way_back(self):
        class AnswersOnce(Failing):
            answered = False

            def at_response(self):
                if self.answered:
                    return self.hang_up(1011, "too late")
                self.answered = True
                return [{"type": "response.output_text.delta", "delta": "Hi"}]

        async with _falling(AnswersOnce) as (_, ws):
            await ws.send_json({"type": "response.create"})
            await until(ws, "response.output_text.delta")
            await ws.send_json({"type": "response.create"})
            message = await ws.receive()
            assert (message.data, message.extra) == (1011, "too late")

    async def test_who_said_too_much_is_told_the_end(self):
        async with _falling(HangsUp, most_bytes=100) as (_, ws):
            await ws.receive()
            await ws.send_json({"type": "x", "pad": "x" * 200})
            await ws.send_json({"type": "response.create"})
            assert (await ws.receive()).data == 1011

    async def test_an_endpoint_that_says_goodbye_has_not_failed(self):
        async with _falling(Leaves) as (_, ws):
            await ws.receive()
            await ws.send_json({"type": "response.create"})
            assert (await ws.receive()).data == 1000

    @pytest.mark.parametrize(("transport", "seen"), [(Errs, "error"), (HangsUp, None)])
    async def test_where_the_fallback_fails_too_the_first_is_heard(self, transport, seen):
        class Nobody(ScriptedUpstream):
            async def connect(self, model, params, **_):
                raise ConnectionFailed("Nobody is here.")

        async with _falling(transport, Nobody()) as (_, ws):
            await ws.receive()
            await ws.send_json({"type": "response.create"})
            if seen:
                assert [e["type"] for e in await until(ws, seen)] == ["response.created", seen]
                await ws.send_json(MESSAGE)
                assert (await ws.receive_json())["type"] == "conversation.item.added"
            else:
                assert (await ws.receive()).data == 1011


class TestTransport:
    async def test_events_wait_until_those_before_were_said_again(self):
        first, second = ScriptedTransport("m", lambda _: []), ScriptedTransport("m", lambda _: [])
        let_go, connecting = asyncio.Event(), asyncio.Event()
        second_send = second.send

        async def slow(data):
            await let_go.wait()
            await second_send(data)

        second.send = slow

        async def connect():
            connecting.set()
            return second

        transport = FallbackTransport(first, connect, Handover(1000))
        await transport.receive()
        await transport.send('{"type":"one"}')
        first.hang_up(1006)
        hearing = asyncio.create_task(transport.receive())
        await connecting.wait()
        await first.closed
        saying = asyncio.create_task(transport.send('{"type":"two"}'))
        await asyncio.sleep(0)
        let_go.set()
        await saying
        assert second.heard == [b'{"type":"one"}', b'{"type":"two"}']
        second.say({"type": "three"})
        assert json.loads(await hearing) == {"type": "three"}
        await transport.close(1000)
        assert second.closed.done()

    async def test_closing_stops_what_is_said_again(self):
        first, second = ScriptedTransport("m", lambda _: []), ScriptedTransport("m", lambda _: [])
        second.send = lambda _: asyncio.Event().wait()

        async def connect():
            return second

        transport = FallbackTransport(first, connect, Handover(1000))
        await transport.receive()
        await transport.send(b'{"type":"one"}')
        first.hang_up(1006)
        hearing = asyncio.create_task(transport.receive())
        await first.closed
        hearing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await hearing
        await transport.close()
        assert second.closed.done()


class TestConnecting:
    async def test_the_second_is_taken_where_the_first_refuses(self, caplog, free_port):
        async with providing() as provider:
            first = RemoteUpstream(f"ws://127.0.0.1:{free_port}")
            both = FallbackUpstream(
                first, LocalUpstream(ScriptedEngine(parse_script(SCRIPT))), most_bytes=1000
            )
            async with gateway(both, upstream=provider.url, fallback_upstream="engine") as running:
                assert both.capacity == first.capacity
                async with running.connect() as ws:
                    assert (await ws.receive_json())["type"] == "session.created"
                async with running.get("/health") as response:
                    body = await response.json()
                    assert (response.status, body["status"]) == (200, "ready")
                    assert body["upstreams"][0]["reachable"] is False
                    assert "models" in body["engine"]
            assert "went to the fallback" in caplog.text

    async def test_where_none_can_the_first_says_why(self, caplog):
        class No(ScriptedUpstream):
            def __init__(self, code):
                super().__init__()
                self.code = code

            async def connect(self, model, params, **_):
                raise ConnectionFailed("No.", status=503, code=self.code)

            async def reach(self):
                return (Reach(self.code, reachable=True),)

        both = FallbackUpstream(No("first"), No("second"), most_bytes=1000)
        async with gateway(both) as running:
            assert (await running.refused())[1]["code"] == "first"
            assert [there.address for there in await both.reach()] == ["first", "second"]
            assert both.describe(PARAMS).type == "realtime"

    async def test_a_call_is_the_firsts_alone(self):
        first, second = ScriptedUpstream(), ScriptedUpstream()
        async with gateway(FallbackUpstream(first, second, most_bytes=1000)) as running:
            async with running.connect("/v1/realtime?call_id=rtc_1"):
                assert first.sessions[0].call_id == "rtc_1"

            async def none(*_, **__):
                raise ConnectionFailed("No such call.", status=404, code="call_not_found")

            first.connect = none
            assert (await running.refused("/v1/realtime?call_id=rtc_1"))[0] == 404
            assert second.sessions == []

    async def test_it_is_ready_when_both_are(self):
        slow = ScriptedUpstream(ready=False)
        both = FallbackUpstream(ScriptedUpstream(), slow, most_bytes=1000)
        async with gateway(both, ready=False) as running:
            assert (await running.refused())[1]["code"] == "not_ready"
            slow.let_ready.set()
            await running.loading.finished()
            async with running.connect() as ws:
                await ws.receive()
        assert slow.closed
