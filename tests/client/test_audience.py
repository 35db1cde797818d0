import asyncio

import pytest

from vivavoce.client.audience import Audience
from vivavoce.client.notices import ConnectionInterrupted
from vivavoce.client.tasks import Tasks
from vivavoce.errors import ConnectionLost
from vivavoce.protocol.server_events import InputAudioBufferCleared

CLEARED = InputAudioBufferCleared()
LOST = ConnectionInterrupted(code=1006, reason="")


@pytest.fixture
def audience():
    return Audience(Tasks())


async def test_all_are_told_what_they_want(audience):
    cleared, everything = [], []
    audience.on("input_audio_buffer.cleared", cleared.append)
    audience.on("*", everything.append)
    audience.tell(CLEARED)
    audience.tell(LOST)
    assert cleared == [CLEARED]
    assert everything == [CLEARED, LOST]


async def test_notices_have_a_type_too(audience):
    told = []
    audience.on("connection.lost", told.append)
    audience.tell(LOST)
    assert told == [LOST]


async def test_a_stream_begins_with_now_and_the_own_one_with_the_first(audience):
    audience.tell(CLEARED)
    stream = audience.stream()
    audience.tell(LOST)
    audience.end(None)
    assert [event async for event in stream] == [LOST]
    assert [event async for event in audience.own] == [CLEARED, LOST]


async def test_who_comes_after_the_end_is_told_why(audience):
    audience.end(ConnectionLost(1011, "no memory"))
    for stream in (audience.own, audience.stream()):
        with pytest.raises(ConnectionLost, match="no memory"):
            await anext(stream)


async def test_events_do_not_wait_for_asynchronous_handlers(audience):
    release, done = asyncio.Event(), asyncio.Event()

    async def slow(event):
        await release.wait()
        done.set()

    remove = audience.on("*", slow)
    audience.tell(CLEARED)
    remove()
    audience.tell(CLEARED)
    assert not done.is_set()
    release.set()
    await done.wait()


async def test_a_handler_that_fails_does_not_end_the_session(audience, caplog):
    told = []
    audience.on("*", lambda _: 1 / 0)
    audience.on("*", told.append)
    audience.tell(CLEARED)
    assert told == [CLEARED]
    assert "a handler of input_audio_buffer.cleared failed" in caplog.text
