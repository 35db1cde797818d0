"""The microphone and the speakers of this machine, by PortAudio.

PortAudio calls from a thread of its own, which must never wait: what the microphone hears is handed to the event
loop at once, and what the speakers play is taken from a buffer under a lock that is held for microseconds.
"""

import asyncio
import importlib
import threading
from collections import deque
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from vivavoce.audio.jitter import JitterBuffer
from vivavoce.audio.pcm import Samples
from vivavoce.audio.resample import Resampler
from vivavoce.errors import AudioDeviceError

__all__ = ["FRAME_SECONDS", "Microphone", "Speaker", "load_sounddevice"]

FRAME_SECONDS = 0.04
"""What `Microphone` yields at a time."""

BLOCK_SECONDS = 0.02
"""What PortAudio brings or takes at a time."""

QUEUE_FRAMES = 50
"""Frames that wait for a slow listener, 2 s; after that the oldest are lost."""


def load_sounddevice() -> Any:
    """Import the package that speaks to PortAudio.

    Raises `AudioDeviceError` that says what to install.
    """
    try:
        return importlib.import_module("sounddevice")
    except ModuleNotFoundError as error:
        raise AudioDeviceError(
            "The package that reaches sound devices is missing: pip install 'vivavoce[devices]'."
        ) from error
    except OSError as error:
        raise AudioDeviceError(
            "The PortAudio library is missing: on Debian and Ubuntu, apt-get install libportaudio2."
        ) from error


class _Device:
    """What microphone and speaker have in common: a stream of PortAudio, mono, at the device's own rate."""

    def __init__(self, kind: str, stream: str, rate: int, device: int | str | None, sounddevice: Any) -> None:
        self.rate = rate
        self._kind = kind
        self._sounddevice = sounddevice or load_sounddevice()
        try:
            facts = self._sounddevice.query_devices(device, kind)
            self.device_rate = round(facts["default_samplerate"])
            self._stream = getattr(self._sounddevice, stream)(
                samplerate=self.device_rate,
                blocksize=round(self.device_rate * BLOCK_SECONDS),
                device=device,
                channels=1,
                dtype="float32",
                latency="low",
                callback=self._called,
            )
        except (self._sounddevice.PortAudioError, ValueError) as error:
            name = "microphone" if kind == "input" else "loudspeaker"
            wanted = f" like {device!r}" if device is not None else ""
            raise AudioDeviceError(f"There is no {name}{wanted} that can be used: {error}.") from error

    def _called(self, data: npt.NDArray[np.float32], frames: int, time: Any, status: Any) -> None:
        raise NotImplementedError

    def _begin(self) -> None:
        try:
            self._stream.start()
        except self._sounddevice.PortAudioError as error:
            raise AudioDeviceError(f"The {self._kind} device does not start: {error}.") from error

    def close(self) -> None:
        """Stop, and free the device. Closing twice does nothing more."""
        self._stream.close()


class Microphone(_Device):
    """Yields what is heard, in frames of `FRAME_SECONDS` at ``rate``, to ``async for``.

    ``async with`` opens and closes it. Raises `AudioDeviceError` when there is none.
    """

    def __init__(
        self, rate: int = 24_000, *, device: int | str | None = None, sounddevice: Any = None
    ) -> None:
        super().__init__("input", "InputStream", rate, device, sounddevice)
        self._resampler = Resampler(self.device_rate, rate)
        self._rest = np.empty(0, np.float32)
        self._frames: asyncio.Queue[Samples] = asyncio.Queue(QUEUE_FRAMES)
        self._blocks: deque[Samples] = deque(maxlen=round(QUEUE_FRAMES * FRAME_SECONDS / BLOCK_SECONDS))
        self._woken = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self.lost = 0
        """Frames that nobody took in time; what is lost while the event loop itself stands still is not counted."""

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Samples:
        return await self._frames.get()

    def _called(self, data: npt.NDArray[np.float32], frames: int, time: Any, status: Any) -> None:  # noqa: ARG002
        self._blocks.append(data[:, 0].copy())  # PortAudio reuses its memory
        if self._loop is not None and not self._loop.is_closed() and not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        """Take what the thread has brought; a busy event loop is woken once, however much there is."""
        self._woken = False
        for _ in range(len(self._blocks)):
            self._take(self._blocks.popleft())

    def _take(self, heard: Samples) -> None:
        self._rest = np.concatenate([self._rest, self._resampler.push(heard)])
        size = round(self.rate * FRAME_SECONDS)
        while len(self._rest) >= size:
            frame, self._rest = self._rest[:size], self._rest[size:]
            if self._frames.full():
                self._frames.get_nowait()
                self.lost += 1
            self._frames.put_nowait(frame)


class Speaker(_Device):
    """Plays what it is given at ``rate``, without gaps, and knows how much of it has been heard.

    ``async with`` opens and closes it. Raises `AudioDeviceError` when there is none.
    """

    def __init__(
        self, rate: int = 24_000, *, device: int | str | None = None, sounddevice: Any = None
    ) -> None:
        super().__init__("output", "OutputStream", rate, device, sounddevice)
        self._lock = threading.Lock()
        self._resampler = Resampler(rate, self.device_rate)
        self._buffer = JitterBuffer(self.device_rate)
        self._given = 0
        self._audible_until = (
            0.0  # on the stream's clock: when the last of what was taken leaves the converter
        )

    async def __aenter__(self) -> Self:
        self._begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def play(self, samples: Samples) -> None:
        """Play these samples after all that came before."""
        with self._lock:
            self._given += len(samples)
            self._buffer.push(self._resampler.push(samples))

    @property
    def heard(self) -> int:
        """Samples, at ``rate``, that have left the loudspeaker since the beginning, or since it was cleared."""
        with self._lock:
            under_way = max(0.0, self._audible_until - self._stream.time)
            if not self._buffer.buffered and not under_way:
                return self._given  # a last millisecond in the resampler does not count as unheard
            played = max(0.0, self._buffer.played - under_way * self.device_rate)
            return min(self._given, int(played * self.rate / self.device_rate))

    def clear(self) -> None:
        """Be silent at once: what waits is dropped, and the count of what is heard begins anew."""
        with self._lock:
            self._resampler.flush()
            self._buffer.clear()
            self._given = 0

    def _called(self, data: npt.NDArray[np.float32], frames: int, time: Any, status: Any) -> None:  # noqa: ARG002
        with self._lock:
            if self._buffer.pull(data[:, 0]):
                self._audible_until = time.outputBufferDacTime + frames / self.device_rate
