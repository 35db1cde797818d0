"""What becomes of sessions and of their history when a database, a disk or the gateway itself fails."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gateway.doubles import ScriptedUpstream
from tests.gateway.history.doubles import (
    ask,
    audio,
    ended,
    keeping,
    message,
    own_postgresql,
    postgres_programs,
    told,
)
from vivavoce.gateway.history.recorder import Recorder
from vivavoce.testing import Script, ScriptedEngine, Turn

ROOT = Path(__file__).parents[2]
SCRIPT = Script(turns=[Turn(say="I am a voice.")])


@pytest.fixture
def server():
    if postgres_programs() is None:
        pytest.skip("there is no PostgreSQL server on this machine (apt-get install postgresql)")
    with own_postgresql() as server:
        server.start()
        yield server


async def exchange(ws, count=20):
    """Send audio, and hear of each piece before the next: a session that goes on."""
    for _ in range(count):
        await ws.send_json({"type": "input_audio_buffer.append", "audio": audio(40)})
        assert (await ws.receive_json())["type"] == "echo"


async def until(condition):
    async with asyncio.timeout(50):
        while not condition():  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.01)


class TestTheDatabase:
    async def test_is_away_at_the_start(self, server, tmp_path):
        await asyncio.to_thread(server.stop)
        async with keeping(tmp_path, ScriptedEngine(SCRIPT), history_database=server.url) as running:
            assert await ask(running) == "I am a voice."
            await until(lambda: running.history.writer.failure)
            await asyncio.to_thread(server.start)
            (found,) = await ended(running)
            items = (await told(running, f"/{found['id']}/items"))["data"]
        assert found["incomplete"] is False
        assert [item["role"] for item in items] == ["user", "assistant"]

    async def test_goes_away_in_the_middle_and_comes_back(self, server, tmp_path):
        async with keeping(tmp_path, history_database=server.url) as running:
            async with running.connect() as ws:
                await ws.receive()
                await exchange(ws)
                await told(running)
                await asyncio.to_thread(server.stop)
                item = {"type": "conversation.item.added", "event_id": "e", "item": message("i", "user")}
                running.upstream.sessions[0].say(item)
                assert (await ws.receive_json())["type"] == "conversation.item.added"
                await exchange(ws)
            await until(lambda: running.history.writer.failure)
            async with running.get("/api/v1/sessions") as answer:
                assert answer.status == 503
            await asyncio.to_thread(server.start)
            (found,) = await ended(running)
            items = (await told(running, f"/{found['id']}/items"))["data"]
        assert (found["audio_in_ms"], found["incomplete"]) == (40 * 40, False)
        assert [item["id"] for item in items] == ["i"]

    async def test_is_held_by_somebody_else(self, tmp_path):
        async with keeping(tmp_path) as running:
            await running.history.writer.ready.wait()
            holder = sqlite3.connect(tmp_path / "history.db", isolation_level=None)
            holder.execute("begin immediate")
            async with running.connect() as ws:
                await ws.receive()
                await exchange(ws)
            holder.execute("rollback")
            holder.close()
            (found,) = await ended(running)
        assert found["audio_in_ms"] == 20 * 40

    async def test_never_comes(self, tmp_path, free_port, caplog):
        url = f"postgresql://ada@127.0.0.1:{free_port}/voice"
        async with keeping(tmp_path, ScriptedEngine(SCRIPT), history_database=url) as running:
            assert await ask(running) == "I am a voice."
        assert "loses" in caplog.text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
async def test_a_full_disk_costs_the_recording_and_not_the_session(tmp_path):
    async with keeping(tmp_path, history="audio") as running:
        history = running.history
        history.recorder = Recorder(
            tmp_path / "recordings", history._broken, opener=lambda *_: os.open("/dev/full", os.O_RDWR)
        )
        async with running.connect() as ws:
            await ws.receive()
            await exchange(ws)
            await history.recorder.write()
            await exchange(ws)
        (found,) = await ended(running)
    assert (found["incomplete"], found["audio_in_ms"]) == (True, 40 * 40)


GATEWAY = """
import asyncio, sys
from pathlib import Path
from tests.gateway.doubles import ScriptedUpstream
from tests.gateway.history.doubles import keeping, message

HELLO = message("i", "user", [{"type": "input_text", "text": "Hello"}])
ITEM = {"type": "conversation.item.added", "event_id": "e", "item": HELLO}

async def main(folder):
    upstream = ScriptedUpstream(reply=lambda _: [ITEM])
    async with keeping(Path(folder), upstream, history="audio") as running:
        await running.history.writer.ready.wait()
        async with running.connect() as ws:
            await ws.receive()
            await ws.send_json({"type": "input_audio_buffer.append", "audio": "AAAA" * 1000})
            await ws.receive()
            while not await running.history.reader.all_items(await name(running)):
                await asyncio.sleep(0.01)
            while not (running.history.recorder.folder / (await name(running) + ".wav")).exists():
                await asyncio.sleep(0.01)
            print("talking", flush=True)
            await asyncio.sleep(1000)

async def name(running):
    from vivavoce.gateway.history.reader import Filter
    page = await running.history.reader.sessions(Filter(), limit=1)
    return page.data[0]["id"] if page.data else "none"

asyncio.run(main(sys.argv[1]))
"""


async def test_kill_in_the_middle_leaves_a_history_that_the_next_start_settles(tmp_path):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", GATEWAY, str(tmp_path),
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert await process.stdout.readline() == b"talking\n"
    process.send_signal(signal.SIGKILL)
    await process.wait()
    with sqlite3.connect(tmp_path / "history.db") as file:
        assert file.execute("pragma integrity_check").fetchone() == ("ok",)
        assert file.execute("select state from sessions").fetchall() == [("open",)]
    file.close()
    async with keeping(tmp_path, ScriptedUpstream()) as running:
        await running.history.writer.ready.wait()
        (found,) = (await told(running))["data"]
        (item,) = (await told(running, f"/{found['id']}/items"))["data"]
        async with running.get(f"/api/v1/sessions/{found['id']}/recording") as recording:
            assert recording.status == 200
    assert (found["state"], found["incomplete"]) == ("abandoned", True)
    assert found["ended_at"] >= found["started_at"]
    assert item["content"] == [{"type": "input_text", "text": "Hello"}]
