import asyncio

import numpy as np
import pytest

from vivavoce.client.microphone import OpenMicrophone
from vivavoce.errors import AudioDeviceError, ConnectionLost, SpeechTooShort

FRAME = np.zeros(960, np.float32)


class Ear:
    """Hears what it is told to."""

    def __init__(self):
        self.frames = asyncio.Queue()
        self.state = "closed"

    async def __aenter__(self):
        self.state = "open"
        return self

    async def __aexit__(self, *_):
        self.state = "closed"

    def __aiter__(self):
        return self

    async def __anext__(self):
        frame = await self.frames.get()
        self.frames.task_done()
        if isinstance(frame, Exception):
            raise frame
        return frame

    async def hear(self, *frames):
        """Hear these, and come back when somebody has done something about all of them."""
        for frame in frames:
            self.frames.put_nowait(frame)
        await self.frames.join()
        for _ in range(3):
            await asyncio.sleep(0)


class Client:
    """Notes what it is asked to do."""

    def __init__(self, *, error=None):
        self.done = []
        self.error = error

    async def send_audio(self, audio, rate):
        if self.error:
            raise self.error
        self.done.append((len(audio), rate))

    async def commit(self):
        if self.error:
            raise self.error
        self.done.append("commit")
        return "reply"

    def interrupt(self):
        self.done.append("interrupt")


@pytest.fixture
async def ear():
    return Ear()


async def test_hands_free_all_is_sent(ear):
    client = Client()
    async with OpenMicrophone(client, ear, 24_000) as microphone:
        assert ear.state == "open"
        microphone.press()
        assert await microphone.release() is None
        await ear.hear(FRAME, FRAME)
    assert client.done == [(960, 24_000)] * 2
    assert ear.state == "closed"


async def test_push_to_talk_sends_what_is_said_between(ear):
    client = Client()
    async with OpenMicrophone(client, ear, 16_000, push_to_talk=True) as microphone:
        await ear.hear(FRAME)
        for _ in range(2):
            microphone.press()
        await ear.hear(FRAME, FRAME)
        assert await microphone.release() == "reply"
        assert await microphone.release() is None
        await ear.hear(FRAME)
    assert client.done == ["interrupt", (960, 16_000), (960, 16_000), "commit"]


async def test_too_short_a_press_is_told(ear):
    async with OpenMicrophone(
        Client(error=SpeechTooShort(0.0, 0.1)), ear, 24_000, push_to_talk=True
    ) as microphone:
        microphone.press()
        assert await microphone.release() is None


async def test_the_end_of_the_session_is_not_for_the_microphone_to_tell(ear):
    async with OpenMicrophone(Client(error=ConnectionLost(1006)), ear, 24_000):
        await ear.hear(FRAME)


async def test_an_ear_that_fails_is_told_at_the_end(ear):
    with pytest.raises(AudioDeviceError, match="unplugged"):
        async with OpenMicrophone(Client(), ear, 24_000):
            await ear.hear(AudioDeviceError("unplugged"))
    assert ear.state == "closed"


async def test_an_error_of_ones_own_comes_first(ear):
    async def fail():
        async with OpenMicrophone(Client(), ear, 24_000):
            await ear.hear(AudioDeviceError("unplugged"))
            raise KeyError

    with pytest.raises(KeyError):
        await fail()


async def test_an_ear_that_need_not_be_opened_will_do():
    taken = asyncio.Event()

    async def hear():
        yield FRAME
        taken.set()
        await asyncio.get_running_loop().create_future()

    client = Client()
    async with OpenMicrophone(client, hear(), 24_000):
        await taken.wait()
    assert client.done == [(960, 24_000)]
