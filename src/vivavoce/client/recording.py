"""Record a session into a folder, and read it again."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from yarl import URL

from vivavoce.audio.pcm import Samples
from vivavoce.client.endpoints import shown
from vivavoce.client.frames import Direction, Frame
from vivavoce.client.line import Connect
from vivavoce.client.remote_player import RemotePlayer
from vivavoce.client.speaking import Loudspeaker
from vivavoce.client.tap import tapped
from vivavoce.client.tape import EVENTS, FORMAT, SESSION, SessionInfo, Tape
from vivavoce.errors import RecordingError

__all__ = ["Recorder", "Recording"]

QUEUE_LIMIT = 4096
"""What may wait for the disk: at 50 events a second, more than a minute."""

TICK_SECONDS = 0.05
"""How finely it is told when the answers were heard."""

FLUSH_SECONDS = 1.0
"""What a crash of this process may take with it."""

Clock = Callable[[], float]


class Recorder:
    """Writes all events of a session, and what both sides said, into a folder; ``with`` ends it properly.

    ::

        with Recorder("monday") as recorder:
            async with RealtimeClient(url, recorder=recorder) as client:
                ...

    The folder gets ``events.jsonl`` (who, when, what; `vivavoce.testing.Cassette` reads it), ``user.wav`` and
    ``assistant.wav`` on one timeline, and ``session.json``. No key gets into it. The user's voice stands where it was
    sent; the assistant's where it was heard, or, where nobody plays it here, where it arrived.

    A thread writes, so the session never waits for the disk; where that is too slow for too long, events are left out,
    and ``session.json`` counts them. Raises `RecordingError` where the folder cannot be written, or has a recording.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        endpoint: str = "",
        model: str | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self.folder = Path(folder)
        self._tape = Tape(self.folder, SessionInfo(endpoint=endpoint and shown(URL(endpoint)), model=model))
        self._clock = clock
        self._began = clock()
        self._jobs: queue.Queue[Callable[[], None] | None] = queue.Queue(QUEUE_LIMIT)
        self._ear: _Ear | None = None
        self._failure: Exception | None = None
        self._lost = 0
        self._closed = False
        self._thread = threading.Thread(target=self._write, name="recorder", daemon=True)
        self._thread.start()

    def connect(self, connect: Connect) -> Connect:
        """Return what connects as ``connect`` does, and is recorded."""
        return tapped(connect, self._note)

    def speaker(self, speaker: Loudspeaker) -> Loudspeaker:
        """Return what plays as ``speaker`` does, and is recorded. Its ``heard`` is read by another thread.

        What a player elsewhere says of what was heard comes too late: what it plays stands where it arrived.
        """
        if isinstance(speaker, RemotePlayer):
            return speaker
        self._put(self._tape.await_sound)
        self._ear = _Ear(speaker, self._tape, put=self._put, now=self._now)
        return self._ear

    def close(self) -> None:
        """Write what is still waiting, and end the recording. Closing twice does nothing more.

        Raises `RecordingError` if not all of it could be written.
        """
        if self._closed:
            return
        self._closed = True
        end = self._now()
        self._jobs.put(None)
        self._thread.join()
        self._tape.info.lost = self._lost
        try:
            self._tape.close(end)
        except OSError as error:
            self._failure = self._failure or error
        if self._failure is not None:
            raise RecordingError(
                f"The recording in {self.folder} is broken off: {self._failure}."
            ) from self._failure

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _now(self) -> float:
        return self._clock() - self._began

    def _note(self, direction: Direction, data: bytes | str) -> None:
        t = self._now()
        self._put(lambda: self._tape.note(direction, t, data))

    def _put(self, job: Callable[[], None]) -> None:
        if self._closed:
            return
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            self._lost += 1

    def _write(self) -> None:
        ticked = flushed = self._now()
        going = True
        while going:
            try:
                job = self._jobs.get(timeout=TICK_SECONDS)
                going = job is not None
            except queue.Empty:
                job = None
            now = self._now()
            tick, flush = now - ticked >= TICK_SECONDS or not going, now - flushed >= FLUSH_SECONDS
            ticked, flushed = now if tick else ticked, now if flush else flushed
            if self._failure is None:
                try:
                    self._perform(job, now, tick=tick, flush=flush)
                except Exception as error:  # noqa: BLE001 - told by `close`; the session goes on
                    self._failure = error

    def _perform(self, job: Callable[[], None] | None, now: float, *, tick: bool, flush: bool) -> None:
        if job is not None:
            job()
        if tick and self._ear is not None:
            self._ear.listen(now)
        if flush:
            self._tape.flush()


class _Ear:
    """A speaker, and somebody who listens beside it: ``listen`` is called by the thread that writes."""

    def __init__(
        self, speaker: Loudspeaker, tape: Tape, *, put: Callable[[Callable[[], None]], None], now: Clock
    ) -> None:
        self._speaker = speaker
        self._tape = tape
        self._put = put
        self._now = now
        self._cleared = 0
        self._known = 0
        """How often it had been cleared, as far as the tape knows."""

    @property
    def heard(self) -> int:
        return self._speaker.heard

    def play(self, samples: Samples) -> None:
        self._put(lambda: self._tape.play(samples))
        self._speaker.play(samples)

    def clear(self) -> None:
        t, heard = self._now(), self._speaker.heard
        self._cleared = number = self._cleared + 1
        self._put(lambda: self._fall_silent(number, t, heard))
        self._speaker.clear()

    def listen(self, t: float) -> None:
        number, heard = self._cleared, self._speaker.heard
        if number == self._cleared == self._known:  # else the count may be of another beginning
            self._tape.hear(t, heard)

    def _fall_silent(self, number: int, t: float, heard: int) -> None:
        self._tape.clear(t, heard)
        self._known = number


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording in a folder."""

    folder: Path
    info: SessionInfo

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Open a recording, one that was broken off too. Raises `RecordingError` where there is none."""
        folder = Path(folder)
        try:
            info = msgspec.json.decode((folder / SESSION).read_bytes(), type=SessionInfo)
        except OSError as error:
            raise RecordingError(
                f"Expected the folder of a recording, and {folder} has no {SESSION}: {error.strerror}."
            ) from error
        except msgspec.DecodeError as error:
            raise RecordingError(f"{folder / SESSION} cannot be read: {error}.") from error
        if info.format != FORMAT:
            raise RecordingError(f"Expected a recording of format {FORMAT}, and {folder} has {info.format}.")
        if not (folder / EVENTS).is_file():
            raise RecordingError(f"Expected the folder of a recording, and {folder} has no {EVENTS}.")
        return cls(folder, info)

    @property
    def events(self) -> Path:
        """The file of the events, which is a cassette too."""
        return self.folder / EVENTS

    def frames(self) -> Iterator[Frame]:
        """Yield the events; a last one that is not whole is left out. Raises `RecordingError`."""
        with self.events.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    yield msgspec.json.decode(line, type=Frame)
                except msgspec.DecodeError as error:
                    if not line.endswith(b"\n"):
                        return
                    raise RecordingError(
                        f"{self.events}, line {number}: expected an event: {error}."
                    ) from error
