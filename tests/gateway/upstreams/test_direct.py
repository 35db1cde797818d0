"""The short cut through a gateway in front of a provider, over sockets."""

import asyncio
import base64
from contextlib import asynccontextmanager

import pytest

from tests.gateway.doubles import gateway, until
from tests.gateway.upstreams.doubles import KEY, providing
from vivavoce.client.retrying import Reconnect
from vivavoce.errors import ConnectionLost
from vivavoce.gateway.upstreams.direct import MOST_UNSENT_BYTES, DirectTransport
from vivavoce.gateway.upstreams.enduring import EnduringUpstream
from vivavoce.gateway.upstreams.remote import RemoteUpstream

APPEND = b'{"type":"input_audio_buffer.append","audio":"%s"}' % base64.b64encode(bytes(960))
RETRIEVE = b'{"type":"conversation.item.retrieve","item_id":"nobody"}'


@asynccontextmanager
async def _connected():
    async with providing() as provider:
        transport = await DirectTransport.connect(provider.url, api_key=KEY, model="gpt-realtime")
        try:
            yield provider, transport
        finally:
            await transport.close()


async def _waiting(transport):
    """Return a task that waits for the next event, when all before it have been received."""
    assert b"session.created" in await transport.receive()
    task = asyncio.create_task(transport.receive())
    await asyncio.sleep(0)
    return task


class TestTransport:
    async def test_offers_events_with_their_types_and_leaves_the_rest_to_be_received(self):
        async with _connected() as (_, transport):
            waiting = await _waiting(transport)
            offered = asyncio.Queue()

            def take(data, kind):
                offered.put_nowait((data, kind))
                return offered.qsize() == 1

            transport.give_to(take)
            assert transport.direct is transport
            async with asyncio.timeout(20):
                for _ in range(2):
                    assert transport.send_now(RETRIEVE, "conversation.item.retrieve")
                refused = await waiting
                taken, again = await offered.get(), await offered.get()
            assert (taken[1], again) == ("error", (refused, "error"))

    async def test_what_is_no_event_is_received(self):
        async with _connected() as (provider, transport):
            waiting = await _waiting(transport)
            transport.give_to(lambda data, kind: pytest.fail(f"expected no offer, got {kind}: {data}"))
            await provider.sockets[0].send_str("[]")
            async with asyncio.timeout(20):
                assert await waiting == b"[]"

    async def test_none_is_offered_any_more_when_that_is_ended(self):
        async with _connected() as (_, transport):
            waiting = await _waiting(transport)
            transport.give_to(lambda data, kind: pytest.fail(f"expected no offer, got {kind}: {data}"))
            transport.give_to(None)
            assert transport.send_now(RETRIEVE, "conversation.item.retrieve")
            async with asyncio.timeout(20):
                assert b'"error"' in await waiting

    async def test_sends_nothing_at_once_that_would_have_to_wait(self):
        async with _connected() as (_, transport):
            assert not transport.send_now(b" " * (MOST_UNSENT_BYTES + 1), "x")

    async def test_sends_nothing_when_it_is_over(self):
        async with _connected() as (_, transport):
            await transport.close()
            assert not transport.send_now(APPEND, "input_audio_buffer.append")
            with pytest.raises(ConnectionLost):
                await transport.send(APPEND)


class Witness:
    """Counts what went the long way to the provider, and what came that way."""

    def __init__(self, monkeypatch):
        self.sent, self.received = [], []
        send, receive = DirectTransport.send, DirectTransport.receive

        async def witnessed_send(transport, data):
            self.sent.append(data)
            await send(transport, data)

        async def witnessed_receive(transport):
            data = await receive(transport)
            self.received.append(data)
            return data

        monkeypatch.setattr(DirectTransport, "send", witnessed_send)
        monkeypatch.setattr(DirectTransport, "receive", witnessed_receive)


@pytest.fixture(params=["plain", "enduring"])
def served(request):
    """Serve the provider as it is, or with continuity; give its client's WebSocket."""

    @asynccontextmanager
    async def serve():
        async with providing() as provider:
            upstream = RemoteUpstream(provider.url, key=KEY)
            if request.param == "enduring":
                upstream = EnduringUpstream(upstream, Reconnect())
            async with gateway(upstream, upstream=provider.url) as running, running.connect() as ws:
                yield provider, ws

    return serve


class TestThroughTheGateway:
    async def test_sound_takes_the_short_cut_both_ways_and_keeps_its_order(self, served, monkeypatch):
        witness = Witness(monkeypatch)
        async with served() as (_, ws):
            await until(ws, "session.created")
            detection = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
            await ws.send_json({"type": "session.update", "session": detection})
            await until(ws, "session.updated")
            for _ in range(5):  # each when all before it has arrived
                await ws.send_str(APPEND.decode())
                await ws.send_str(RETRIEVE.decode())
                await until(ws, "error")
            await ws.send_json({"type": "input_audio_buffer.commit"})
            await until(ws, "conversation.item.done")
            await ws.send_json({"type": "response.create"})
            answered = await until(ws, "response.done")

            # of whose type nobody had heard yet
            assert sum(b"buffer.append" in data for data in witness.sent) == 1
            deltas = [event for event in answered if event["type"] == "response.output_audio.delta"]
            assert len(deltas) > sum(b"response.output_audio.delta" in data for data in witness.received)
            types = [event["type"] for event in answered]
            assert types.index("response.output_audio.done") > max(
                at for at, kind in enumerate(types) if kind == "response.output_audio.delta"
            )
