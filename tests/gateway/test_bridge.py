import asyncio
import itertools
import json
import socket

import aiohttp
import pytest
from aiohttp.web_protocol import RequestHandler
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from tests.gateway.doubles import ScriptedTransport, ScriptedUpstream, gateway
from vivavoce.gateway.passage import Run, Stage, Up

STRICT = TypeAdapter(RealtimeServerEvent)


class Flood(ScriptedTransport):
    """A session that says events of 64 KiB without end, and counts them."""

    said = 0

    async def receive(self):
        await asyncio.sleep(0)
        self.said += 1
        return b'{"type":"flood","pad":"' + b"x" * 65_536 + b'"}'


class Busy(ScriptedTransport):
    """A session that takes no event until `resume` is set."""

    def __init__(self, *args):
        super().__init__(*args)
        self.resume = asyncio.Event()

    async def send(self, data):
        await self.resume.wait()
        await super().send(data)


class Hesitant(ScriptedTransport):
    """A session that takes "held" only when `resume` is set, and all else at once."""

    def __init__(self, *args):
        super().__init__(*args)
        self.asked, self.resume = asyncio.Event(), asyncio.Event()

    async def send(self, data):
        if b"held" in data:
            self.asked.set()
            await self.resume.wait()
        await super().send(data)


class Holds(Stage):
    """Lets "held" go on only when it has asked somebody, as a limit does."""

    wants_up = frozenset({"held"})

    def __init__(self, opening):
        pass

    def up(self, frame, now):
        async def ask():
            return [Up(frame)]

        return (Run(ask),)


async def _raw_connect(running, buffer=2**14):
    """Open a session over a plain socket that reads only when it is told to."""
    loop = asyncio.get_running_loop()
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    raw.setblocking(False)
    await loop.sock_connect(raw, ("127.0.0.1", running.port))
    request = (
        f"GET /v1/realtime?model=m HTTP/1.1\r\nHost: {running.host}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    await loop.sock_sendall(raw, request.encode())
    answer = await loop.sock_recv(raw, 12)
    assert answer == b"HTTP/1.1 101"
    return raw


class TestCarrying:
    async def test_carries_events_both_ways(self):
        async with gateway() as running, running.connect() as ws:
            assert (await ws.receive_json())["type"] == "session.created"
            await ws.send_str('{"type":"response.create"}')
            assert (await ws.receive_json())["event"] == {"type": "response.create"}

    async def test_hands_the_endpoint_the_bytes_as_they_came(self):
        async with gateway() as running, running.connect() as ws:
            event = '{ "type":"x",  "text":"Grüße, 世界" }'
            await ws.send_str(event)
            await ws.receive_json()
            await ws.receive_json()
            assert running.upstream.sessions[0].heard == [event.encode()]

    async def test_sends_text_whether_the_endpoint_gives_text_or_bytes(self):
        async with gateway() as running, running.connect() as ws:
            await ws.receive()
            running.upstream.sessions[0]._events.put_nowait('{"type":"ä"}')
            message = await ws.receive()
            assert (message.type, message.data) == (aiohttp.WSMsgType.TEXT, '{"type":"ä"}')

    @pytest.mark.parametrize("known", [False, True], ids=["an event", "one that takes the short cut"])
    async def test_nothing_overtakes_what_a_stage_has_held_back(self, known):
        upstream = ScriptedUpstream(transport=Hesitant)
        async with gateway(upstream, stages=(Holds,)) as running, running.connect() as ws:
            await ws.receive_json()
            if known:
                await ws.send_str('{"type":"next"}')
                await ws.receive_json()
            await ws.send_str('{"type":"held"}')
            session = running.upstream.sessions[0]
            await session.asked.wait()
            await ws.send_str('{"type":"next"}')
            with pytest.raises(TimeoutError):
                await ws.receive(timeout=0.05)
            session.resume.set()
            said = [(await ws.receive_json())["event"]["type"] for _ in range(2)]
            assert said == ["held", "next"]

    async def test_keeps_two_clients_apart(self):
        async with gateway() as running, running.connect() as one, running.connect() as two:
            await one.receive_json()
            await two.receive_json()
            await one.send_str('{"type":"one"}')
            assert (await one.receive_json())["event"] == {"type": "one"}
            await one.close()
            await two.send_str('{"type":"two"}')
            assert (await two.receive_json())["event"] == {"type": "two"}
            assert [session.heard for session in running.upstream.sessions] == [
                [b'{"type":"one"}'],
                [b'{"type":"two"}'],
            ]

    async def test_takes_an_append_of_15_mib_of_audio(self):
        upstream = ScriptedUpstream(reply=lambda data: [{"type": "took", "bytes": len(data)}])
        async with gateway(upstream) as running, running.connect() as ws:
            await ws.receive()
            audio = "A" * (15 * 2**20 * 4 // 3)
            event = json.dumps({"type": "input_audio_buffer.append", "audio": audio})
            await ws.send_str(event)
            assert (await ws.receive_json())["bytes"] == len(event)

    async def test_offers_no_compression(self):
        async with gateway() as running, running.connect(compress=15) as ws:
            assert ws.compress == 0

    async def test_sends_without_delay(self):
        async with gateway() as running, running.connect() as ws:
            await ws.receive()
            (connection,) = running.connections
            sock = connection.transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


class TestBadFrames:
    async def test_answers_a_binary_frame_with_an_error_and_goes_on(self):
        async with gateway() as running, running.connect() as ws:
            await ws.receive()
            await ws.send_bytes(b"\0\1\2")
            event = await ws.receive_json()
            STRICT.validate_python(event, strict=True)
            assert event["error"]["code"] == "invalid_event"
            assert "binary frames are not supported" in event["error"]["message"]
            await ws.send_str('{"type":"x"}')
            assert (await ws.receive_json())["type"] == "echo"

    async def test_answers_an_event_that_is_too_large_with_an_error_and_goes_on(self):
        async with gateway(max_message_bytes=1024) as running, running.connect() as ws:
            await ws.receive()
            await ws.send_str("x" * 1025)
            event = await ws.receive_json()
            STRICT.validate_python(event, strict=True)
            assert event["error"]["code"] == "message_too_large"
            assert "1024" in event["error"]["message"]
            assert "1025" in event["error"]["message"]
            await ws.send_str(json.dumps({"type": "x" * 1000}))
            assert (await ws.receive_json())["type"] == "echo"
            assert len(running.upstream.sessions[0].heard) == 1

    async def test_closes_on_a_frame_that_is_far_too_large_without_reading_it(self):
        async with gateway(max_message_bytes=1024) as running, running.connect() as ws:
            await ws.receive()
            await ws.send_str("x" * 4096)
            assert (await ws.receive()).type is aiohttp.WSMsgType.CLOSE
            assert ws.close_code == 1009
            assert (await running.upstream.sessions[0].closed)[0] == 1009

    async def test_answers_text_that_is_no_json_and_no_utf8_itself(self):
        async with gateway() as running, running.connect() as ws:
            await ws.receive()
            await ws.send_frame(b"\xff\xfe not utf-8", aiohttp.WSMsgType.TEXT)
            event = await ws.receive_json()
            assert (event["type"], event["error"]["code"]) == ("error", "invalid_json")
            assert running.upstream.sessions[0].heard == []


class TestEnding:
    async def test_tells_the_endpoint_that_the_client_left(self):
        async with gateway() as running:
            async with running.connect() as ws:
                await ws.receive()
            assert (await running.upstream.sessions[0].closed)[0] == 1000

    @pytest.mark.parametrize(
        ("payload", "told"),
        [(b"", (1000, "")), (b"\x03\xe9", (1001, "")), (b"\x0f\xa0enough", (4000, "enough"))],
    )
    async def test_tells_the_endpoint_how_the_client_left(self, payload, told):
        async with gateway() as running, running.connect() as ws:
            await ws.receive()
            await ws.send_frame(payload, aiohttp.WSMsgType.CLOSE)
            assert await running.upstream.sessions[0].closed == told

    async def test_notices_a_connection_that_breaks(self):
        async with gateway() as running, running.connect() as ws:
            await ws.receive()
            ws._response.connection.transport.abort()
            assert (await running.upstream.sessions[0].closed)[0] == 1006

    @pytest.mark.parametrize(
        ("code", "reason", "seen"),
        [
            (1000, "", (1000, "")),
            (1001, "Your session hit the maximum duration of 60 minutes.", None),
            (4000, "invalid_request_error.beta_api_shape_disabled", None),
            (1006, "the line broke", (1011, "the line broke")),
            (1008, "ä" * 100, (1008, "ä" * 61)),
        ],
    )
    async def test_passes_the_end_of_the_endpoint_on(self, code, reason, seen):
        async with gateway() as running, running.connect() as ws:
            await ws.receive()
            running.upstream.sessions[0].say({"type": "last"})
            running.upstream.sessions[0].hang_up(code, reason)
            assert (await ws.receive_json())["type"] == "last"
            message = await ws.receive()
            assert (message.data, message.extra) == (seen or (code, reason))

    async def test_delivers_the_last_events_when_sending_fails_first(self):
        async with gateway() as running, running.connect() as ws:
            await ws.receive()
            session = running.upstream.sessions[0]
            await session.close(1001, "expired")
            await ws.send_str('{"type":"late"}')
            session.say({"type": "error"})
            session.hang_up(1001, "expired")
            assert (await ws.receive_json())["type"] == "error"
            assert (await ws.receive()).data == 1001

    async def test_closes_with_1011_on_a_defect(self, caplog):
        def broken(data):
            raise ZeroDivisionError

        async with gateway(ScriptedUpstream(reply=broken)) as running, running.connect() as ws:
            await ws.receive()
            await ws.send_str('{"type":"x"}')
            assert (await ws.receive()).data == 1011
            assert (await running.upstream.sessions[0].closed)[0] == 1011
        assert "a session failed" in caplog.text

    async def test_ends_a_client_that_answers_no_ping(self):
        async with gateway(heartbeat_seconds=0.05) as running, running.connect(autoping=False) as ws:
            assert (await ws.receive()).type is aiohttp.WSMsgType.TEXT
            assert (await ws.receive()).type is aiohttp.WSMsgType.PING
            assert (await running.upstream.sessions[0].closed)[0] == 1006


class TestSlowClients:
    async def test_costs_a_bounded_amount_then_is_closed_with_1008(self):
        upstream = ScriptedUpstream(transport=Flood)
        limits = {"send_buffer_bytes": 2**16, "send_timeout_seconds": 0.3, "close_timeout_seconds": 20}
        async with gateway(upstream, **limits) as running:
            raw = await _raw_connect(running)
            assert await upstream.sessions[0].closed == (1008, "The client has not read for 0.3 seconds.")
            # What the gateway holds is two buffers and an event; the rest is the kernel's.
            (connection,) = running.connections
            assert connection.transport.get_write_buffer_size() <= 2 * 2**16 + 2 * 65_600
            assert upstream.sessions[0].said < 200
            # The close frame is the last thing that it reads, once it reads again.
            loop = asyncio.get_running_loop()
            tail = b""
            while b"\x03\xf0The client has not read" not in tail:
                data = await loop.sock_recv(raw, 2**18)
                assert data, "the connection was cut before its close frame"
                tail = (tail + data)[-256:]
            raw.close()

    async def test_is_cut_off_when_it_never_reads_again(self, monkeypatch):
        cut = asyncio.Event()
        connection_lost = RequestHandler.connection_lost

        def note(connection, error):
            connection_lost(connection, error)
            cut.set()

        monkeypatch.setattr(RequestHandler, "connection_lost", note)
        upstream = ScriptedUpstream(transport=Flood)
        limits = {"send_buffer_bytes": 2**16, "send_timeout_seconds": 0.1, "close_timeout_seconds": 0.1}
        async with gateway(upstream, **limits) as running:
            raw = await _raw_connect(running)
            assert (await upstream.sessions[0].closed)[0] == 1008
            async with asyncio.timeout(5):
                await cut.wait()
            raw.close()

    async def test_does_not_hold_up_another(self):
        class SlowForOne(ScriptedUpstream):
            numbers = itertools.count()

            async def connect(self, model, params, **also):
                self._transport = Flood if next(self.numbers) == 0 else ScriptedTransport
                return await super().connect(model, params, **also)

        async with gateway(SlowForOne(), send_timeout_seconds=30, close_timeout_seconds=0.1) as running:
            raw = await _raw_connect(running)
            async with running.connect() as ws:
                await ws.receive()
                for _ in range(20):
                    await ws.send_str('{"type":"x"}')
                    assert (await ws.receive_json())["type"] == "echo"
            raw.close()

    async def test_waits_for_an_endpoint_that_is_busy(self):
        upstream = ScriptedUpstream(transport=Busy)
        async with gateway(upstream) as running, running.connect() as ws:
            await ws.receive()
            for number in range(50):
                await ws.send_str(json.dumps({"type": "x", "number": number}))
            session = upstream.sessions[0]
            assert session.heard == []
            session.resume.set()
            numbers = [(await ws.receive_json())["event"]["number"] for _ in range(50)]
            assert numbers == list(range(50))
