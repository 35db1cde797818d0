import av
import numpy as np
from aiortc.codecs.opus import OpusDecoder
from aiortc.jitterbuffer import JitterFrame

from vivavoce.webrtc.opus import OpusEncoder
from vivavoce.webrtc.playout import FRAME_SAMPLES, RATE


def tone(frames, hertz=440):
    at = np.arange(frames * FRAME_SAMPLES) / RATE
    return (8000 * np.sin(2 * np.pi * hertz * at)).astype(np.int16)


def decoded(packets):
    """Decode as a receiver does: 48 kHz, stereo."""
    decoder = OpusDecoder()
    frames = [
        frame
        for packet in packets
        for frame in decoder.decode(JitterFrame(data=bytes(packet), timestamp=packet.pts))
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


def test_what_a_lost_packet_said_is_in_the_next():
    """In-band error correction (RFC 6716, 2.1.7) takes room: packets are larger than without."""
    sizes = {}
    for loss in ("0", "10"):
        encoder = OpusEncoder(RATE)
        encoder._codec = av.CodecContext.create("libopus", "w")
        encoder._codec.bit_rate, encoder._codec.format, encoder._codec.layout = 32_000, "s16", "mono"
        encoder._codec.sample_rate = RATE
        encoder._codec.options = {"application": "voip", "fec": "1", "packet_loss": loss}
        noise = np.random.default_rng(0).normal(0, 3000, 50 * FRAME_SAMPLES).astype(np.int16)
        sizes[loss] = [bytes(encoder.encode(frame, 0)) for frame in np.split(noise, 50)]
    assert sizes["0"] != sizes["10"]
