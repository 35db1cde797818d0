"""A PortAudio whose thread is the test."""

from types import SimpleNamespace

import numpy as np


class PortAudioError(Exception):
    """What sounddevice raises."""


class FakeStream:
    """One open stream; `run` is a call of PortAudio's thread."""

    def __init__(self, sounddevice, **options):
        self.sounddevice = sounddevice
        self.options = options
        self.state = "stopped"
        self.latency = 0.0

    def start(self):
        if self.sounddevice.busy:
            raise PortAudioError("Device unavailable")
        self.state = "running"

    def close(self):
        self.state = "closed"

    @property
    def time(self):
        return self.sounddevice.now

    def hear(self, samples):
        """Bring samples of the device's rate, in blocks, in a buffer that is used again as PortAudio's is."""
        block = self.options["blocksize"]
        buffer = np.empty((block, 1), np.float32)
        for start in range(0, len(samples) - block + 1, block):
            buffer[:, 0] = samples[start : start + block]
            self.options["callback"](buffer, block, None, None)
            buffer[:] = np.nan

    def play(self, blocks):
        """Take so many blocks, let their time pass, and return them."""
        block = self.options["blocksize"]
        parts = []
        for _ in range(blocks):
            out = np.full((block, 1), np.nan, np.float32)
            due = SimpleNamespace(outputBufferDacTime=self.sounddevice.now + self.latency)
            self.options["callback"](out, block, due, None)
            self.sounddevice.now += block / self.options["samplerate"]
            parts.append(out[:, 0])
        return np.concatenate(parts)


class FakeSoundDevice:
    """The module ``sounddevice``, with devices of this rate, or none."""

    PortAudioError = PortAudioError

    def __init__(self, rate=48_000, *, missing=(), busy=False):
        self.rate = rate
        self.missing = missing
        self.busy = busy
        self.now = 100.0
        self.input = None
        self.output = None

    def query_devices(self, device, kind):
        if kind in self.missing:
            raise PortAudioError("Error querying device -1")
        if isinstance(device, str):
            raise ValueError(f"No {kind} device matching {device!r}")  # noqa: TRY004 - as sounddevice does
        return {"default_samplerate": float(self.rate)}

    def InputStream(self, **options):  # noqa: N802 - sounddevice's name
        self.input = FakeStream(self, **options)
        return self.input

    def OutputStream(self, **options):  # noqa: N802 - sounddevice's name
        self.output = FakeStream(self, **options)
        return self.output
