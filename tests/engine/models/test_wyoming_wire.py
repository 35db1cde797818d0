import asyncio

import pytest

from tests.engine.models.samples import SPEECH
from tests.engine.models.wyoming_double import PIPER, WyomingDouble
from vivavoce.engine.models import wyoming_wire
from vivavoce.engine.models.wyoming import WyomingRecogniser
from vivavoce.engine.models.wyoming_wire import LONGEST, Event, WyomingServer, encode
from vivavoce.errors import ModelError


async def answer(data, *, wait=False):
    """Return what the recogniser makes of a server that sends these bytes, and then hangs up."""
    done = asyncio.Event()

    async def serve(reader, writer):
        writer.write(data)
        if wait:
            await done.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        return await WyomingRecogniser(WyomingServer("127.0.0.1", port)).transcribe(SPEECH[:4000])
    finally:
        done.set()
        server.close()


async def test_events_that_nobody_asked_for_are_passed_over():
    events = (
        Event("ping", {"text": "x"}),
        Event("noise", payload=b"1234"),
        Event("transcript", {"text": "Hi."}),
    )
    assert (await answer(b"".join(map(encode, events)))).text == "Hi."


async def test_data_may_stand_in_the_line():
    assert (await answer(b'{"type": "transcript", "data": {"text": "Hi."}}\n')).text == "Hi."


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "lost in the middle|closed before"),
        (b'{"type": "transcript", "data_length": 10}\n{"text"', "lost in the middle"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "expected an event of the Wyoming protocol"),
        (b'{"type": "x", "data_length": 2}\n[]', "expected an event of the Wyoming protocol"),
        (b'{"type": "x", "payload_length": 99999999}\n', "at most 16777216 bytes"),
        (b'{"type": "x", "payload_length": -1}\n', "at most 16777216 bytes"),
        (b"x" * 100_000, "expected an event of the Wyoming protocol"),
        (b'{"type": "transcript"}\n', "expected a transcript with text"),
    ],
)
async def test_what_is_no_answer(data, why):
    with pytest.raises(ModelError, match=rf"^wyoming://127.0.0.1:\d+: .*({why})"):
        await answer(data)


async def test_who_says_nothing_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(wyoming_wire, "SILENCE_SECONDS", 0.05)
    with pytest.raises(ModelError, match=r"said nothing for 0.05 s"):
        await answer(b"", wait=True)


async def test_nobody_is_there(free_port):
    with pytest.raises(ModelError, match=rf"^wyoming://127.0.0.1:{free_port}: it cannot be reached"):
        await WyomingRecogniser(WyomingServer("127.0.0.1", free_port)).warm_up()


def test_its_name():
    assert str(WyomingServer("::1", 10300)) == "wyoming://[::1]:10300"


async def test_the_other_side_understands_an_event_and_is_understood():
    async with WyomingDouble(PIPER).serve() as double:
        told = await WyomingServer("127.0.0.1", double.port).describe()
    assert told == PIPER.event().data


async def test_who_does_not_listen_is_not_written_to_for_ever(monkeypatch):
    monkeypatch.setattr(wyoming_wire, "SILENCE_SECONDS", 0.05)
    done = asyncio.Event()

    async def deaf(_, writer):
        await done.wait()
        writer.close()

    server = await asyncio.start_server(deaf, "127.0.0.1", 0, limit=1)
    try:
        there = WyomingServer("127.0.0.1", server.sockets[0].getsockname()[1])
        with pytest.raises(ModelError, match=r"said nothing for 0.05 s"):
            async with there.connect() as connection:
                await connection.send(*[Event("audio-chunk", payload=bytes(LONGEST))] * 4)
    finally:
        done.set()
        server.close()
