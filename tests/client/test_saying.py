import asyncio
import base64

import numpy as np
import pytest

from vivavoce.audio.wav import write_wav
from vivavoce.client.saying import Saying
from vivavoce.errors import AudioFileError, SpeechTooShort
from vivavoce.protocol.server_events import SessionUpdated
from vivavoce.protocol.session import RealtimeSession


class Line:
    """Keeps what is sent, with the time of the event loop; goes on when it is let."""

    def __init__(self):
        self.sent = []
        self.free = asyncio.Event()
        self.free.set()

    async def send(self, event):
        await self.free.wait()
        self.saying.audio.sent(event)
        self.sent.append((asyncio.get_running_loop().time(), event))

    @property
    def types(self):
        return [event.type.removeprefix("input_audio_buffer.") for _, event in self.sent]

    @property
    def pcm(self):
        return b"".join(
            base64.b64decode(event.audio) for _, event in self.sent if event.type.endswith("append")
        )


@pytest.fixture
async def line():
    line = Line()
    line.saying = Saying(line.send)
    session = RealtimeSession(id="sess_1")
    session.audio.input.turn_detection = None
    line.saying.audio.take(SessionUpdated(session=session))
    return line


async def test_calls_are_one_stream(line):
    tone = np.sin(np.arange(16_000) / 10).astype(np.float32) / 2
    for start in range(0, 16_000, 320):
        await line.saying.say(tone[start : start + 320], 16_000)
    await line.saying.commit()
    pieces, line.sent[:] = line.pcm, []
    await line.saying.say(tone, 16_000)
    await line.saying.commit()
    assert pieces == line.pcm
    assert len(pieces) == 48_000


async def test_it_waits_while_the_line_is_slow(line):
    line.free.clear()
    saying = asyncio.create_task(line.saying.say(np.zeros(24_000, np.float32), 24_000))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not saying.done()
    line.free.set()
    await saying
    assert len(line.sent) == 25


async def test_at_the_pace_of_speech_no_frame_comes_before_it_was_spoken(line):
    began = asyncio.get_running_loop().time()
    for _ in range(2):
        await line.saying.say(np.zeros(2400, np.float32), 24_000, paced=True)
    for number, (at, _) in enumerate(line.sent):
        assert at - began >= number * 0.1 / 3, "three frames of 100 ms"


class TestFiles:
    async def test_are_sent_whole(self, line, tmp_path):
        write_wav(tmp_path / "speech.wav", np.full(8000, 0.2, np.float32), 8000)
        await line.saying.say_file(tmp_path / "speech.wav")
        assert len(line.pcm) == 48_000
        line.sent.clear()
        await line.saying.say_file((tmp_path / "speech.wav").read_bytes())
        assert len(line.pcm) == 48_000

    async def test_that_are_none_are_refused(self, line, tmp_path):
        with pytest.raises(AudioFileError, match="cannot be read"):
            await line.saying.say_file(tmp_path / "nothing.wav")


class TestCommit:
    async def test_ends_a_turn(self, line):
        await line.saying.say(np.zeros(2400, np.float32), 24_000)
        await line.saying.commit()
        assert line.types == ["append"] * 3 + ["commit"]

    async def test_too_short_a_turn_is_forgotten(self, line):
        await line.saying.say(np.zeros(1200, np.float32), 24_000)
        with pytest.raises(SpeechTooShort, match="100 ms of speech for a turn, and got 50 ms") as caught:
            await line.saying.commit()
        assert (caught.value.seconds, caught.value.needed) == (0.05, 0.1)
        assert line.types == ["append"] * 2 + ["clear"]
        with pytest.raises(SpeechTooShort, match="got 0 ms"):
            await line.saying.commit()

    async def test_what_the_resampler_holds_belongs_to_the_turn(self, line):
        await line.saying.say(np.zeros(1600, np.float32), 16_000)
        await line.saying.commit()
        assert len(line.pcm) == 4800
        assert line.types[-1] == "commit"
