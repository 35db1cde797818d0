"""What becomes of a session, and of those beside it, when a client or its line fails."""

import asyncio

import pytest

from tests.faults.house import PATIENCE, STORY, ask, begin, heard, house, say, told, until, words_of

GOOD = ("completed", "Good morning.")
CLIENTS = 500
MANY = 1200
"""Chunks of `DELTA`, more than the system's own buffers hold on all lines together, which grow to 32 MB each."""
DELTA = {"type": "response.output_audio.delta", "event_id": "event_1", "delta": "A" * 65_536}


async def flood(socket, many):
    """Say more than all lines and buffers together hold."""
    for _ in range(many):
        await socket.send_json(DELTA)


class TestAStall:
    @pytest.mark.parametrize("resume_seconds", [0, PATIENCE], ids=["", "resumable"])
    @pytest.mark.parametrize("continuity", [True, False], ids=["continuity", "none"])
    async def test_costs_a_bounded_amount_and_harms_nobody(self, continuity, resume_seconds):
        policy = {} if continuity else {"policy": None}
        settings = {"send_buffer_bytes": 2**16, "send_timeout_seconds": 0.5, "close_timeout_seconds": 0.1}
        async with (
            house(resume_seconds=resume_seconds, **settings, **policy) as all_of_it,
            all_of_it.connect() as ws,
            all_of_it.connect() as other,
        ):
            await begin(ws)
            await begin(other)
            mine = all_of_it.provider.sockets[0]
            all_of_it.near.wires[0].stall("down")
            telling = asyncio.create_task(flood(mine, 2000))
            most = 0
            while len(all_of_it.gateway.sessions) == 2:
                assert await ask(other) == GOOD
                waiting = [
                    c.transport.get_write_buffer_size() for c in all_of_it.gateway.connections if c.transport
                ]
                most = max(most, *waiting)
            assert 0 < most <= 2**16 + 2 * 65_536
            await until(lambda: mine.closed)
            assert mine.close_code == (1000 if continuity else 1008)
            with pytest.raises(ConnectionError):
                await telling  # of 131 MB, most never left the endpoint
            assert await ask(other) == GOOD
            all_of_it.near.wires[0].cut()

    async def test_that_ends_in_time_costs_nothing(self):
        async with house() as all_of_it, all_of_it.connect() as ws:
            await begin(ws)
            all_of_it.near.stall("down")
            telling = asyncio.create_task(flood(all_of_it.provider.sockets[0], 300))
            await until(
                lambda: any(c.transport.get_write_buffer_size() for c in all_of_it.gateway.connections)
            )
            all_of_it.near.go_on()
            for _ in range(300):
                assert await ws.receive_json() == DELTA
            await telling
            assert await ask(ws) == GOOD


class TestHalfOpenSilence:
    @pytest.mark.parametrize("resume_seconds", [0, 0.1], ids=["", "resumable"])
    async def test_is_found_and_frees_all_that_was_held(self, resume_seconds):
        settings = {"heartbeat_seconds": 0.5, "resume_seconds": resume_seconds}
        async with house(**settings) as all_of_it, all_of_it.connect() as ws:
            await begin(ws)
            all_of_it.near.fall_silent()
            await all_of_it.empty()

    async def test_is_no_loss_for_who_comes_back(self):
        async with house(STORY, heartbeat_seconds=0.5, resume_seconds=PATIENCE) as all_of_it:
            async with all_of_it.connect() as ws:
                token = (await heard(ws, "session.created"))[-1]["resume"]["token"]
                update = {"type": "realtime", "output_modalities": ["text"]}
                await ws.send_json({"type": "session.update", "session": update})
                await heard(ws, "session.updated")
                await ws.send_json({"type": "response.create"})
                begun = await heard(ws, "response.output_text.delta")
                all_of_it.near.fall_silent()
                url = f"{all_of_it.near.url}?resume={token}&after={begun[-1]['event_id']}"
                async with all_of_it.gateway.client.ws_connect(url) as again:
                    assert (await again.receive_json())["type"] == "vivavoce.resumed"
                    status, words = told(begun + await heard(again, "response.done"))
            assert (status, words[:4], words[-9:]) == ("completed", "Once", "them all.")


class TestALineThatBreaks:
    async def test_in_mid_answer_and_again_while_coming_back_loses_no_word(self):
        async with house(STORY, resume_seconds=PATIENCE) as all_of_it:
            ws = await all_of_it.connect()
            token = (await heard(ws, "session.created"))[-1]["resume"]["token"]
            await ws.send_json(
                {"type": "session.update", "session": {"type": "realtime", "output_modalities": ["text"]}}
            )
            await heard(ws, "session.updated")
            await ws.send_json({"type": "response.create"})
            events = await heard(ws, "response.output_text.delta")
            for _ in range(4):
                all_of_it.near.cut()
                await ws.close()
                ws = await all_of_it.gateway.client.ws_connect(
                    f"{all_of_it.near.url}?resume={token}&after={events[-1]['event_id']}"
                )
                token = (await ws.receive_json())["resume"]["token"]
                events += await heard(ws, "response.output_text.delta")
            events += await heard(ws, "response.done")
            await ws.close()
            status, words = told(events)
            assert (status, words[:4], words[-9:]) == ("completed", "Once", "them all.")
            assert len({event["event_id"] for event in events}) == len(events), "nothing twice"

    async def test_for_longer_than_there_is_room_leaves_the_endpoint_waiting(self, monkeypatch):
        monkeypatch.setattr("vivavoce.client.transport.HEARTBEAT_SECONDS", 1.6)
        async with house(resume_seconds=PATIENCE, resume_buffer_bytes=2**16) as all_of_it:
            ws = await all_of_it.connect()
            created = (await heard(ws, "session.created"))[-1]
            all_of_it.near.cut()
            await ws.close()
            provider = all_of_it.provider.sockets[0]
            telling = asyncio.create_task(flood(provider, MANY))
            await asyncio.sleep(3.5)  # in which the endpoint, which is not read, answers no ping
            assert not telling.done()
            url = f"{all_of_it.near.url}?resume={created['resume']['token']}&after={created['event_id']}"
            async with all_of_it.gateway.client.ws_connect(url) as again:
                assert (await again.receive_json())["complete"]
                for _ in range(MANY):
                    assert await again.receive_json() == DELTA
                await telling
                assert len(all_of_it.provider.sockets) == 1

    async def test_with_both_lines_at_once(self):
        async with house(resume_seconds=PATIENCE) as all_of_it:
            async with all_of_it.connect() as ws:
                token = (await heard(ws, "session.created"))[-1]["resume"]["token"]
                await say(ws, "Hello.", "item_1")
                all_of_it.near.cut()
                all_of_it.far.cut()
                url = f"{all_of_it.near.url}?resume={token}"
                async with all_of_it.gateway.client.ws_connect(url) as again:
                    await heard(again, "vivavoce.resumed")
                    assert await words_of(again, "item_1") == "Hello."
            await all_of_it.empty()

    @pytest.mark.parametrize("seed", range(8))
    async def test_with_bits_that_fell_over_costs_this_client_at_the_most(self, seed):
        async with house(seed=seed) as all_of_it, all_of_it.connect() as ws, all_of_it.connect() as other:
            await begin(ws)
            await begin(other)
            all_of_it.near.corrupt("up")
            await ws.send_json({"type": "conversation.item.retrieve", "item_id": "item_1" * 20})
            await until(lambda: not all_of_it.near.corrupting)
            assert await ask(other) == GOOD
