import asyncio

import pytest

from vivavoce.client.outbox import Outbox
from vivavoce.errors import ConnectionLost
from vivavoce.protocol.client_events import InputAudioBufferAppend, ResponseCancel, ResponseCreate

AUDIO = InputAudioBufferAppend(audio="")
CANCEL = ResponseCancel()
CREATE = ResponseCreate()


async def test_what_is_urgent_overtakes():
    outbox = Outbox()
    await outbox.put(AUDIO)
    outbox.put_now(CANCEL)
    assert [await outbox.get(), await outbox.get()] == [CANCEL, AUDIO]


async def test_what_was_urgent_may_be_so_no_more():
    outbox = Outbox()
    await outbox.put(AUDIO)
    outbox.put_now(CANCEL)
    outbox.forget_urgent()
    assert await outbox.get() is AUDIO


async def test_what_needs_no_place_keeps_its_turn():
    outbox = Outbox(limit=1)
    await outbox.put(AUDIO)
    outbox.put_behind(CREATE, CREATE)
    waiting = asyncio.create_task(outbox.put(AUDIO))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert await outbox.get() is AUDIO
    await waiting
    assert [await outbox.get() for _ in range(3)] == [CREATE, CREATE, AUDIO]
    await asyncio.wait_for(outbox.put(AUDIO), 1)
    late = asyncio.create_task(outbox.put(AUDIO))
    await asyncio.sleep(0)
    assert not late.done(), "there is one place, and no more"
    outbox.end(ConnectionLost(1006))
    await asyncio.gather(late, return_exceptions=True)


async def test_who_sends_too_fast_waits():
    outbox = Outbox(limit=2)
    putting = asyncio.create_task(_put(outbox, 4))
    for _ in range(5):
        await asyncio.sleep(0)
    outbox.put_now(CANCEL)
    assert not putting.done()
    assert await outbox.get() is CANCEL
    assert [await outbox.get() for _ in range(4)] == [AUDIO] * 4
    await putting


async def _put(outbox, count):
    for _ in range(count):
        await outbox.put(AUDIO)


async def test_get_waits_for_news():
    outbox = Outbox()
    getting = asyncio.create_task(outbox.get())
    await asyncio.sleep(0)
    outbox.put_now(CANCEL)
    assert await getting is CANCEL


async def test_the_end_turns_everyone_away():
    outbox = Outbox(limit=1)
    await outbox.put(AUDIO)
    waiting = [asyncio.create_task(outbox.put(AUDIO)) for _ in range(3)]
    await asyncio.sleep(0)
    outbox.end(ConnectionLost(1006))
    for refused in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(refused, ConnectionLost)
    with pytest.raises(ConnectionLost):
        await outbox.put(AUDIO)
    outbox.put_now(CANCEL)
    outbox.put_behind(CREATE)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await outbox.get()


async def test_what_waits_can_be_told_in_its_order():
    outbox = Outbox()
    await outbox.put(AUDIO)
    outbox.put_behind(CREATE)
    outbox.put_now(CANCEL)
    assert outbox.waiting == [CANCEL, AUDIO, CREATE]
    assert [await outbox.get() for _ in range(3)] == [CANCEL, AUDIO, CREATE]
    assert outbox.waiting == []
