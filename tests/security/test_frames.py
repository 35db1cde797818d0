"""What a hostile client can do to the WebSocket: it may lose its own session, and nobody else's."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.doubles import gateway
from tests.security.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    close_code,
    frame,
    raw,
    read_frame,
)

EVENT = json.dumps({"type": "response.cancel", "event_id": "x"}).encode()
LIMIT = 4096


async def still_serves(running, other):
    """Tell that a session that was open goes on, and that a new one can be opened."""
    await other.send_str(EVENT.decode())
    assert (await other.receive_json())["type"] == "echo"
    async with running.connect() as another:
        assert (await another.receive_json())["type"] == "session.created"


@pytest.mark.parametrize(
    ("frames", "codes"),
    [
        ([frame(TEXT, EVENT, rsv=4)], {1002, None}),
        ([frame(TEXT, EVENT, rsv=1)], {1002, None}),
        ([frame(3, EVENT)], {1002, None}),
        ([frame(15, EVENT)], {1002, None}),
        ([frame(CONTINUATION, EVENT)], {1002, None}),
        ([frame(TEXT, EVENT, fin=False), frame(TEXT, EVENT)], {1002, None}),
        ([frame(PING, b"x" * 126)], {1002, None}),
        ([frame(PING, b"", fin=False)], {1002, None}),
        ([frame(CLOSE, b"\x03")], {1002, None}),
        ([frame(CLOSE, b"\x00\x00")], {1002, None}),
        ([frame(CLOSE, b"\x03\xe8\xff")], {1007, 1002, None}),
        ([frame(TEXT, b"x" * (2 * LIMIT + 1))], {1009, None}),
        ([frame(TEXT, b"", claim=2**62)], {1009, 1002, None}),
        ([frame(TEXT, b"x" * LIMIT, fin=False)] * 3, {1009, None}),
    ],
)
async def test_broken_frames_end_only_their_own_session(frames, codes):
    async with gateway(max_message_bytes=LIMIT) as running, running.connect() as other:
        await other.receive_json()
        async with raw(running.port) as (reader, writer):
            writer.write(b"".join(frames))
            assert await close_code(reader) in codes
        await still_serves(running, other)


async def test_what_is_no_event_is_answered_and_the_session_goes_on():
    async with gateway(max_message_bytes=LIMIT) as running, raw(running.port) as (reader, writer):
        for payload, code in (
            (b"", "invalid_json"),
            (b"null", "invalid_type"),
            (b"[" * 2000, "invalid_json"),
            (b'{"type":7}', "invalid_type"),
            (b"{}", "missing_required_parameter"),
            (b"x" * (LIMIT + 1), "message_too_large"),
            (b"\xff\xfe", "invalid_json"),
            (b'{"type":"\xed\xa0\x80"}', "invalid_json"),
        ):
            writer.write(frame(TEXT, payload))
            opcode, answer = await read_frame(reader)
            event = json.loads(answer)
            assert (opcode, event["type"]) == (TEXT, "error")
            assert event["error"]["code"] == code, payload[:10]
        writer.write(frame(BINARY, b"\0"))
        assert json.loads((await read_frame(reader))[1])["error"]["code"] == "invalid_event"
        writer.write(frame(TEXT, EVENT))
        assert json.loads((await read_frame(reader))[1])["type"] == "echo"


async def test_fragments_are_one_event_whatever_lies_between():
    async with gateway() as running, raw(running.port) as (reader, writer):
        for at, byte in enumerate(EVENT):
            last = at == len(EVENT) - 1
            writer.write(frame(TEXT if at == 0 else CONTINUATION, bytes([byte]), fin=last))
            writer.write(frame(PONG, b"unasked"))
        assert json.loads((await read_frame(reader))[1])["event"] == json.loads(EVENT)


async def test_a_flood_of_pings_is_answered_and_holds_nobody_up():
    async with gateway() as running, running.connect() as other:
        await other.receive_json()
        async with raw(running.port) as (reader, writer):
            pings = frame(PING, b"x" * 125) * 5000

            async def flood():
                writer.write(pings)
                await writer.drain()

            flooding = asyncio.create_task(flood())
            await still_serves(running, other)
            for _ in range(5000):
                assert await read_frame(reader) == (PONG, b"x" * 125)
            await flooding
        await still_serves(running, other)


async def test_a_flood_of_pings_from_who_does_not_read_costs_a_bounded_amount():
    async with (
        gateway(send_timeout_seconds=0.5, send_buffer_bytes=2**12) as running,
        running.connect() as other,
    ):
        await other.receive_json()
        async with raw(running.port) as (_, writer):
            pings = frame(PING, b"x" * 125) * 2000
            for _ in range(40):
                writer.write(pings)
                try:
                    async with asyncio.timeout(0.2):
                        await writer.drain()
                except (TimeoutError, ConnectionError):
                    break
            await still_serves(running, other)
            for protocol in running.connections:
                if protocol.transport is not None:
                    assert protocol.transport.get_write_buffer_size() < 2**22
        await still_serves(running, other)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.one_of(
    st.binary(max_size=64),
    st.builds(
        frame, st.integers(0, 15), st.binary(max_size=200), fin=st.booleans(), rsv=st.sampled_from([0, 0, 0, 1, 4]),
        mask=st.sampled_from([True, True, True, False]), claim=st.none() | st.integers(0, 2**63 - 1),
    ),
), max_size=8))  # fmt: skip
def test_no_bytes_harm_anybody_else(pieces):
    async def scenario():
        async with gateway(max_message_bytes=LIMIT) as running, running.connect() as other:
            await other.receive_json()
            async with raw(running.port) as (_, writer):
                writer.write(b"".join(pieces))
                await still_serves(running, other)

    asyncio.run(scenario())
