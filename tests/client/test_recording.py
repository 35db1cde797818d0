import json
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from tests.client.doubles import ScriptedTransport
from vivavoce import RealtimeClient
from vivavoce.audio.wav import read_wav
from vivavoce.client import recording
from vivavoce.client.recording import Recorder, Recording
from vivavoce.client.remote_player import RemotePlayer
from vivavoce.errors import RecordingError
from vivavoce.testing import Cassette, Script, ScriptedEngine, Turn

ENGINE = Script(turns=[Turn(hear="What time is it?", say="It is noon."), Turn(say="Bye.")])


class Speaker:
    """Plays nothing; the test says what was heard."""

    def __init__(self):
        self.heard = 0
        self.cleared = 0
        self.given = 0

    def play(self, samples):
        self.given += len(samples)

    def clear(self):
        self.cleared += 1
        self.heard = 0


async def converse(recorder, **options):
    async with ScriptedEngine(ENGINE) as engine:
        client = RealtimeClient(transport=engine.connect, recorder=recorder, **options)
        async with client:
            await client.update_session(turn_detection=None)
            await client.send_audio(np.full(24_000, 0.2, np.float32))
            await (await client.commit())
            await (await client.send_text("Good bye"))


async def test_a_session_is_recorded_whole(tmp_path):
    with Recorder(tmp_path / "it", endpoint="wss://me:secret@host/v1?key=secret", model="m") as recorder:
        await converse(recorder)
    recording = Recording.load(tmp_path / "it")
    assert (recording.info.endpoint, recording.info.lost) == ("wss://host/v1", 0)
    assert "secret" not in (tmp_path / "it" / "session.json").read_text()
    frames = list(recording.frames())
    assert len(frames) == recording.info.events
    assert {"session.created", "session.update"} == {frame.event["type"] for frame in frames[:2]}
    assert [frame.t for frame in frames] == sorted(frame.t for frame in frames)
    user, assistant = (read_wav(tmp_path / "it" / f"{side}.wav")[0] for side in ("user", "assistant"))
    assert len(user) == len(assistant) >= recording.info.seconds * 23_999
    assert np.count_nonzero(user) == 24_000
    assert np.count_nonzero(assistant) > 10_000


async def test_a_recording_is_a_cassette(tmp_path):
    with Recorder(tmp_path / "it") as recorder:
        await converse(recorder)
    cassette = Cassette.load(Recording.load(tmp_path / "it").events)
    async with cassette.endpoint() as transport:
        client = RealtimeClient(transport=lambda: transport)
        async with client:
            await client.update_session(turn_detection=None)
            await client.send_audio(np.full(24_000, 0.1, np.float32))
            await (await client.commit())
            await (await client.send_text("Good bye"))
    assert client.conversation.items[-1].words == "Bye."


async def test_what_a_speaker_was_given_and_nobody_heard_is_not_in_it(tmp_path):
    speaker = Speaker()
    with Recorder(tmp_path / "it") as recorder:
        await converse(recorder, speaker=speaker)
    assert speaker.given > 10_000
    assert not read_wav(tmp_path / "it" / "assistant.wav")[0].any()


def test_what_was_heard_is_in_it(tmp_path):
    speaker = Speaker()
    with Recorder(tmp_path / "it") as recorder:
        ear = recorder.speaker(speaker)
        ear.play(np.full(4800, 0.5, np.float32))
        speaker.heard = 1200
        assert ear.heard == 1200
        ear.clear()
        ear.play(np.full(4800, 0.5, np.float32))
        speaker.heard = 2400
    assert (speaker.given, speaker.cleared) == (9600, 1)
    assert np.count_nonzero(read_wav(tmp_path / "it" / "assistant.wav")[0]) == 3600


def test_a_player_elsewhere_stays_what_it_is(tmp_path):
    player = RemotePlayer(lambda samples: None, lambda: None)
    with Recorder(tmp_path / "it") as recorder:
        assert recorder.speaker(player) is player


def test_what_comes_too_fast_is_left_out_and_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "QUEUE_LIMIT", 2)
    going = threading.Event()
    with Recorder(tmp_path / "it") as recorder:
        recorder._put(going.wait)
        while recorder._jobs.qsize():
            pass
        for _ in range(5):
            recorder._note("C", '{"type": "x"}')
        going.set()
    info = Recording.load(tmp_path / "it").info
    assert (info.events, info.lost) == (2, 3)


def test_a_disk_that_fails_is_told_at_the_end_and_no_sooner(tmp_path):
    def fail():
        raise OSError(28, "No space left on device")

    recorder = Recorder(tmp_path / "it")
    recorder._put(fail)
    recorder._note("C", '{"type": "x"}')
    with pytest.raises(RecordingError, match=r"is broken off.*No space left"):
        recorder.close()
    recorder.close()
    recorder._note("C", '{"type": "x"}')


CRASHING = """
import sys, time
from vivavoce.client import recording
recording.FLUSH_SECONDS = 0.0
recorder = recording.Recorder(sys.argv[1])
recorder._note("C", '{"type": "input_audio_buffer.append", "audio": "' + "AAAB" * 3200 + '"}')
while not recorder._tape.info.events:
    time.sleep(0.01)
time.sleep(0.2)
print("recorded", flush=True)
time.sleep(60)
"""


def test_a_crash_leaves_a_folder_that_can_be_read(tmp_path):
    command = [sys.executable, "-c", CRASHING, str(tmp_path / "it")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "recorded\n"
        os.kill(process.pid, signal.SIGKILL)
    broken = Recording.load(tmp_path / "it")
    assert broken.info.seconds is None
    assert [frame.event["type"] for frame in broken.frames()] == ["input_audio_buffer.append"]
    assert len(read_wav(tmp_path / "it" / "user.wav")[0]) == 4800


class TestReading:
    @pytest.fixture
    def folder(self, tmp_path):
        with Recorder(tmp_path / "it") as recorder:
            recorder._note("C", '{"type": "x"}')
        return tmp_path / "it"

    def test_a_line_that_is_not_whole_was_the_last(self, folder):
        with (folder / "events.jsonl").open("a") as file:
            file.write('{"dir": "S", "ev')
        assert [frame.event for frame in Recording.load(folder).frames()] == [{"type": "x"}]

    def test_any_other_line_is_an_error(self, folder):
        with (folder / "events.jsonl").open("a") as file:
            file.write("{}\n")
        with pytest.raises(RecordingError, match=r"events\.jsonl, line 2: expected an event"):
            list(Recording.load(folder).frames())

    def test_a_folder_must_have_what_belongs_to_it(self, folder):
        (folder / "events.jsonl").unlink()
        with pytest.raises(RecordingError, match=r"has no events\.jsonl"):
            Recording.load(folder)
        (folder / "session.json").write_text(json.dumps({"format": 2}))
        with pytest.raises(RecordingError, match=r"format 1, and .* has 2"):
            Recording.load(folder)
        (folder / "session.json").write_text("no JSON")
        with pytest.raises(RecordingError, match="cannot be read"):
            Recording.load(folder)
        (folder / "session.json").unlink()
        with pytest.raises(RecordingError, match=r"has no session\.json"):
            Recording.load(folder)


async def test_recording_does_not_change_what_passes(tmp_path):
    transport = ScriptedTransport({"type": "session.created"})
    with Recorder(tmp_path / "it") as recorder:
        connected = await recorder.connect(lambda: transport)()
        await connected.send('{"type": "x"}')
        assert json.loads(await connected.receive())["type"] == "session.created"
    assert transport.sent == [{"type": "x"}]
