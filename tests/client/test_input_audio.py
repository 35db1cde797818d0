import base64

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.audio.formats import PCM, PCMA, PCMU, encoder
from vivavoce.audio.pcm import to_pcm16
from vivavoce.client.input_audio import FRAME_SECONDS, InputAudio, Pace
from vivavoce.errors import AudioError
from vivavoce.protocol.client_events import InputAudioBufferClear, InputAudioBufferCommit
from vivavoce.protocol.server_events import SessionUpdated
from vivavoce.protocol.session import AudioPcm, AudioPcma, AudioPcmu, RealtimeSession, TranscriptionSession

FORMATS = {PCM: AudioPcm(), PCMU: AudioPcmu(), PCMA: AudioPcma()}
RATES = [8000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000]


def updated(name=PCM, *, turn_detection=None, kind=RealtimeSession):
    session = kind(id="sess_1")
    session.audio.input.format = FORMATS[name]
    session.audio.input.turn_detection = turn_detection
    return SessionUpdated(session=session)


def noise(count, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, count).astype(np.float32)


def joined(frames):
    return b"".join(base64.b64decode(frame.audio) for frame in frames)


def said(audio, rate, *, name=PCM, chunks=(), **options):
    """Return the bytes that go to the endpoint, where the audio comes in chunks of these lengths."""
    stream = InputAudio()
    stream.take(updated(name))
    data, rest = b"", audio
    for length in chunks:
        data += joined(stream.frames(rest[..., :length], rate, **options))
        rest = rest[..., length:]
    return data + joined(stream.frames(rest, rate, **options)) + joined(stream.flush())


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=40, deadline=None)
@given(
    rate=st.sampled_from(RATES),
    count=st.integers(0, 6000),
    chunks=st.lists(st.integers(0, 2000), max_size=6),
)
def test_in_chunks_it_is_what_it_is_as_a_whole(name, rate, count, chunks):
    audio = noise(count)
    whole = encoder(name, rate)
    expected = whole.push(to_pcm16(audio)) + whole.flush()
    assert said(audio, rate, name=name, chunks=chunks) == expected


@pytest.mark.parametrize("rate", RATES)
def test_frames_are_40_ms_long(rate):
    stream = InputAudio()
    sizes = [len(joined([frame])) for frame in stream.frames(noise(rate), rate)]
    assert len(sizes) == 25
    assert all(abs(size - 1920) <= 2 for size in sizes[1:])


def test_frames_are_made_as_they_are_asked_for():
    stream = InputAudio()
    frames = stream.frames(noise(24_000 * 3600), 24_000)
    assert len(joined([next(frames)])) == 1920


class TestShapes:
    PLAIN = to_pcm16(noise(1000))

    @pytest.mark.parametrize(
        "audio",
        [
            PLAIN,
            PLAIN.tobytes(),
            bytearray(PLAIN.tobytes()),
            memoryview(PLAIN.tobytes()),
            PLAIN / 32768,
            (PLAIN / 32768).astype(np.float32),
            np.stack([PLAIN, PLAIN]),
            np.stack([PLAIN / 32768] * 3),
        ],
        ids=["int16", "bytes", "bytearray", "memoryview", "float64", "float32", "stereo", "three channels"],
    )
    def test_all_say_the_same(self, audio):
        stream = InputAudio()
        assert joined(stream.frames(audio, 24_000)) == self.PLAIN.tobytes()

    def test_channels_of_bytes_are_interleaved(self):
        left, right = np.array([100, 200], "<i2"), np.array([300, 0], "<i2")
        data = np.stack([left, right], axis=1).tobytes()
        assert joined(InputAudio().frames(data, 24_000, channels=2)) == np.array([200, 100], "<i2").tobytes()

    @pytest.mark.parametrize(
        ("audio", "message"),
        [
            (b"abc", "1 channels, and got 3 bytes"),
            (np.zeros(3, np.int64), "got int64"),
            (np.zeros((1000, 2), np.float32), r"\(channels, n\), and got \(1000, 2\)"),
            (np.zeros((1, 1, 1), np.float32), "got"),
            (np.float32(0.5), "got"),
        ],
    )
    def test_what_is_no_audio_is_refused(self, audio, message):
        with pytest.raises(AudioError, match=message):
            list(InputAudio().frames(audio, 24_000))

    def test_half_a_sample_of_two_channels_is_refused(self):
        with pytest.raises(AudioError, match="2 channels, and got 6 bytes"):
            list(InputAudio().frames(bytes(6), 24_000, channels=2))


class TestCounting:
    def test_what_was_said_is_counted_in_any_format(self):
        for name in FORMATS:
            stream = InputAudio()
            stream.take(updated(name))
            for frame in [*stream.frames(noise(2399), 24_000), *stream.flush()]:
                assert stream.too_short
                stream.sent(frame)
            assert stream.seconds == pytest.approx(0.1, abs=0.0001)
            assert stream.too_short == (name == PCM), "a telephone's sample is three"

    @pytest.mark.parametrize("event", [InputAudioBufferCommit(), InputAudioBufferClear()])
    def test_a_turn_that_ends_begins_another(self, event):
        stream = InputAudio()
        stream.take(updated())
        for frame in stream.frames(noise(24_000), 24_000):
            stream.sent(frame)
        assert not stream.too_short
        stream.sent(event)
        assert stream.too_short
        assert stream.seconds == 0

    def test_where_the_endpoint_ends_turns_it_is_for_the_endpoint_to_judge(self):
        stream = InputAudio()
        assert not stream.too_short, "nothing is known of the session yet"
        stream.take(updated(turn_detection=RealtimeSession(id="s").audio.input.turn_detection))
        assert not stream.too_short

    def test_sessions_that_transcribe_have_a_format_too(self):
        stream = InputAudio()
        stream.take(updated(PCMU, kind=TranscriptionSession))
        assert len(joined(stream.frames(noise(24_000), 24_000)) + joined(stream.flush())) == 8000


class TestChanges:
    def test_another_rate_goes_on_in_its_place(self):
        stream = InputAudio()
        data = joined(stream.frames(noise(8000), 16_000))
        data += joined(stream.frames(noise(24_000), 48_000)) + joined(stream.flush())
        assert len(data) == 48_000

    def test_another_format_begins_anew(self):
        stream = InputAudio()
        joined(stream.frames(noise(8000), 16_000))
        stream.take(updated(PCMU))
        assert len(joined(stream.frames(noise(8000), 16_000)) + joined(stream.flush())) == 4000


class TestPace:
    @given(st.lists(st.floats(0, 0.4), max_size=200))
    def test_it_does_not_drift(self, delays):
        """However long sending takes, each frame goes out when it is due, or as soon as it can."""
        pace, now = Pace(), 100.0
        for number, delay in enumerate(delays):
            now += pace.wait(now, FRAME_SECONDS)
            assert now >= 100 + (number + 1) * FRAME_SECONDS - 1e-6
            now += delay if delay < Pace.LATE_SECONDS and sum(delays) < FRAME_SECONDS * len(delays) else 0
        assert now == pytest.approx(100 + len(delays) * FRAME_SECONDS, abs=0.5)

    def test_after_a_pause_it_does_not_hurry(self):
        pace = Pace()
        assert pace.wait(0, 0.04) == pytest.approx(0.04)
        assert pace.wait(10, 0.04) == pytest.approx(0.04)

    def test_who_is_a_little_late_catches_up(self):
        pace = Pace()
        pace.wait(0, 0.04)
        assert pace.wait(0.2, 0.04) == 0
        assert pace.wait(0.2, 0.2) == pytest.approx(0.08)
