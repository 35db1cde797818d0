import asyncio

import pytest

from vivavoce.client.streams import EventStream
from vivavoce.errors import ConnectionLost
from vivavoce.protocol.server_events import InputAudioBufferCleared


def event(number):
    return InputAudioBufferCleared(event_id=f"event_{number}")


async def read(stream):
    return [one.event_id async for one in stream]


async def test_events_come_in_order_until_the_end():
    stream = EventStream()
    reading = asyncio.create_task(read(stream))
    for number in range(3):
        stream.put(event(number))
        await asyncio.sleep(0)
    stream.end()
    stream.put(event(9))
    assert await reading == ["event_0", "event_1", "event_2"]


async def test_a_slow_reader_loses_the_oldest_and_is_told_how_many():
    stream = EventStream(kept=2)
    for number in range(5):
        stream.put(event(number))
    stream.end()
    assert await read(stream) == ["event_3", "event_4"]
    assert stream.missed == 3


async def test_an_error_comes_behind_the_last_event_and_once():
    stream = EventStream()
    stream.put(event(0))
    stream.end(ConnectionLost(1006))
    stream.end()
    assert (await anext(stream)).event_id == "event_0"
    with pytest.raises(ConnectionLost):
        await anext(stream)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
