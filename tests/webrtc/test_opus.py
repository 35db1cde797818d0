from contextlib import suppress

import av
import numpy as np
import pytest
from aiortc.codecs import opus
from aiortc.jitterbuffer import JitterFrame
from hypothesis import given
from hypothesis import strategies as st

from tests.webrtc.buzz import buzz, distance, packets
from vivavoce.audio.pcm import from_pcm16
from vivavoce.audio.resample import resample
from vivavoce.webrtc.opus import OpusDecoder, OpusEncoder, _libopus
from vivavoce.webrtc.playout import FRAME_SAMPLES, RATE


def tone(frames, hertz=440):
    at = np.arange(frames * FRAME_SAMPLES) / RATE
    return (8000 * np.sin(2 * np.pi * hertz * at)).astype(np.int16)


def decoded(packets):
    """Decode as aiortc's receivers do: 48 kHz, stereo."""
    decoder = opus.OpusDecoder()
    frames = [
        frame
        for number, packet in enumerate(packets)
        for frame in decoder.decode(JitterFrame(data=bytes(packet), timestamp=960 * number))
    ]
    return np.concatenate([frame.to_ndarray().reshape(-1, 2)[:, 0] for frame in frames])


def test_each_packet_is_20_ms_with_the_time_it_was_given():
    encoder = OpusEncoder(RATE)
    packets = [encoder.encode(frame, 960 * number) for number, frame in enumerate(np.split(tone(10), 10))]
    assert [packet.pts for packet in packets] == [960 * number for number in range(10)]
    assert len(decoded(packets)) == 10 * 960


def test_speech_comes_through():
    encoder = OpusEncoder(RATE)
    packets = [encoder.encode(frame, 960 * number) for number, frame in enumerate(np.split(tone(50), 50))]
    spectrum = np.abs(np.fft.rfft(decoded(packets)[9600:].astype(float)))
    loudest = np.argmax(spectrum) * 48_000 / len(decoded(packets)[9600:])
    assert abs(loudest - 440) < 5


class TestDecoding:
    def test_says_the_same_as_ffmpeg_does(self):
        sent = packets(buzz(50))
        decoder = OpusDecoder(RATE)
        heard = np.concatenate([decoder.decode(packet) for packet in sent])
        theirs = resample(from_pcm16(decoded(sent)), 48_000, RATE)
        assert len(heard) == len(theirs)
        assert min(distance(np.roll(from_pcm16(heard), by), theirs) for by in range(-8, 9)) < 0.05

    def test_what_a_lost_packet_said_is_in_the_next(self):
        sent = packets(buzz(100))
        whole = OpusDecoder(RATE)
        said = [whole.decode(packet) for packet in sent]
        corrected, guessed = OpusDecoder(RATE), OpusDecoder(RATE)
        errors = {"corrected": [], "guessed": []}
        for number, packet in enumerate(sent):
            if number % 10 == 5:
                continue
            if number % 10 == 6:
                errors["corrected"].append(
                    distance(corrected.before(packet, FRAME_SAMPLES), said[number - 1])
                )
                errors["guessed"].append(distance(guessed.guess(FRAME_SAMPLES), said[number - 1]))
            corrected.decode(packet)
            guessed.decode(packet)
        assert np.mean(errors["corrected"]) < 0.1
        assert np.mean(errors["guessed"]) > 0.5

    def test_a_guess_soon_becomes_silence(self):
        decoder = OpusDecoder(RATE)
        for packet in packets(buzz(20)):
            said = decoder.decode(packet)
        guesses = [decoder.guess(FRAME_SAMPLES) for _ in range(10)]
        assert abs(guesses[0].astype(int)).max() > 100
        assert abs(guesses[-1].astype(int)).max() < abs(said.astype(int)).max() / 10

    @given(st.binary(max_size=2000))
    def test_whatever_comes_is_sound_or_refused(self, data):
        decoder = OpusDecoder(RATE)
        with suppress(ValueError):
            assert 0 < len(decoder.decode(data)) <= 0.12 * RATE
        assert len(decoder.before(data, FRAME_SAMPLES)) == FRAME_SAMPLES

    def test_what_is_no_packet_is_refused(self):
        with pytest.raises(ValueError, match="got 3 bytes that are none"):
            OpusDecoder(RATE).decode(b"\xff\xff\xff")

    def test_a_rate_that_is_none_of_its_own_is_refused(self):
        with pytest.raises(ValueError, match="got 44100"):
            OpusDecoder(44_100)

    def test_a_system_without_it_is_told_so(self, monkeypatch, tmp_path):
        _libopus.cache_clear()
        monkeypatch.setattr(av, "__file__", str(tmp_path / "av" / "__init__.py"))
        monkeypatch.setattr("ctypes.util.find_library", lambda _: None)
        with pytest.raises(OSError, match="no libopus"):
            OpusDecoder(RATE)
