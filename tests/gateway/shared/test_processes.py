"""Sessions that go on in another process."""

import asyncio
import base64
import json
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.gateway.limits.places import redis_server
from tests.gateway.shared.houses import PATH, Guest, house, until
from vivavoce.gateway.auth.keys import make, write
from vivavoce.gateway.shared.directory import Directory
from vivavoce.gateway.shared.link import Link

ROOT = Path(__file__).parents[3]

OTHER = """
import asyncio, json, sys
from tests.gateway.doubles import gateway
from tests.gateway.shared.houses import SCRIPT
from vivavoce.testing import ScriptedEngine, parse_script

async def main(settings):
    async with gateway(ScriptedEngine(parse_script(SCRIPT)), **json.loads(settings)) as running:
        print(running.port, flush=True)
        await asyncio.sleep(1000)

asyncio.run(main(sys.argv[1]))
"""


class Elsewhere:
    """A gateway in a process of its own."""

    def __init__(self, process, port, client):
        self.process = process
        self._url = f"http://127.0.0.1:{port}"
        self._client = client

    def connect(self, path, **kwargs):
        return self._client.ws_connect(self._url + path, **kwargs)


@asynccontextmanager
async def elsewhere(home):
    """Run a gateway in a process of its own."""
    settings = {"resume_seconds": 30, "redis_url": home.url, "snapshot_seconds": 0.2}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OTHER, json.dumps(settings), cwd=ROOT, stdout=-1,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    async with aiohttp.ClientSession() as client:
        try:
            async with asyncio.timeout(50):
                port = int(await process.stdout.readline())
            yield Elsewhere(process, port, client)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


async def left_with(ws):
    """Return how a WebSocket was closed, after all that was said in it before."""
    async with asyncio.timeout(30):
        while isinstance((message := await ws.receive()).data, str | bytes):
            pass
    return message.data, message.extra


async def kept(home, guest, count):
    """Wait until what is kept of a session has so many of the client's messages."""
    from vivavoce.gateway.routes._moving import _open

    link = Link(home.url)
    directory = Directory(link, "test")

    async def there():
        entry = await directory.look(guest.digest)
        snapshot = None if entry is None else _open(guest.token, entry.sealed)
        return snapshot is not None and snapshot.received >= count

    await until(there)
    await link.close()


class TestMoving:
    async def test_a_session_goes_on_in_another_process_and_the_first_lets_go(self, tmp_path):
        async with house(tmp_path) as home:
            one, other = await home.open(), await home.open()
            guest = Guest()
            await guest.enter(one)
            session = {"type": "realtime", "instructions": "Be kind."}
            await guest.say({"type": "session.update", "session": session})
            await guest.hears("session.updated")
            await guest.write("Hello.", "item_hello")
            assert await guest.is_answered() == "Good morning."
            left = guest.ws
            resumed = await guest.come_back(other)
            assert (resumed["received"], resumed["complete"]) == (3, True)
            assert resumed["restored"] == {"age_ms": 0, "lost": []}
            assert await left_with(left) == (1001, "The client came back to another process.")
            async with asyncio.timeout(30):
                await one.sessions.emptied()
            assert (await guest.remembers("item_hello"))["content"][0]["text"] == "Hello."
            await guest.say({"type": "session.update", "session": {"type": "realtime"}})
            assert (await guest.hears("session.updated"))["session"]["instructions"] == "Be kind."
            assert await guest.is_answered() == "Good morning.", "the script of another session"
            kinds = [event["type"] for event in guest.told]
            assert kinds.count("session.created") == 1
            await guest.ws.close()

    async def test_a_client_that_says_no_goodbye_where_it_was_is_not_waited_for(self, tmp_path, monkeypatch):
        monkeypatch.setattr("vivavoce.gateway.shared.mail.ANSWER_SECONDS", 60)
        async with house(tmp_path) as home:
            one, other = [await home.open(close_timeout_seconds=60) for _ in range(2)]
            guest = Guest()
            await guest.enter(one)
            left = guest.ws  # which nobody reads any more
            async with asyncio.timeout(20):
                await guest.come_back(other)
            assert await left_with(left) == (1001, "The client came back to another process.")
            await guest.ws.close()

    async def test_there_and_back_again(self, tmp_path):
        async with house(tmp_path) as home:
            one, other = await home.open(), await home.open()
            guest = Guest()
            await guest.enter(one)
            for number, where in enumerate((other, one, other)):
                await guest.write("Hello.", f"item_{number}")
                guest.breaks()
                assert (await guest.come_back(where))["received"] == guest.sent
            for number in range(3):
                await guest.remembers(f"item_{number}")
            await guest.ws.close()
            async with asyncio.timeout(30):
                await asyncio.gather(one.sessions.emptied(), other.sessions.emptied())

            async def forgotten():
                return not await home.asked("EXISTS", f"vivavoce:session:{guest.digest.hex()}")

            await until(forgotten)

    async def test_nothing_spoken_is_lost_when_a_process_stops(self, tmp_path):
        async with house(tmp_path) as home:
            one, other = await home.open(), await home.open()
            guest = Guest()
            await guest.enter(one)
            await guest.say(
                {
                    "type": "session.update",
                    "session": {"type": "realtime", "audio": {"input": {"turn_detection": None}}},
                }
            )
            await guest.hears("session.updated")
            for _ in range(50):  # two seconds, half said
                audio = base64.b64encode(bytes(48 * 40)).decode()
                await guest.say({"type": "input_audio_buffer.append", "audio": audio})
            await guest.say({"type": "conversation.item.retrieve", "item_id": "none"})
            await guest.hears("error")
            ending = asyncio.create_task(one.sessions.end_all(1001, "The server stops."))
            assert await left_with(guest.ws) == (1001, "The server stops.")
            await ending
            resumed = await guest.come_back(other)
            assert resumed["received"] == guest.sent
            assert resumed["restored"] == {"age_ms": 0, "lost": []}
            await guest.say({"type": "input_audio_buffer.commit"})
            committed = await guest.hears("input_audio_buffer.committed")
            item = await guest.remembers(committed["item_id"])
            assert item["content"][0]["type"] == "input_audio"
            assert len(base64.b64decode(item["content"][0]["audio"])) == 48 * 2000
            await guest.ws.close()

    async def test_what_the_client_had_not_got_it_gets(self, tmp_path):
        async with house(tmp_path) as home:
            one, other = await home.open(), await home.open()
            guest = Guest()
            await guest.enter(one)
            await guest.write("Hello.", "item_hello")
            first = guest.told[-1]["event_id"]
            assert await guest.is_answered() == "Good morning."
            again = [event["event_id"] for event in guest.told]
            again = again[again.index(first) + 1 :]
            guest.told = guest.told[
                : guest.told.index(next(e for e in guest.told if e["event_id"] == first)) + 1
            ]
            await guest.come_back(other)
            await guest.hears("response.done")
            assert [event["event_id"] for event in guest.told][-len(again) :] == again
            await guest.ws.close()

    async def test_a_client_of_the_beta_is_understood_there_too(self, tmp_path):
        async with house(tmp_path) as home:
            one, other = await home.open(), await home.open()
            guest, headers = Guest(), {"OpenAI-Beta": "realtime=v1"}
            await guest.enter(one, headers=headers)
            session = {"modalities": ["text"], "instructions": "Be kind."}
            await guest.say({"type": "session.update", "session": session})
            await guest.hears("session.updated")
            await guest.come_back(other, headers=headers)
            await guest.say({"type": "response.create"})
            assert (await guest.hears("response.text.done"))["text"] == "Good morning."
            await guest.say({"type": "session.update", "session": {"temperature": 0.8}})
            assert (await guest.hears("session.updated"))["session"]["instructions"] == "Be kind."
            await guest.ws.close()

    async def test_a_process_that_does_not_answer_is_not_waited_for_and_learns_of_it(
        self, tmp_path, monkeypatch
    ):
        monkeypatch.setattr("vivavoce.gateway.shared.mail.ANSWER_SECONDS", 0.2)
        async with house(tmp_path) as home, elsewhere(home) as stuck:
            other = await home.open()
            guest = Guest()
            await guest.enter(stuck)
            await guest.write("Hello.", "item_hello")
            await kept(home, guest, guest.sent)
            left = guest.ws
            stuck.process.send_signal(signal.SIGSTOP)
            await guest.come_back(other)
            stuck.process.send_signal(signal.SIGCONT)
            assert (await left_with(left))[0] == 1001
            await guest.remembers("item_hello")
            await guest.ws.close()

    async def test_a_process_that_is_killed(self, tmp_path):
        async with house(tmp_path) as home, elsewhere(home) as killed:
            other = await home.open()
            guest = Guest()
            await guest.enter(killed)
            await guest.write("Hello.", "item_hello")
            await kept(home, guest, guest.sent)
            killed.process.kill()
            await killed.process.wait()
            resumed = await guest.come_back(other)
            assert resumed["received"] == guest.sent
            assert resumed["restored"]["age_ms"] >= 0
            assert resumed["restored"]["lost"] == []
            await guest.remembers("item_hello")
            assert await guest.is_answered() == "Good morning."
            await guest.ws.close()


class TestRefusals:
    async def test_a_token_works_once_whoever_is_asked(self, tmp_path):
        async with house(tmp_path) as home:
            houses = [await home.open() for _ in range(3)]
            guest = Guest()
            await guest.enter(houses[0])
            guest.breaks()
            token = guest.token
            statuses = []

            async def knock(running):
                try:
                    statuses.append(await running.connect(f"{PATH}&resume={token}"))
                except aiohttp.WSServerHandshakeError as error:
                    statuses.append(error.status)

            await asyncio.gather(*(knock(running) for running in houses[1:] for _ in range(3)))
            assert statuses.count(404) == 5
            for ws in statuses:
                if ws != 404:
                    await ws.close()

    async def test_a_token_of_somebody_else_takes_nothing(self, tmp_path):
        async with house(tmp_path) as home:
            keys = tmp_path / "keys.json"
            (ada, first), (eve, second) = (make(name, now=0) for name in ("ada", "eve"))
            write(keys, [first, second])
            one, other = [await home.open(keys_file=keys) for _ in range(2)]
            guest = Guest()
            headers = {"Authorization": f"Bearer {ada}"}
            await guest.enter(one, headers=headers)
            path = f"{PATH}&resume={guest.token}"
            status, error, _ = await other.refused(path, Authorization=f"Bearer {eve}")
            assert (status, error["code"]) == (403, "resume_not_allowed")
            assert (await guest.come_back(other, headers=headers))["complete"]
            await guest.ws.close()

    @pytest.mark.parametrize("token", ["", "guessed"])
    async def test_a_token_that_is_wrong(self, tmp_path, token):
        async with house(tmp_path) as home:
            status, error, _ = await (await home.open()).refused(f"{PATH}&resume={token}")
            assert (status, error["code"]) == (404, "resume_token_not_found")

    async def test_what_cannot_be_opened_again_waits_for_another_try(self, tmp_path):
        async with house(tmp_path) as home:
            one, full, other = await home.open(), await home.open(max_sessions=1), await home.open()
            taken, guest = Guest(), Guest()
            await taken.enter(full)
            await guest.enter(one)
            status, error, _ = await full.refused(f"{PATH}&resume={guest.token}")
            assert (status, error["code"]) == (503, "session_limit_reached")
            await guest.come_back(other)
            await guest.ws.close()
            await taken.ws.close()


class TestRedisGone:
    async def test_sessions_go_on_and_clients_come_back_to_their_process(self, tmp_path):
        async with house(tmp_path) as home:
            one, other = await home.open(), await home.open()
            guest = Guest()
            await guest.enter(one)
            home.redis.kill()
            await home.redis.wait()
            await guest.write("Hello.", "item_hello")
            guest.breaks()
            status, error, headers = await other.refused(f"{PATH}&resume={guest.token}")
            assert (status, error["code"], headers["Retry-After"]) == (503, "resume_unavailable", "5")
            assert "restored" not in await guest.come_back(one)
            async with redis_server(tmp_path):
                await kept(home, guest, guest.sent)
                async with asyncio.timeout(30):
                    await asyncio.gather(*(each.processes.mail.listening.wait() for each in (one, other)))
                await guest.come_back(other)
                await guest.remembers("item_hello")
                await guest.ws.close()
                async with asyncio.timeout(30):
                    await other.sessions.emptied()


async def test_redis_can_read_nothing(tmp_path):
    async with house(tmp_path) as home:
        one = await home.open()
        guest = Guest()
        await guest.enter(one)
        session = {"type": "realtime", "instructions": "The secret is a rose."}
        await guest.say({"type": "session.update", "session": session})
        await guest.hears("session.updated")
        await kept(home, guest, 1)
        [name] = await home.asked("KEYS", "vivavoce:session:*")
        everything = b"".join([name, *await home.asked("HGETALL", name)])
        for secret in (b"rose", guest.token.encode(), b"session", b"instructions"):
            assert secret not in everything.removeprefix(b"vivavoce:session:")
        assert 0 < await home.asked("PTTL", name) <= 31_000
        await guest.ws.close()
