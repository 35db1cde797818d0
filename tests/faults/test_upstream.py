"""What becomes of a session when the endpoint behind the gateway, or the line to it, fails."""

import asyncio

import pytest
from aiohttp import WSMsgType, WSServerHandshakeError, web

from tests.faults.house import (
    PATIENCE,
    SOON,
    STORY,
    ask,
    begin,
    heard,
    house,
    say,
    told,
    until,
    words_of,
)

GOOD = ("completed", "Good morning.")


async def goes_on(ws, *, item="item_1", instructions="Sing."):
    """Check that the session is what it was: its configuration, what was said, and its answers."""
    assert await words_of(ws, item) == "Hello."
    await ws.send_json({"type": "session.update", "session": {"type": "realtime"}})
    session = (await heard(ws, "session.updated"))[-1]["session"]
    assert session["instructions"] == instructions
    assert session["audio"]["input"]["turn_detection"] is None
    assert await ask(ws) == GOOD


class TestASlowHandshake:
    async def test_refuses_one_client_and_holds_up_no_other(self):
        async with house(handshake=0.5) as all_of_it, all_of_it.connect() as ws:
            await begin(ws)
            all_of_it.far.stall("up", "down")
            late = asyncio.create_task(all_of_it.connect().__aenter__())
            await all_of_it.far.arrivals.get()
            await all_of_it.far.arrivals.get()
            assert len(all_of_it.gateway.sessions) == 2
            with pytest.raises(WSServerHandshakeError) as refused:
                await late
            assert (refused.value.status, refused.value.headers["Retry-After"]) == (504, "5")
            assert len(all_of_it.gateway.sessions) == 1
            all_of_it.far.go_on()
            assert await ask(ws) == GOOD
            assert await _new_session(all_of_it) == GOOD

    @pytest.mark.parametrize("line", ["near", "far"])
    async def test_in_pieces_that_come_late_is_one_all_the_same(self, line):
        async with house() as all_of_it:
            proxy = getattr(all_of_it, line)
            proxy.longest, proxy.delay = 40, 0.002
            async with all_of_it.connect() as ws:
                await begin(ws, instructions="Sing.")
                await say(ws, "Hello.", "item_1")
                await goes_on(ws)

    async def test_that_the_client_does_not_wait_for_leaves_nothing(self):
        async with house(resume_seconds=PATIENCE) as all_of_it:
            all_of_it.far.stall("up", "down")
            late = asyncio.create_task(all_of_it.connect().__aenter__())
            await all_of_it.far.arrivals.get()
            late.cancel()
            await asyncio.gather(late, return_exceptions=True)
            all_of_it.near.cut()
            all_of_it.far.go_on()
            await all_of_it.heard_by(1)
            await all_of_it.empty()

    async def test_takes_the_place_of_nobody(self):
        async with house(handshake=0.2, max_sessions=1) as all_of_it:
            all_of_it.far.stall("up", "down")
            for _ in range(3):
                with pytest.raises(WSServerHandshakeError) as refused:
                    await all_of_it.connect()
                assert refused.value.status == 504
            all_of_it.far.go_on()
            assert await _new_session(all_of_it) == GOOD


async def _new_session(all_of_it):
    async with all_of_it.connect() as ws:
        await begin(ws)
        return await ask(ws)


class TestTheCap:
    async def test_between_two_turns_shows_nowhere(self):
        async with house() as all_of_it, all_of_it.connect() as ws:
            await begin(ws, instructions="Sing.")
            await say(ws, "Hello.", "item_1")
            assert await ask(ws) == GOOD
            await _expire(all_of_it.provider.sockets[0])
            await all_of_it.heard_by(2)
            await goes_on(ws)

    async def test_in_mid_answer_ends_the_answer_and_not_the_session(self):
        async with house(STORY) as all_of_it, all_of_it.connect() as ws:
            await begin(ws)
            await say(ws, "Hello.", "item_1")
            await ws.send_json({"type": "response.create"})
            begun = await heard(ws, "response.output_text.delta")
            await _expire(all_of_it.provider.sockets[0])
            events = begun + await heard(ws, "response.done")
            status, words = told(events)
            assert (status, events[-1]["response"]["status_details"]["error"]["code"]) == (
                "failed",
                "connection_lost",
            )
            (kept,) = events[-1]["response"]["output"]
            assert kept["content"][0]["text"] == words
            assert await words_of(ws, kept["id"]) == words, "the next session knows how far it got"
            status, words = await ask(ws)
            assert status == "completed"
            assert words.endswith("them all.")

    async def test_without_continuity_is_what_the_client_hears(self):
        async with house(policy=None) as all_of_it, all_of_it.connect() as ws:
            await begin(ws)
            await all_of_it.provider.sockets[0].close(code=1001, message=b"session_expired")
            message = await ws.receive()
            assert (message.type, message.data, message.extra) == (WSMsgType.CLOSE, 1001, "session_expired")
            await all_of_it.empty()


async def _expire(socket):
    error = {"type": "invalid_request_error", "code": "session_expired", "message": "It lasted for an hour."}
    await socket.send_json({"type": "error", "event_id": "event_cap", "error": error})
    await socket.close(code=1001, message=b"session_expired")


class TestALineThatBreaks:
    async def test_in_mid_answer(self):
        async with house(STORY) as all_of_it, all_of_it.connect() as ws, all_of_it.connect() as other:
            await begin(ws)
            await begin(other)
            await say(ws, "Hello.", "item_1")
            await other.send_json({"type": "response.create"})
            await ws.send_json({"type": "response.create"})
            begun = await heard(ws, "response.output_text.delta")
            all_of_it.far.wires[0].cut()
            events = begun + await heard(ws, "response.done")
            assert told(events)[0] == "failed"
            assert {event["type"] for event in events}.isdisjoint(
                {"session.created", "session.updated", "error"}
            )
            assert await words_of(ws, "item_1") == "Hello."
            assert told(await heard(other, "response.done"))[0] == "completed", "the other never noticed"

    async def test_again_and_again(self):
        async with house() as all_of_it, all_of_it.connect() as ws:
            await begin(ws, instructions="Sing.")
            await say(ws, "Hello.", "item_1")
            for broken in range(1, 6):
                all_of_it.far.cut()
                await all_of_it.heard_by(broken + 1)
            await goes_on(ws)

    async def test_while_somebody_speaks_loses_no_word_of_it(self):
        async with house() as all_of_it, all_of_it.connect() as ws:
            await begin(ws)
            second = "AAAA" * 12_000
            for spoken in range(10):
                if spoken in (3, 7):
                    all_of_it.far.cut()
                await ws.send_json({"type": "input_audio_buffer.append", "audio": second[:6400]})
            await ws.send_json({"type": "input_audio_buffer.commit"})
            item = (await heard(ws, "conversation.item.done"))[-1]["item"]
            await ws.send_json({"type": "conversation.item.retrieve", "item_id": item["id"]})
            item = (await heard(ws, "conversation.item.retrieved"))[-1]["item"]
            assert len(item["content"][0]["audio"]) == 10 * 6400

    async def test_where_nobody_answers_for_a_while(self):
        async with house() as all_of_it, all_of_it.connect() as ws:
            await begin(ws, instructions="Sing.")
            await say(ws, "Hello.", "item_1")
            all_of_it.far.refuses = True
            all_of_it.far.cut()
            with pytest.raises(WSServerHandshakeError) as refused:
                await all_of_it.connect()
            assert refused.value.status == 503
            all_of_it.far.refuses = False
            await goes_on(ws)

    async def test_while_the_client_says_much_lets_it_wait_and_loses_nothing(self, monkeypatch):
        monkeypatch.setattr("vivavoce.client.journal.KEPT_BYTES", 2**20)
        async with house() as all_of_it, all_of_it.connect() as ws:
            await begin(ws)
            all_of_it.far.refuses = True
            all_of_it.far.cut()
            talking = asyncio.create_task(_say_much(ws, 60))
            carried = -1
            while carried != (carried := all_of_it.near.wires[0].carried["up"]):  # noqa: ASYNC110
                await asyncio.sleep(0.3)
            assert 0 < carried < 25_000_000, "what the kernel holds included"
            assert not talking.done()
            all_of_it.far.refuses = False
            added = [(await heard(ws, "conversation.item.done"))[-1]["item"]["id"] for _ in range(60)]
            assert added == [f"item_{number}" for number in range(60)]
            await talking


async def _say_much(ws, items):
    for number in range(items):
        content = [{"type": "input_text", "text": "A" * 500_000}]
        item = {"id": f"item_{number}", "type": "message", "role": "user", "content": content}
        await ws.send_json({"type": "conversation.item.create", "item": item})


class TestHalfOpenSilence:
    @pytest.fixture(autouse=True)
    def _quick(self, monkeypatch):
        monkeypatch.setattr("vivavoce.client.transport.HEARTBEAT_SECONDS", 0.5)

    async def test_is_found_and_the_session_goes_on(self):
        async with house() as all_of_it, all_of_it.connect() as ws:
            await begin(ws, instructions="Sing.")
            await say(ws, "Hello.", "item_1")
            all_of_it.far.fall_silent()
            await ws.send_json({"type": "response.create"})
            assert told(await heard(ws, "response.done")) == GOOD, "the question is asked again"
            await goes_on(ws)

    async def test_without_continuity_ends_the_session(self):
        async with house(policy=None) as all_of_it, all_of_it.connect() as ws:
            await begin(ws)
            all_of_it.far.fall_silent()
            message = await ws.receive()
            assert (message.type, message.data) == (WSMsgType.CLOSE, 1011)
            await until(lambda: not len(all_of_it.gateway.sessions))


class TestTooManyRequests:
    async def test_at_the_door_is_what_the_client_is_told(self):
        async with house() as all_of_it, all_of_it.connect() as ws:
            await begin(ws)
            all_of_it.provider.refusal = _too_many
            with pytest.raises(WSServerHandshakeError) as refused:
                await all_of_it.connect()
            assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "7")
            assert await ask(ws) == GOOD, "who is in stays in"
            all_of_it.provider.refusal = None
            assert await _new_session(all_of_it) == GOOD

    async def test_in_the_middle_is_waited_out(self):
        async with house() as all_of_it, all_of_it.connect() as ws:
            await begin(ws, instructions="Sing.")
            await say(ws, "Hello.", "item_1")
            refused = []

            def refuse_thrice(_):
                refused.append(1)
                if len(refused) == 3:
                    all_of_it.provider.refusal = None
                return web.json_response({"error": {"code": "rate_limit_exceeded"}}, status=429)

            all_of_it.provider.refusal = refuse_thrice
            all_of_it.far.cut()
            await goes_on(ws)
            assert len(refused) == 3


def _too_many(_):
    return web.json_response({"error": {"message": "Slow down."}}, status=429, headers={"Retry-After": "7"})


async def _say_garbage(socket, garbage):
    await (socket.send_str if isinstance(garbage, str) else socket.send_bytes)(garbage)


NO_EVENTS = {
    "no JSON": "hello?",
    "half of it": '{"type": "response.output_text.delta", "delta": "Go',
    "no object": '["session.created"]',
    "no type": '{"event_id": "event_1"}',
    "nothing": "",
    "bytes": b"\x00\xff\xfe",
}

ODD_EVENTS = {
    "of another shape": '{"type": "response.done", "event_id": "event_1", "response": 5}',
    "of no known type": '{"type": "response.sung", "event_id": "event_1"}',
    "with a delta that is a number": '{"type": "response.output_audio.delta", "delta": 7}',
    "with an item that is none": '{"type": "conversation.item.added", "item": null}',
    "with a session that is none": '{"type": "session.updated", "session": []}',
}


class TestAMalformedEvent:
    @pytest.mark.parametrize("garbage", NO_EVENTS.values(), ids=NO_EVENTS)
    async def test_that_is_none_costs_the_line_and_not_the_session(self, garbage):
        async with house() as all_of_it, all_of_it.connect() as ws:
            await begin(ws, instructions="Sing.")
            await say(ws, "Hello.", "item_1")
            await _say_garbage(all_of_it.provider.sockets[0], garbage)
            await all_of_it.heard_by(2)
            await goes_on(ws)

    @pytest.mark.parametrize("garbage", NO_EVENTS.values(), ids=NO_EVENTS)
    async def test_without_continuity_ends_the_session_and_no_other(self, garbage):
        async with house(policy=None) as all_of_it, all_of_it.connect() as ws, all_of_it.connect() as other:
            await begin(ws)
            await begin(other)
            await _say_garbage(all_of_it.provider.sockets[0], garbage)
            message = await ws.receive()
            assert (message.type, message.data) == (WSMsgType.CLOSE, 1011)
            assert "does not speak the protocol" in message.extra
            assert await ask(other) == GOOD

    @pytest.mark.parametrize("odd", ODD_EVENTS.values(), ids=ODD_EVENTS)
    async def test_that_is_one_after_all_is_passed_on(self, odd, tmp_path):
        async with house() as all_of_it, all_of_it.connect() as ws:
            await begin(ws, instructions="Sing.")
            await say(ws, "Hello.", "item_1")
            await _say_garbage(all_of_it.provider.sockets[0], odd)
            assert (await ws.receive()).data == odd
            await goes_on(ws)
            assert len(all_of_it.provider.sockets) == 1

    @pytest.mark.parametrize("seed", range(8))
    async def test_whose_bits_fell_over_costs_the_line_at_the_most(self, seed):
        async with house(STORY, seed=seed) as all_of_it, all_of_it.connect() as ws:
            await begin(ws, instructions="Sing.")
            await say(ws, "Hello.", "item_1")
            await ws.send_json({"type": "response.create"})
            await heard(ws, "response.output_text.delta")
            all_of_it.far.corrupt("down")
            await until(lambda: not all_of_it.far.corrupting)
            all_of_it.far.cut()
            await all_of_it.heard_by(2)
            assert await words_of(ws, "item_1") == "Hello."


class TestAHugeEvent:
    @pytest.mark.parametrize("policy", [SOON, None], ids=["continuity", "none"])
    async def test_of_10_mb_is_passed_on_and_holds_up_no_other(self, policy):
        huge = {"type": "response.output_audio.delta", "event_id": "event_1", "delta": "AAAA" * 2_500_000}
        async with (
            house(policy=policy, resume_seconds=PATIENCE) as all_of_it,
            all_of_it.connect(max_msg_size=0) as ws,
            all_of_it.connect() as other,
        ):
            await begin(ws, instructions="Sing.")
            await say(ws, "Hello.", "item_1")
            await begin(other)
            telling = asyncio.create_task(all_of_it.provider.sockets[0].send_json(huge))
            assert await ask(other) == GOOD
            assert await heard(ws, "response.output_audio.delta") == [huge]
            await telling
            await goes_on(ws)

    async def test_that_is_too_large_ends_the_session_and_says_so(self, monkeypatch):
        monkeypatch.setattr("vivavoce.client.transport.MAX_MESSAGE_BYTES", 100_000)
        async with house() as all_of_it, all_of_it.connect() as ws, all_of_it.connect() as other:
            await begin(ws)
            await begin(other)
            await all_of_it.provider.sockets[0].send_str("x" * 200_000)
            message = await ws.receive()
            assert (message.type, message.data) == (WSMsgType.CLOSE, 1009)
            assert await ask(other) == GOOD


@pytest.mark.parametrize("policy", [SOON, None], ids=["continuity", "none"])
async def test_an_endpoint_that_is_busy_costs_no_client_its_session(policy):
    async with house(policy=policy, heartbeat_seconds=1.6) as all_of_it, all_of_it.connect() as ws:
        await begin(ws)
        all_of_it.far.stall("up")
        second = {"type": "input_audio_buffer.append", "audio": "AAAA" * 64_000}
        talking = asyncio.create_task(_repeat(ws, second, 100))
        reading = asyncio.create_task(heard(ws, "input_audio_buffer.committed"))
        await asyncio.sleep(3.5)  # in which the client, who has to wait, answers no ping
        assert not talking.done()
        all_of_it.far.go_on()
        await talking
        await ws.send_json({"type": "input_audio_buffer.commit"})
        await reading
        assert len(all_of_it.provider.sockets) == len(all_of_it.gateway.sessions) == 1


async def _repeat(ws, event, times):
    for _ in range(times):
        await ws.send_json(event)
