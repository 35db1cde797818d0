"""Clients whose lines break, and who come back."""

import asyncio
import json

import aiohttp
import pytest
from openai.types.realtime import SessionCreatedEvent

from tests.gateway.doubles import ScriptedTransport, ScriptedUpstream, gateway

PATH = "/v1/realtime?model=gpt-realtime"


def _gateway(upstream=None, **settings):
    return gateway(upstream or ScriptedUpstream(), resume_seconds=30, **settings)


async def _begun(ws):
    event = await ws.receive_json()
    assert event["type"] == "session.created"
    return event["resume"]["token"]


def _break(ws):
    ws._response.connection.transport.abort()


async def _back(running, token, after=None):
    suffix = f"&after={after}" if after else ""
    ws = await running.connect(f"{PATH}&resume={token}{suffix}")
    resumed = await ws.receive_json()
    assert resumed["type"] == "vivavoce.resumed"
    return ws, resumed


def _say(running, *numbers):
    for number in numbers:
        running.upstream.sessions[0].say({"type": "note", "event_id": f"event_{number}", "number": number})


async def _numbers(ws, count):
    async with asyncio.timeout(20):
        return [(await ws.receive_json())["number"] for _ in range(count)]


async def _until(true):
    """Wait for what nobody tells."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


class TestToken:
    async def test_is_told_where_strict_clients_do_not_mind(self):
        async with _gateway() as running, running.connect() as ws:
            event = await ws.receive_json()
            assert event["resume"] == {"token": ws._response.headers["Vivavoce-Resume-Token"], "seconds": 30}
            assert (
                "resume"
                in SessionCreatedEvent.model_validate(
                    event | {"event_id": "event_1", "session": {"type": "realtime"}}, strict=True
                ).model_dump()
            )

    async def test_is_not_told_where_nobody_may_come_back(self):
        async with gateway() as running, running.connect() as ws:
            assert "resume" not in await ws.receive_json()
            assert "Vivavoce-Resume-Token" not in ws._response.headers

    @pytest.mark.parametrize("token", ["", "guessed"])
    async def test_that_is_wrong_opens_nothing(self, token):
        async with _gateway() as running, running.connect() as ws:
            await _begun(ws)
            status, error, _ = await running.refused(f"{PATH}&resume={token}")
            assert (status, error["code"], error["param"]) == (404, "resume_token_not_found", "resume")
            assert len(running.upstream.sessions) == 1

    async def test_works_once(self):
        async with _gateway() as running, running.connect() as ws:
            token = await _begun(ws)
            _break(ws)
            again, resumed = await _back(running, token)
            assert (await running.refused(f"{PATH}&resume={token}"))[0] == 404
            _break(again)
            last, _ = await _back(running, resumed["resume"]["token"])
            await last.close()

    async def test_is_over_with_its_session(self):
        async with _gateway() as running:
            async with running.connect() as ws:
                token = await _begun(ws)
            await running.upstream.sessions[0].closed
            assert (await running.refused(f"{PATH}&resume={token}"))[0] == 404

    async def test_is_not_used_up_by_a_broken_handshake(self):
        async with _gateway() as running, running.connect() as ws:
            token = await _begun(ws)
            assert (await running.refused(f"{PATH}&resume={token}", Sec_WebSocket_Version="99"))[0] == 400
            async with running.get(f"{PATH}&resume={token}") as response:
                assert response.status == 426
            _break(ws)
            again, _ = await _back(running, token)
            await again.close()


class TestComingBack:
    async def test_the_session_goes_on_and_nothing_is_lost(self):
        async with _gateway() as running, running.connect() as ws:
            token = await _begun(ws)
            _say(running, 1, 2)
            assert await _numbers(ws, 2) == [1, 2]
            await ws.send_str('{"type":"x"}')
            assert (await ws.receive_json())["type"] == "echo"
            _break(ws)
            _say(running, 3, 4)
            again, resumed = await _back(running, token, after="event_2")
            assert (resumed["received"], resumed["complete"]) == (1, True)
            assert (await again.receive_json())["type"] == "echo"
            assert await _numbers(again, 2) == [3, 4]
            await again.send_str('{"type":"y"}')
            assert (await again.receive_json())["event"] == {"type": "y"}
            assert len(running.upstream.sessions) == len(running.sessions) == 1
            await again.close()
            assert (await running.upstream.sessions[0].closed)[0] == 1000

    async def test_a_line_that_nobody_knows_to_be_dead_is_taken_over(self):
        async with _gateway() as running, running.connect() as ws:
            token = await _begun(ws)
            again, _ = await _back(running, token)
            assert (await ws.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
            await _numbers_after(running, again)
            await again.close()

    async def test_what_has_arrived_is_not_said_again(self, monkeypatch):
        monkeypatch.setattr("vivavoce.gateway.bridge.TICK_SECONDS", 0.01)
        async with _gateway() as running, running.connect() as ws:
            token = await _begun(ws)
            _say(running, 1)
            assert await _numbers(ws, 1) == [1]
            bridge = running.resumable.find(token).session
            reading = asyncio.create_task(ws.receive())  # which answers pings
            await _until(lambda: bridge._said.after(None) == 2)
            reading.cancel()
            _break(ws)
            again, _ = await _back(running, token)
            _say(running, 2)
            assert await _numbers(again, 1) == [2]
            await again.close()

    async def test_a_client_that_says_goodbye_does_not_come_back(self):
        async with _gateway() as running, running.connect() as ws:
            token = await _begun(ws)
            await ws.close(code=1001)
            assert (await running.upstream.sessions[0].closed)[0] == 1001
            assert (await running.refused(f"{PATH}&resume={token}"))[0] == 404

    async def test_a_client_that_stays_away_is_given_up(self):
        async with gateway(resume_seconds=0.05) as running, running.connect() as ws:
            await _begun(ws)
            _break(ws)
            async with asyncio.timeout(20):
                assert await running.upstream.sessions[0].closed == (1006, "The client did not come back.")

    async def test_while_it_is_away_the_endpoint_waits_where_there_is_no_room(self):
        class Endless(ScriptedTransport):
            said = 0

            async def receive(self):
                if not self._events.empty():
                    return await super().receive()
                await asyncio.sleep(0)
                self.said += 1
                return json.dumps({"type": "note", "number": self.said, "pad": "x" * 500}).encode()

        upstream = ScriptedUpstream(transport=Endless)
        async with _gateway(upstream, resume_buffer_bytes=4096) as running, running.connect() as ws:
            token = await _begun(ws)
            got = (await _numbers(ws, 3))[-1]
            _break(ws)
            said = []
            await _until(lambda: said.append(upstream.sessions[0].said) or said[-2:-1] == said[-1:])
            again, resumed = await _back(running, token)
            numbers = await _numbers(again, 30)
            assert numbers == list(range(numbers[0], numbers[0] + 30))
            assert numbers[0] <= got + 1 or not resumed["complete"]
            await again.close()

    async def test_the_end_of_the_server_is_told_to_who_came_back(self):
        async with _gateway() as running, running.connect() as ws:
            token = await _begun(ws)
            _break(ws)
            again, _ = await _back(running, token)
            await again.receive()
            ending = asyncio.create_task(running.sessions.end_all(1001, "bye"))
            message = await again.receive()
            assert (message.data, message.extra) == (1001, "bye")
            await ending


async def _numbers_after(running, ws):
    """The session begins anew with what the client may not have got, and goes on."""
    assert (await ws.receive_json())["type"] == "session.created"
    _say(running, 1)
    assert await _numbers(ws, 1) == [1]
