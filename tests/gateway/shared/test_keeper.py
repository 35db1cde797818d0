"""What a process keeps of a session, and what it learns where another one has it."""

import asyncio

from tests.gateway.shared.houses import Guest, house
from vivavoce.gateway.digests import digest
from vivavoce.gateway.shared.keeper import TAKEN


async def _is_there(home, token):
    return await home.asked("EXISTS", f"vivavoce:session:{digest(token).hex()}")


async def test_a_session_that_another_process_took_unasked_ends(tmp_path):
    async with house(tmp_path) as home:
        one, other = await home.open(), await home.open()
        guest = Guest()
        await guest.enter(one)
        assert await other.processes.directory.take(guest.digest)
        async with asyncio.timeout(30):
            message = await guest.ws.receive()
            await one.sessions.emptied()
        assert (message.data, message.extra) == (1001, TAKEN)


async def test_a_client_that_comes_back_is_kept_under_its_new_token(tmp_path):
    async with house(tmp_path) as home:
        one = await home.open()
        guest = Guest()
        await guest.enter(one)
        first = guest.token
        assert await _is_there(home, first)
        guest.breaks()
        await guest.come_back(one)
        await guest.write("Hello.", "item_hello")
        async with asyncio.timeout(30):
            while await _is_there(home, first) or not await _is_there(home, guest.token):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await guest.ws.close()
        async with asyncio.timeout(30):
            await one.sessions.emptied()
        assert not await _is_there(home, guest.token)


async def test_where_nobody_may_come_back_nothing_is_kept(tmp_path):
    async with house(tmp_path) as home:
        one = await home.open(resume_seconds=0)
        async with one.connect() as ws:
            assert (await ws.receive_json())["type"] == "session.created"
            await ws.send_str('{"type":"response.create"}')
            while (await ws.receive_json())["type"] != "response.done":
                pass
        assert await home.asked("KEYS", "vivavoce:session:*") == []
