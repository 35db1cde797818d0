import asyncio
import io

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from tests.audio.doubles import FakeSoundDevice
from tests.cli.endpoints import ANSWER, FakeEndpoint
from tests.client.doubles import ScriptedTransport
from vivavoce.audio import devices
from vivavoce.audio.wav import read_wav
from vivavoce.cli.app import app
from vivavoce.cli.talk import converse
from vivavoce.cli.transcript import Transcript
from vivavoce.client.realtime import RealtimeClient
from vivavoce.errors import AudioDeviceError, ConnectionLost

LOUD = np.random.default_rng(1).uniform(-0.5, 0.5, 960).astype(np.float32)
QUIET = np.zeros(960, np.float32)


class Feed:
    """Something to listen to, or keys: whatever the test puts in, until it says that it ends."""

    def __init__(self):
        self._queue = asyncio.Queue()
        self._given = False

    def put(self, *values):
        for value in values:
            self._queue.put_nowait(value)

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self._given:
            self._queue.task_done()
        self._given = True
        return await self._queue.get()

    async def taken(self):
        """Wait until all has been taken, and dealt with."""
        await self._queue.join()


class Mouth:
    """Remembers what it was given."""

    def __init__(self):
        self.heard = 0
        self.cleared = 0
        self.given = []
        self.playing = asyncio.Event()

    def play(self, samples):
        self.given.append(samples)
        self.playing.set()

    def clear(self):
        self.cleared += 1


class Talking:
    """A conversation with a scripted endpoint."""

    def __init__(self, *, reconnect=False, **options):
        self.transport = ScriptedTransport()
        self.ear, self.keys, self.mouth = Feed(), Feed(), Mouth()
        self.screen = io.StringIO()
        transcript = Transcript(Console(file=self.screen, width=80))

        async def talk():
            client = RealtimeClient(transport=lambda: self.transport, speaker=self.mouth, reconnect=reconnect)
            async with client:
                await converse(client, ear=self.ear, keys=self.keys, transcript=transcript, **options)

        self.task = asyncio.ensure_future(talk())

    async def sent(self, count):
        """Return the types of the first events that were sent, once there are so many."""
        async with asyncio.timeout(5):
            while len(self.transport.sent) < count:  # noqa: ASYNC110 - the other end is a list
                await asyncio.sleep(0)
        return self.transport.sent_types()

    async def end(self):
        self.transport.lose(1000)
        await self.task


def speaking(transport):
    where = {"item_id": "a", "response_id": "r", "output_index": 0, "content_index": 0}
    item = {"id": "a", "type": "message", "role": "assistant", "content": []}
    transport.say({"type": "response.created", "response": {"id": "r"}})
    transport.say({"type": "conversation.item.added", "item": item})
    transport.say({"type": "response.output_audio.delta", **where, "delta": "AAAA" * 16_000})


async def test_what_is_heard_is_sent_and_what_comes_is_played():
    talking = Talking()
    talking.ear.put(LOUD)
    assert await talking.sent(1) == ["input_audio_buffer.append"]
    speaking(talking.transport)
    await talking.mouth.playing.wait()
    assert len(talking.mouth.given[0]) == 24_000
    await talking.end()


async def test_speaking_over_the_answer_stops_it():
    talking = Talking()
    speaking(talking.transport)
    await talking.mouth.playing.wait()
    talking.mouth.heard = 12_000
    talking.transport.say({"type": "input_audio_buffer.speech_started", "item_id": "u", "audio_start_ms": 0})
    await talking.sent(1)
    assert talking.mouth.cleared == 1
    truncation = talking.transport.sent[0]
    assert truncation.pop("event_id")
    assert truncation == {
        "type": "conversation.item.truncate",
        "item_id": "a",
        "content_index": 0,
        "audio_end_ms": 500,
    }
    await talking.end()


async def test_the_key_decides_when_to_talk():
    talking = Talking(push_to_talk=True)
    talking.ear.put(LOUD)
    await talking.ear.taken()
    talking.keys.put(True)
    await talking.keys.taken()
    talking.ear.put(LOUD, LOUD, LOUD)
    assert await talking.sent(3) == ["input_audio_buffer.append"] * 3
    talking.keys.put(False)
    types = await talking.sent(5)
    assert types[3:] == ["input_audio_buffer.commit", "response.create"]
    await talking.end()


async def test_a_key_that_goes_down_before_the_answer_begins_stops_it():
    talking = Talking(push_to_talk=True)
    talking.keys.put(True)
    await talking.keys.taken()
    talking.ear.put(LOUD, LOUD, LOUD)
    talking.keys.put(False, True)
    await talking.sent(5)
    speaking(talking.transport)
    await talking.sent(6)
    assert talking.transport.sent_types()[5] == "response.cancel"
    assert talking.mouth.given == []
    await talking.end()


async def test_too_short_a_press_means_nothing():
    talking = Talking(push_to_talk=True)
    audio = {"input": {"turn_detection": None}}
    talking.transport.say(
        {"type": "session.updated", "session": {"id": "s", "type": "realtime", "audio": audio}}
    )
    talking.keys.put(True)
    await talking.keys.taken()
    talking.ear.put(LOUD)
    await talking.sent(1)
    talking.keys.put(False)
    assert (await talking.sent(2))[1:] == ["input_audio_buffer.clear"]
    await talking.end()


async def test_what_the_endpoint_complains_about_is_shown_and_the_conversation_goes_on():
    talking = Talking()
    talking.transport.say({"type": "error", "error": {"message": "Too much."}})
    await talking.end()
    assert talking.screen.getvalue() == "The endpoint says: Too much.\n"


async def test_a_connection_that_is_lost_ends_it():
    talking = Talking()
    talking.transport.lose(1001, "bye")
    with pytest.raises(ConnectionLost, match="bye"):
        await talking.task


async def test_why_it_was_lost_is_told_by_the_endpoint():
    talking = Talking()
    talking.transport.closed = (1006, "cannot write")
    talking.ear.put(LOUD)
    await talking.ear.taken()
    await asyncio.sleep(0)
    talking.transport.lose(1001, "The server shuts down.")
    with pytest.raises(ConnectionLost, match="The server shuts down"):
        await talking.task


class TestCommand:
    """The whole command, with a sound card and an endpoint that are made up."""

    @pytest.fixture
    def sound(self, monkeypatch):
        sounddevice = FakeSoundDevice(48_000)
        monkeypatch.setattr(devices, "load_sounddevice", lambda: sounddevice)
        return sounddevice

    async def test_a_question_is_heard_answered_and_recorded(self, sound, tmp_path):
        endpoint, folder = FakeEndpoint(), str(tmp_path / "it")
        endpoint.leaves = True
        async with endpoint.serving() as url:
            talking = asyncio.create_task(
                asyncio.to_thread(CliRunner().invoke, app, ["talk", "--url", url, "--record", folder])
            )
            async with asyncio.timeout(10):
                await endpoint.configured.wait()
                while sound.input.state != "running":  # noqa: ASYNC110 - the other thread opens it
                    await asyncio.sleep(0.01)
                for block in [np.repeat(LOUD, 2)] * 10 + [np.zeros(1920, np.float32)] * 10:
                    sound.input.hear(block)
                result = await talking
        assert result.exit_code == 0, result.output
        lines = [line.rstrip() for line in result.output.splitlines()]
        assert lines == ["You     How are [you]?", "Answer  I am [fine]."]
        assert endpoint.received[0]["session"]["audio"]["input"]["turn_detection"] == {"type": "server_vad"}
        assert (sound.input.state, sound.output.state) == ("closed", "closed")
        assert np.count_nonzero(read_wav(tmp_path / "it" / "user.wav")[0]) >= len(LOUD) * 9
        assert not read_wav(tmp_path / "it" / "assistant.wav")[0].any()  # nobody has heard it yet
        played = sound.output.play(30)
        assert np.count_nonzero(played) > len(ANSWER) // 2

    @pytest.mark.parametrize("missing", ["input", "output"])
    def test_without_a_device_it_names_the_other_ways(self, monkeypatch, missing):
        monkeypatch.setattr(devices, "load_sounddevice", lambda: FakeSoundDevice(missing={missing}))
        result = CliRunner().invoke(app, ["talk"])
        assert isinstance(result.exception, AudioDeviceError)
        for way in ("vivavoce ask", "vivavoce serve"):
            assert way in str(result.exception)
