"""What becomes of sessions when the gateway itself stands still or is killed, and when all clients come at once."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.faults.house import PATIENCE, SOON, ask, begin, heard, house, say, until, words_of
from tests.faults.proxy import proxying
from tests.gateway.doubles import ScriptedUpstream, gateway
from tests.gateway.upstreams.doubles import KEY, providing
from vivavoce.client import RealtimeClient
from vivavoce.errors import ConnectionLost

ROOT = Path(__file__).parents[2]
GOOD = ("completed", "Good morning.")
CLIENTS = 500


@asynccontextmanager
async def crowded(upstream, **settings):
    """Run a gateway, with a client that may have any number of connections."""
    async with (
        gateway(upstream, **settings) as running,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client,
    ):
        running.client = client
        yield running


class TestAStorm:
    async def test_of_clients_that_come_back_at_once(self):
        upstream = ScriptedUpstream(capacity=CLIENTS)
        async with crowded(upstream, resume_seconds=PATIENCE, max_sessions=CLIENTS) as running:
            sockets = await asyncio.gather(*(running.connect() for _ in range(CLIENTS)))
            tokens = [(await ws.receive_json())["resume"]["token"] for ws in sockets]
            for connection in list(running.connections):
                connection.transport.abort()
            for number, session in enumerate(upstream.sessions):
                session.say({"type": "note", "event_id": f"event_{number}", "number": number})

            async def come_back(token):
                async with running.connect(f"/v1/realtime?resume={token}") as ws:
                    await heard(ws, "vivavoce.resumed")
                    number = (await heard(ws, "note"))[-1]["number"]
                    await ws.send_str('{"type":"x"}')
                    await heard(ws, "echo")
                return number

            numbers = await asyncio.gather(*map(come_back, tokens))
            assert sorted(numbers) == list(range(CLIENTS)), (
                "everybody got what was missed, and nobody another's"
            )
            await until(lambda: not len(running.sessions))
            assert len(upstream.sessions) == CLIENTS, "no session was opened anew"
            assert all(session.closed.done() for session in upstream.sessions)
            assert not len(running.resumable)
            await asyncio.gather(*(ws.close() for ws in sockets))

    async def test_of_new_clients_gets_all_places_and_not_one_more(self):
        upstream = ScriptedUpstream()
        async with crowded(upstream, max_sessions=100) as running:

            async def come():
                try:
                    return await running.connect()
                except aiohttp.WSServerHandshakeError as refused:
                    return refused.status

            answers = await asyncio.gather(*(come() for _ in range(CLIENTS)))
            let_in = [answer for answer in answers if not isinstance(answer, int)]
            assert (len(let_in), len(upstream.sessions)) == (100, 100)
            assert {answer for answer in answers if isinstance(answer, int)} == {503}
            await asyncio.gather(*(ws.close() for ws in let_in))
            await until(lambda: not len(running.sessions))
            async with running.connect() as ws:
                await heard(ws, "session.created")

    async def test_of_sessions_that_lost_their_endpoint_together(self):
        async with house() as all_of_it, contextlib.AsyncExitStack() as stack:
            many = 60
            sockets = [await stack.enter_async_context(all_of_it.connect()) for _ in range(many)]
            await asyncio.gather(*(begin(ws) for ws in sockets))
            await asyncio.gather(*(say(ws, f"I am {n}.", f"item_{n}") for n, ws in enumerate(sockets)))
            all_of_it.far.cut()
            await all_of_it.heard_by(2 * many)
            words = await asyncio.gather(*(words_of(ws, f"item_{n}") for n, ws in enumerate(sockets)))
            assert words == [f"I am {n}." for n in range(many)]
            assert await asyncio.gather(*map(ask, sockets)) == [GOOD] * many


class TestStandingStill:
    async def test_for_a_while_ends_no_session(self, monkeypatch):
        """As five seconds are to the heartbeats by default, so is one to these."""
        monkeypatch.setattr("vivavoce.client.transport.HEARTBEAT_SECONDS", 4)
        async with house(heartbeat_seconds=4, resume_seconds=12) as all_of_it, all_of_it.connect() as ws:
            await begin(ws, instructions="Sing.")
            await say(ws, "Hello.", "item_1")
            for _ in range(2):
                asyncio.get_running_loop().call_soon(time.sleep, 1)
                for _ in range(25):
                    await ws.send_json({"type": "input_audio_buffer.append", "audio": "AAAA" * 640})
            await ws.send_json({"type": "input_audio_buffer.commit"})
            item = (await heard(ws, "conversation.item.done"))[-1]["item"]
            await ws.send_json({"type": "conversation.item.retrieve", "item_id": item["id"]})
            item = (await heard(ws, "conversation.item.retrieved"))[-1]["item"]
            assert len(item["content"][0]["audio"]) == 50 * 4 * 640, "no sound is lost"
            assert await ask(ws) == GOOD
            assert len(all_of_it.provider.sockets) == len(all_of_it.gateway.sessions) == 1

    async def test_as_a_process_that_is_stopped_ends_no_session(self):
        async with (
            providing() as provider,
            serving(provider, heartbeat_seconds=4) as (process, port),
            RealtimeClient(
                f"ws://127.0.0.1:{port}/v1/realtime", model="gpt-realtime", reconnect=False
            ) as client,
        ):
            await client.update_session(output_modalities=["text"])
            process.send_signal(signal.SIGSTOP)
            reply = await client.send_text("Hello.")
            await asyncio.sleep(1)
            process.send_signal(signal.SIGCONT)
            assert (await reply).status == "completed"
            assert len(provider.sockets) == 1


GATEWAY = """
import asyncio, json, sys
from tests.gateway.doubles import gateway
from tests.faults.house import SOON
from vivavoce.gateway.upstreams.enduring import EnduringUpstream
from vivavoce.gateway.upstreams.remote import RemoteUpstream

async def main(url, key, settings):
    upstream = EnduringUpstream(RemoteUpstream(url, key=key), SOON)
    async with gateway(upstream, upstream=url, **json.loads(settings)) as running:
        print(running.port, flush=True)
        await asyncio.sleep(1000)

asyncio.run(main(*sys.argv[1:]))
"""


@asynccontextmanager
async def serving(provider, **settings):
    """Run a gateway in a process of its own; give it, and its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", GATEWAY, provider.url, KEY, json.dumps(settings), cwd=ROOT, stdout=-1,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        async with asyncio.timeout(PATIENCE):
            port = int(await process.stdout.readline())
        yield process, port
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


class TestBeingKilled:
    async def test_a_client_goes_on_at_another_process(self):
        async with (
            providing() as provider,
            serving(provider) as (killed, first_port),
            serving(provider) as (_, second_port),
            proxying(first_port) as near,
            RealtimeClient(near.url, model="gpt-realtime", reconnect=SOON) as client,
        ):
            await client.update_session(output_modalities=["text"], instructions="Sing.")
            await (await client.send_text("Hello."))
            near.target = second_port
            killed.kill()
            async for event in client:
                if event.type == "state_restored":
                    break
            assert event.lost == []
            assert (await (await client.send_text("And now?"))).status == "completed"
            words = [(item.role, item.words) for item in client.conversation.items]
            assert words == [
                ("user", "Hello."),
                ("assistant", "Good morning."),
                ("user", "And now?"),
                ("assistant", "Good morning."),
            ]
            assert client.session.instructions == "Sing."
            await until(lambda: provider.sockets[0].closed)

    async def test_without_reconnecting_the_client_is_told(self):
        async with (
            providing() as provider,
            serving(provider) as (killed, port),
            RealtimeClient(
                f"ws://127.0.0.1:{port}/v1/realtime", model="gpt-realtime", reconnect=False
            ) as client,
        ):
            await client.update_session(output_modalities=["text"])
            killed.kill()
            with pytest.raises(ConnectionLost, match="1006"):
                async for _ in client:
                    pass
            await until(lambda: provider.sockets[0].closed)
