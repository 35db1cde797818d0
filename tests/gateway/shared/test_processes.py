"""Sessions that go on in another process."""

import asyncio

from tests.gateway.shared.houses import Guest, house


async def left_with(ws):
    """Return how a WebSocket was closed, after all that was said in it before."""
    async with asyncio.timeout(30):
        while isinstance((message := await ws.receive()).data, str | bytes):
            pass
    return message.data, message.extra


async def test_a_session_goes_on_in_another_process_and_the_first_lets_go(tmp_path):
    async with house(tmp_path) as home:
        one, other = await home.open(), await home.open()
        guest = Guest()
        await guest.enter(one)
        await guest.say(
            {"type": "session.update", "session": {"type": "realtime", "instructions": "Be kind."}}
        )
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
        await guest.ws.close()
