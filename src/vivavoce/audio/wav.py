"""Sound files: any that FFmpeg's audio demuxers read, and WAV to write."""

import io
import wave
from pathlib import Path

import av
import numpy as np

from vivavoce.audio.pcm import Samples, encode_pcm16, mix_down, to_pcm16
from vivavoce.errors import AudioFileError

__all__ = ["MAX_SECONDS", "read_wav", "write_wav"]

MAX_SECONDS = 3600
"""The longest recording that is read: as long as the longest session."""

_FORMATS = "wav,w64,aiff,au,caf,flac,mp3,ogg,mov,matroska,aac,amr"
"""FFmpeg's demuxers that may look at a file: those that play lists, and so open other files, are not among them."""

_EXPECTED = "Expected a sound file such as WAV, FLAC or MP3"


def read_wav(source: str | Path | bytes) -> tuple[Samples, int]:
    """Read a sound file, given by its path or its bytes, as mono samples and their rate.

    Any rate, number of channels (they are averaged) and sample format; a header whose sizes are those of a stream
    or of a longer file does no harm. Raises `AudioFileError` when there is no such file, when it holds no sound,
    or more than `MAX_SECONDS` of it.
    """
    name = "these bytes" if isinstance(source, bytes) else str(source)
    data = source if isinstance(source, bytes) else _read(Path(source))
    if not data:
        raise AudioFileError(f"{_EXPECTED}, and {name} is empty.")
    try:
        with av.open(io.BytesIO(data), "r", options={"format_whitelist": _FORMATS}) as container:
            samples, rate = _decode(container, name)
    except av.FFmpegError as error:
        raise AudioFileError(f"{_EXPECTED}, and {name} is none: {error.strerror}.") from error
    if not samples.size:
        raise AudioFileError(f"{_EXPECTED}, and {name} has a header but no sound.")
    return samples, rate


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AudioFileError(f"{_EXPECTED}, and {path} cannot be read: {error.strerror}.") from error


def _decode(container: av.container.InputContainer, name: str) -> tuple[Samples, int]:
    if not container.streams.audio:
        raise AudioFileError(f"{_EXPECTED}, and {name} has no sound in it.")
    stream = container.streams.audio[0]
    rate = stream.codec_context.sample_rate
    planar = av.AudioResampler(format="fltp")  # whatever the width, the same floats; mixing is ours
    parts: list[Samples] = []
    total = 0
    for frame in container.decode(stream):
        for part in planar.resample(frame):
            parts.append(mix_down(part.to_ndarray().astype(np.float32, copy=False)))
            total += part.samples
        if total > MAX_SECONDS * rate:
            raise AudioFileError(f"Expected at most {MAX_SECONDS} seconds of sound, and {name} has more.")
    samples = np.concatenate(parts) if parts else np.empty(0, np.float32)
    return np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0), rate


def write_wav(path: str | Path, samples: Samples, rate: int) -> None:
    """Write samples as a mono 16-bit WAV file.

    Raises `AudioFileError` when the file cannot be written.
    """
    try:
        with Path(path).open("wb") as file, wave.open(file, "wb") as writer:
            writer.setnchannels(1)
            writer.setsampwidth(2)
            writer.setframerate(rate)
            writer.writeframes(encode_pcm16(to_pcm16(samples)))
    except OSError as error:
        raise AudioFileError(f"Cannot write {path}: {error.strerror}.") from error
