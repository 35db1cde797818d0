"""Speech on its way to the endpoint: audio of any rate goes in, frames in the session's format come out. Pure."""

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from vivavoce.audio import formats
from vivavoce.audio.pcm import Pcm, mix_down, to_pcm16
from vivavoce.errors import AudioError
from vivavoce.protocol.client_events import (
    ClientEvent,
    InputAudioBufferAppend,
    InputAudioBufferClear,
    InputAudioBufferCommit,
)
from vivavoce.protocol.codec import UnknownEvent
from vivavoce.protocol.server_events import ServerEvent, SessionCreated, SessionUpdated

__all__ = ["FRAME_SECONDS", "MIN_COMMIT_SECONDS", "Audio", "InputAudio", "Pace"]

FRAME_SECONDS = 0.04
"""Audio in one ``input_audio_buffer.append``."""

MIN_COMMIT_SECONDS = 0.1
"""Less than this cannot be committed: the endpoint would refuse it as empty."""

MOST_CHANNELS = 32
"""More are taken for samples and channels in the wrong order."""

Audio = bytes | bytearray | memoryview | npt.NDArray[np.floating[Any]] | npt.NDArray[np.int16]
"""PCM16 as little-endian bytes, channels interleaved, or an array of shape (n,) or (channels, n): int16, or floats in
[-1, 1]."""


class InputAudio:
    """The input side of a session: tell it the server's events, and the client's own that are sent.

    What it is given in turn is one stream: at the seams nothing clicks, because the resampler goes on. Up to 2 ms stay
    in it until `flush`.
    """

    def __init__(self) -> None:
        self._format = formats.PCM
        self._turns_are_ours = False
        self._rate = formats.RATE
        self._encoder = formats.encoder(self._format)
        self._said = 0

    def take(self, event: ServerEvent | UnknownEvent) -> None:
        """Take a server event."""
        if isinstance(event, SessionCreated | SessionUpdated):
            heard = event.session.audio.input
            self._turns_are_ours = heard.turn_detection is None
            if heard.format.type != self._format:  # what the resampler holds could not be sent any more
                self._format = heard.format.type
                self._open(self._rate)

    def sent(self, event: ClientEvent) -> None:
        """Take an event that is on its way to the endpoint."""
        match event:
            case InputAudioBufferAppend(audio=audio):
                size = len(audio) * 3 // 4 - audio[-2:].count("=")
                self._said += formats.samples(size, self._format)
            case InputAudioBufferCommit() | InputAudioBufferClear():
                self._said = 0

    @property
    def seconds(self) -> float:
        """What was said since the last turn that the client ended."""
        return self._said / formats.RATE

    @property
    def too_short(self) -> bool:
        """Whether a commit would be refused, where it is for the client to end turns."""
        return self._turns_are_ours and self._said < MIN_COMMIT_SECONDS * formats.RATE

    def frames(self, audio: Audio, rate: int, channels: int = 1) -> Iterator[InputAudioBufferAppend]:
        """Cut audio into frames of `FRAME_SECONDS`, the last one shorter, each made when it is asked for.

        ``channels`` are those of bytes. Raises `AudioError` for what is no audio.
        """
        given = _channels(audio, channels)
        size = max(1, round(rate * FRAME_SECONDS))
        if rate != self._rate:
            yield from self.flush()
            self._open(rate)
        for start in range(0, given.shape[-1], size):
            yield from _append(self._encoder.push(_mono(given[..., start : start + size])))

    def flush(self) -> Iterator[InputAudioBufferAppend]:
        """End the stream: give out what the resampler holds."""
        yield from _append(self._encoder.flush())

    def _open(self, rate: int) -> None:
        self._rate, self._encoder = rate, formats.encoder(self._format, rate)


class Pace:
    """The pace of speech: says how long to wait with each frame, so that a second of them takes a second.

    Frames are due at fixed times, so that small delays don't add up; who is late by more than `LATE_SECONDS` has
    paused, and a new stretch begins.
    """

    LATE_SECONDS = 0.5

    def __init__(self) -> None:
        self._due = float("-inf")

    def wait(self, now: float, seconds: float) -> float:
        """Return the seconds from ``now``, on any one clock, until a frame of this length has been spoken."""
        if now - self._due > self.LATE_SECONDS:
            self._due = now
        self._due += seconds
        return max(0.0, self._due - now)


def _append(data: bytes) -> Iterator[InputAudioBufferAppend]:
    if data:
        yield InputAudioBufferAppend(audio=base64.b64encode(data).decode("ascii"))


def _channels(audio: Audio, channels: int) -> npt.NDArray[Any]:
    if isinstance(audio, bytes | bytearray | memoryview):
        size = memoryview(audio).nbytes
        if channels < 1 or size % (2 * channels):
            raise AudioError(f"Expected PCM16 of {channels} channels, and got {size} bytes.")
        pcm = np.frombuffer(audio, "<i2")
        return pcm.reshape(-1, channels).T if channels > 1 else pcm
    if audio.dtype != np.int16 and not np.issubdtype(audio.dtype, np.floating):
        raise AudioError(f"Expected int16 or floats in [-1, 1], and got {audio.dtype}.")
    if audio.ndim not in (1, 2) or (audio.ndim == 2 and not 1 <= len(audio) <= MOST_CHANNELS):
        raise AudioError(f"Expected audio of shape (n,) or (channels, n), and got {audio.shape}.")
    return audio


def _mono(audio: npt.NDArray[Any]) -> Pcm:
    if audio.ndim == 1:
        return audio.astype(np.int16, copy=False) if audio.dtype == np.int16 else to_pcm16(audio)
    scale = np.float32(32768 if audio.dtype == np.int16 else 1)
    return to_pcm16(mix_down(audio.astype(np.float32) / scale))
