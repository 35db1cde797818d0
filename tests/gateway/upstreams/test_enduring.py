"""A provider whose sessions end before their clients do."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from tests.gateway.doubles import ScriptedTransport, ScriptedUpstream, gateway, until
from tests.gateway.upstreams.doubles import KEY, providing
from vivavoce.client.retrying import Reconnect
from vivavoce.errors import ConnectionFailed
from vivavoce.gateway.settings import GatewaySettings
from vivavoce.gateway.upstreams.choosing import choose_upstream
from vivavoce.gateway.upstreams.enduring import (
    MOST_UNREAD,
    MOST_UNREAD_BYTES,
    EnduringTransport,
    EnduringUpstream,
)
from vivavoce.gateway.upstreams.remote import RemoteUpstream
from vivavoce.protocol.session_params import RealtimeSessionParams

POLICY = Reconnect(first_wait=0.01, longest_wait=0.01, attempts=3)
SESSION = {"type": "realtime", "instructions": "Sing.", "audio": {"input": {"turn_detection": None}}}
MESSAGE = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello."}]}


@asynccontextmanager
async def _enduring(policy=POLICY):
    async with providing() as provider:
        upstream = EnduringUpstream(RemoteUpstream(provider.url, key=KEY), policy)
        async with gateway(upstream, upstream=provider.url) as running, running.connect() as ws:
            yield provider, ws


def _types(events):
    return [event["type"] for event in events]


async def _heard_by(provider, count):
    """Wait until the provider has so many sockets."""
    async with asyncio.timeout(20):
        while len(provider.sockets) < count:
            await provider.arrivals.get()


class TestDrops:
    async def test_the_next_session_is_what_the_last_was_and_the_client_sees_nothing(self):
        async with _enduring() as (provider, ws):
            await until(ws, "session.created")
            await ws.send_json({"type": "session.update", "session": SESSION})
            await until(ws, "session.updated")
            await ws.send_json({"type": "conversation.item.create", "item": {"id": "item_mine", **MESSAGE}})
            await until(ws, "conversation.item.done")

            provider.sockets[0]._req.transport.abort()
            await _heard_by(provider, 2)
            await ws.send_json({"type": "conversation.item.retrieve", "item_id": "item_mine"})
            (retrieved,) = await until(ws, "conversation.item.retrieved")
            assert retrieved["item"]["content"][0]["text"] == "Hello."

            await ws.send_json({"type": "session.update", "session": {"type": "realtime"}})
            (updated,) = await until(ws, "session.updated")
            assert updated["session"]["instructions"] == "Sing."
            assert updated["session"]["audio"]["input"]["turn_detection"] is None

    async def test_an_answer_that_had_not_begun_is_asked_for_again(self):
        async with _enduring() as (provider, ws):
            await until(ws, "session.created")
            provider.sockets[0]._req.transport.abort()
            await ws.send_json({"type": "response.create"})
            events = await until(ws, "response.done")
            assert events[-1]["response"]["status"] == "completed"
            assert "session.created" not in _types(events)
            assert len(provider.sockets) == 2

    async def test_what_is_sent_without_a_connection_waits_for_one(self):
        async with _enduring(Reconnect(first_wait=0.01, longest_wait=0.01, attempts=1000)) as (provider, ws):
            await until(ws, "session.created")
            provider.silent = True  # its next sessions never begin
            provider.sockets[0]._req.transport.abort()
            await _heard_by(provider, 2)
            await ws.send_json({"type": "conversation.item.create", "item": MESSAGE})
            provider.silent = False
            await provider.sockets[1].close(code=1011)
            events = await until(ws, "conversation.item.done")
            assert _types(events) == ["conversation.item.added", "conversation.item.done"]

    async def test_an_end_for_good_is_the_clients_too(self):
        async with _enduring() as (provider, ws):
            await until(ws, "session.created")
            await provider.sockets[0].close(code=1000, message=b"That was all.")
            message = await ws.receive()
            assert message.data == 1000

    async def test_where_there_is_no_other_session_the_client_is_told(self, caplog):
        async with _enduring() as (provider, ws):
            await until(ws, "session.created")
            provider.first, provider.code = [], 1011
            await provider.sockets[0].close(code=1011)
            message = await ws.receive()
            assert message.data == 1011
            assert "connecting again failed" in message.extra


class TestRenewal:
    async def test_a_session_is_renewed_between_turns(self):
        async with _enduring(Reconnect(renew_after=0.05)) as (provider, ws):
            await until(ws, "session.created")
            await ws.send_json({"type": "conversation.item.create", "item": {"id": "item_mine", **MESSAGE}})
            await until(ws, "conversation.item.done")
            await _heard_by(provider, 3)  # twice
            await ws.send_json({"type": "response.create"})
            events = await until(ws, "response.done")
            assert events[-1]["response"]["status"] == "completed"
            assert set(_types(events)).isdisjoint({"session.created", "session.updated", "error"})
            items = [e["item"]["id"] for e in events if e["type"] == "conversation.item.added"]
            assert "item_mine" not in items


class Deaf(ScriptedTransport):
    """Answers nothing."""

    def __init__(self):
        super().__init__("m", lambda _: [])


class TestTransport:
    async def _opened(self, *connections):
        waiting = list(connections)

        async def connect():
            if not waiting:
                raise ConnectionFailed("Nobody is left.")
            return waiting.pop(0)

        transport = EnduringTransport(connect, Reconnect(attempts=1))
        await transport.open()
        await transport.receive()
        return transport

    async def test_events_of_the_endpoint_come_byte_for_byte(self):
        inner = Deaf()
        transport = await self._opened(inner)
        odd = '{ "type":"response.output_text.delta", "extra": 1 , "delta":"ü"}'
        inner._events.put_nowait(odd)
        assert await transport.receive() == odd.encode()
        await transport.close()
        assert inner.closed.done()

    @pytest.mark.parametrize(
        ("size", "most"), [(0, MOST_UNREAD), (MOST_UNREAD_BYTES // 4, 4), (2 * MOST_UNREAD_BYTES, 1)]
    )
    async def test_the_endpoint_is_not_read_further_than_the_client_reads(self, size, most):
        inner = Deaf()
        transport = await self._opened(inner)
        for number in range(200):
            inner.say({"type": "note", "number": number, "text": " " * size})
        await asyncio.wait_for(self._until_it_waits(inner), 20)
        assert 200 - inner._events.qsize() <= most + 1
        numbers = [json.loads(await transport.receive())["number"] for _ in range(200)]
        assert numbers == list(range(200))
        await transport.close()

    async def _until_it_waits(self, inner):
        left = None
        while left != (left := inner._events.qsize()):
            for _ in range(10):
                await asyncio.sleep(0)

    async def test_what_the_client_adds_gets_a_name_by_which_it_is_known(self):
        heard = asyncio.Event()
        inner = ScriptedTransport("m", lambda _: heard.set() or [])
        transport = await self._opened(inner)
        await transport.send(json.dumps({"type": "conversation.item.create", "item": MESSAGE}))
        async with asyncio.timeout(20):
            await heard.wait()
        sent = json.loads(inner.heard[0])
        assert sent["item"]["id"].startswith("item_")
        assert sent["event_id"].startswith("event_")
        await transport.close()

    async def test_an_event_that_is_not_known_is_the_endpoints_to_judge(self):
        inner = Deaf()
        transport = await self._opened(inner)
        await transport.send(b'{"type":"later.version"}')
        assert inner.heard == [b'{"type":"later.version"}']
        await transport.close()

    async def test_unless_it_is_not_there(self):
        inner, asked = Deaf(), []
        trying = asyncio.Event()

        async def connect():
            if asked:
                trying.set()
                await asyncio.Event().wait()
            asked.append(True)
            return inner

        transport = EnduringTransport(connect, Reconnect(attempts=2))
        await transport.open()
        await transport.receive()
        inner.hang_up(1006)
        await trying.wait()
        await transport.send(b'{"type":"later.version"}')
        event = json.loads(await transport.receive())
        assert (event["type"], event["error"]["param"]) == ("error", "type")
        assert event["event_id"]
        await transport.close()

    async def test_an_answer_that_is_cut_off_is_told_to_be_over(self):
        inner, other = Deaf(), Deaf()
        transport = await self._opened(inner, other)
        response = {
            "id": "resp_1",
            "object": "realtime.response",
            "status": "in_progress",
            "output": [],
            "conversation_id": "conv_1",
        }
        inner.say({"type": "response.created", "event_id": "event_2", "response": response})
        inner.say(
            {
                "type": "response.output_text.delta",
                "event_id": "event_3",
                "response_id": "resp_1",
                "item_id": "item_1",
                "output_index": 0,
                "content_index": 0,
                "delta": "So",
            }
        )
        inner.hang_up(1006)
        events = [json.loads(await transport.receive()) for _ in range(3)]
        assert _types(events) == ["response.created", "response.output_text.delta", "response.done"]
        done = events[-1]["response"]
        assert (done["id"], done["status"], done["status_details"]["error"]["code"]) == (
            "resp_1",
            "failed",
            "connection_lost",
        )
        await transport.close()


async def test_a_call_lives_no_longer_than_its_line():
    inner = ScriptedUpstream()
    upstream = EnduringUpstream(inner, POLICY)
    transport = await upstream.connect("m", RealtimeSessionParams(), call_id="rtc_1")
    assert transport is inner.sessions[0]
    assert upstream.status is inner.status
    assert upstream.capacity is None


async def test_it_is_chosen_by_the_settings():
    async with providing() as provider:
        settings = {"upstream": provider.url, "upstream_key": KEY}
        upstream = choose_upstream(GatewaySettings(**settings), lambda: None)
        async with gateway(upstream, **settings) as running, running.connect() as ws:
            await until(ws, "session.created")
            await provider.sockets[0].close(code=1011)
            await ws.send_json({"type": "response.create"})
            assert (await until(ws, "response.done"))[-1]["response"]["status"] == "completed"
