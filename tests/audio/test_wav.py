import struct
import wave

import numpy as np
import pytest

from vivavoce.audio import wav
from vivavoce.audio.wav import read_wav, write_wav
from vivavoce.errors import AudioFileError

RATE = 8000
TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.float32)

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE


def int24(samples):
    integers = np.round(samples * (2**23 - 1)).astype("<i4")
    return integers.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


WIDTHS = {
    "8": (PCM, 8, lambda samples: np.round(samples * 127 + 128).astype(np.uint8).tobytes()),
    "16": (PCM, 16, lambda samples: np.round(samples * 32767).astype("<i2").tobytes()),
    "24": (PCM, 24, int24),
    "32": (
        PCM,
        32,
        lambda samples: np.round(samples.astype(np.float64) * (2**31 - 1)).astype("<i4").tobytes(),
    ),
    "float": (FLOAT, 32, lambda samples: samples.astype("<f4").tobytes()),
    "double": (FLOAT, 64, lambda samples: samples.astype("<f8").tobytes()),
}


def riff(width="16", samples=TONE, *, channels=1, rate=RATE, extensible=False, data_size=None):
    """Write a WAV by hand, so that the reader is not tested with its own kind."""
    kind, bits, pack = WIDTHS[width]
    data = pack(samples)
    block = channels * bits // 8
    fmt = struct.pack(
        "<HHIIHH", EXTENSIBLE if extensible else kind, channels, rate, rate * block, block, bits
    )
    if extensible:
        guid = struct.pack("<H", kind) + bytes.fromhex("0000000010008000 00aa00389b71")
        fmt += struct.pack("<HHI", 22, bits, 0) + guid
    size = len(data) if data_size is None else data_size
    body = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", size) + data
    return b"RIFF" + struct.pack("<I", 0xFFFFFFFF if data_size else len(body)) + body


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_width_reads_the_same(width, extensible):
    samples, rate = read_wav(riff(width, extensible=extensible))
    assert rate == RATE
    assert samples.dtype == np.float32
    assert samples.shape == TONE.shape
    assert np.abs(samples - TONE).max() < (0.01 if width == "8" else 1e-4)


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000, 96_000])
def test_any_rate_is_told(rate):
    assert read_wav(riff(rate=rate))[1] == rate


@pytest.mark.parametrize("channels", [2, 3, 6])
def test_channels_are_averaged(channels):
    interleaved = np.zeros((RATE, channels), np.float32)
    interleaved[:, 0] = TONE
    samples, _ = read_wav(riff("float", interleaved.reshape(-1), channels=channels))
    assert np.allclose(samples, TONE / channels, atol=1e-6)


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 0])
def test_the_size_that_a_stream_writes_does_no_harm(size):
    samples, _ = read_wav(riff(data_size=size))
    assert len(samples) == RATE


def test_a_truncated_file_gives_what_is_there():
    samples, _ = read_wav(riff()[: 44 + RATE])
    assert len(samples) == RATE // 2


def test_what_is_no_number_becomes_one():
    samples, _ = read_wav(riff("float", np.float32([np.nan, np.inf, -np.inf, 0.25])))
    assert samples.tolist() == [0, 1, -1, 0.25]


def test_other_formats_are_read_too(tmp_path):
    import av

    path = tmp_path / "tone.flac"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=RATE, layout="mono", format="s16")
        frame = av.AudioFrame.from_ndarray((TONE * 32767).astype(np.int16).reshape(1, -1), "s16", "mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    samples, rate = read_wav(path)
    assert rate == RATE
    assert np.abs(samples - TONE).max() < 1e-3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"is empty"),
        (b"What is the capital of France?\n" * 20, r"is none: "),
        (b"RIFF\x00\x00", r"is none: "),
        (riff()[:44], r"has a header but no sound"),
        (riff(samples=TONE[:0]), r"has a header but no sound"),
        (b"ffconcat version 1.0\nfile tone.wav\n", r"is none: "),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\ntone.wav\n#EXT-X-ENDLIST\n", r"is none: "),
    ],
    ids=["empty", "text", "cut header", "header alone", "no samples", "list of files", "playlist"],
)
def test_what_is_no_sound_is_refused_by_name(tmp_path, content, message):
    write_wav(tmp_path / "tone.wav", TONE, RATE)
    path = tmp_path / "question.wav"
    path.write_bytes(content)
    with pytest.raises(AudioFileError, match=rf"^Expected .* question.wav|question.wav {message}") as caught:
        read_wav(path)
    assert "question.wav" in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AudioFileError, match=r"missing\.wav cannot be read: No such file"):
        read_wav(tmp_path / "missing.wav")


def test_a_directory_is_no_file(tmp_path):
    with pytest.raises(AudioFileError, match="cannot be read: Is a directory"):
        read_wav(tmp_path)


def test_a_recording_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(wav, "MAX_SECONDS", 0.5)
    with pytest.raises(AudioFileError, match=r"at most 0\.5 seconds"):
        read_wav(riff())


def test_what_is_written_is_a_plain_wav(tmp_path):
    write_wav(tmp_path / "answer.wav", TONE, 24_000)
    with wave.open(str(tmp_path / "answer.wav")) as file:
        assert file.getparams()[:4] == (1, 2, 24_000, RATE)
    samples, rate = read_wav(tmp_path / "answer.wav")
    assert rate == 24_000
    assert np.abs(samples - TONE).max() <= 0.5 / 32768


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(AudioFileError, match=r"Cannot write .*answer\.wav: No such file"):
        write_wav(tmp_path / "nowhere" / "answer.wav", TONE, RATE)
