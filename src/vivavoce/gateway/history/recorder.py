"""Recording sessions: their audio is taken as it comes by, and decoded and written in a thread."""

import asyncio
import base64
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from vivavoce.audio.formats import PCM, Decoder, decoder, samples
from vivavoce.audio.pcm import Pcm
from vivavoce.gateway.history.stereo import Side, StereoFile

__all__ = ["MAX_BYTES", "Recorder", "SessionRecording"]

_log = logging.getLogger(__name__)

WRITE_SECONDS = 0.5
"""From one time that audio is written to the next."""

MAX_BYTES = 64 << 20
"""Events that may wait for a slow disk, of all sessions together; 13 minutes of one side of one of them."""

_EVENT_BYTES = 200
"""What an event takes in memory beside its content."""


class _Audio(msgspec.Struct):
    audio: str = ""
    delta: str = ""


@dataclass(frozen=True, slots=True)
class _Piece:
    side: Side
    position: int
    event: bytes
    format: str


@dataclass(frozen=True, slots=True)
class _Cut:
    position: int


class SessionRecording:
    """One session's: the `Recording` that its stage knows."""

    def __init__(self, recorder: "Recorder", session_id: str) -> None:
        self.session_id = session_id
        self.name = f"{session_id}.wav"
        self.waiting: list[_Piece | _Cut] = []
        self.closed = False
        self.failed = False
        self.tape: _Tape | None = None
        """Only touched by the thread that writes."""
        self._recorder = recorder

    def user(self, position: int, event: bytes, audio_format: str) -> None:
        """Take an ``input_audio_buffer.append``."""
        self._recorder.take(self, _Piece(Side.USER, position, event, audio_format))

    def assistant(self, position: int, event: bytes, audio_format: str) -> None:
        """Take a ``response.output_audio.delta``."""
        self._recorder.take(self, _Piece(Side.ASSISTANT, position, event, audio_format))

    def cut(self, position: int) -> None:
        """Take note that nothing was heard of the assistant from here on."""
        self._recorder.take(self, _Cut(position))

    def close(self) -> None:
        """Take note that there is no more."""
        self.closed = True


class Recorder:
    """All recordings of one gateway, in one folder.

    When the disk is full, fails, or is too slow for what may wait, a recording ends there, its session goes on, and
    ``broken`` is told of it.
    """

    def __init__(
        self,
        folder: Path,
        broken: Callable[[str], None],
        *,
        max_bytes: int = MAX_BYTES,
        opener: Callable[[str, int], int] | None = None,
    ) -> None:
        self.folder = folder
        self._broken = broken
        self._max_bytes = max_bytes
        self._opener = opener or _for_nobody_else
        self._bytes = 0
        self._open: dict[str, SessionRecording] = {}
        self._task: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()

    def record(self, session_id: str) -> SessionRecording:
        """Begin a recording; its file is made when there is something to hear."""
        recording = self._open[session_id] = SessionRecording(self, session_id)
        return recording

    def path(self, name: str) -> Path:
        """Return where a recording is, or was."""
        return self.folder / Path(name).name

    def take(self, recording: SessionRecording, piece: _Piece | _Cut) -> None:
        """Keep a piece until it is written; it never waits and never fails."""
        if recording.failed:
            return
        size = _size(piece)
        if self._bytes + size > self._max_bytes:
            self._fail(recording, "the disk is too slow")
            return
        self._bytes += size
        recording.waiting.append(piece)

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Write what waits, and finish all files."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for recording in self._open.values():
            recording.close()
        await self.write()

    async def write(self) -> None:
        """Write what waits now."""
        async with self._writing:
            for recording in list(self._open.values()):
                closed = recording.closed
                pieces, recording.waiting = recording.waiting, []
                self._bytes -= sum(map(_size, pieces))
                try:
                    await asyncio.to_thread(self._apply, recording, pieces, last=closed or recording.failed)
                except OSError as error:
                    self._fail(recording, error.strerror or str(error))
                if closed or recording.failed:
                    self._open.pop(recording.session_id, None)

    def forget(self, name: str) -> None:
        """Delete a recording, if there is one. Raises `OSError` when it is there and cannot be deleted."""
        self.path(name).unlink(missing_ok=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(WRITE_SECONDS)
            await self.write()

    def _apply(self, recording: SessionRecording, pieces: list[_Piece | _Cut], *, last: bool) -> None:
        """Write pieces, in a thread; nobody else touches the tape."""
        if recording.tape is None and pieces:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            recording.tape = _Tape(StereoFile(self.path(recording.name), self._opener))
        if (tape := recording.tape) is not None:
            try:
                tape.apply(pieces)
            except OSError:
                with suppress(OSError):
                    tape.close()
                raise
            if last:
                tape.close()

    def _fail(self, recording: SessionRecording, why: str) -> None:
        if recording.failed:
            return
        _log.error("a recording ends before its session does: %s", why)
        recording.failed = True
        self._bytes -= sum(map(_size, recording.waiting))
        recording.waiting = []
        self._broken(recording.session_id)


class _Tape:
    """A file, and both streams that are decoded into it."""

    def __init__(self, file: StereoFile) -> None:
        self._file = file
        self._sides = {side: _Stream(file, side) for side in Side}

    def apply(self, pieces: list[_Piece | _Cut]) -> None:
        for piece in pieces:
            if isinstance(piece, _Cut):
                self._sides[Side.ASSISTANT].flush()
                self._file.silence(Side.ASSISTANT, piece.position)
            else:
                self._sides[piece.side].push(piece.position, _audio(piece.event), piece.format)
        self._file.save()

    def close(self) -> None:
        try:
            for stream in self._sides.values():
                stream.flush()
        finally:
            self._file.close()


class _Stream:
    """One side: chunks that follow each other are decoded as one stream."""

    def __init__(self, file: StereoFile, side: Side) -> None:
        self._file = file
        self._side = side
        self._decoder: Decoder = decoder(PCM)
        self._format = PCM
        self._written = 0
        self._end = 0

    def push(self, position: int, data: bytes, audio_format: str) -> None:
        if position != self._end or audio_format != self._format:
            self.flush()
            self._decoder, self._format = decoder(audio_format), audio_format
            self._written = self._end = position
        whole = data[: len(data) - len(data) % 2] if audio_format == PCM else data
        self._put(self._decoder.push(whole))
        self._end += samples(len(data), audio_format)

    def flush(self) -> None:
        self._put(self._decoder.flush())

    def _put(self, pcm: Pcm) -> None:
        self._file.write(self._side, self._written, pcm)
        self._written += len(pcm)


def _audio(event: bytes) -> bytes:
    """Return the audio of an event; what is none is silence, and no reason to lose the rest."""
    try:
        fields = msgspec.json.decode(event, type=_Audio)
        return base64.b64decode(fields.audio or fields.delta)
    except (ValueError, msgspec.DecodeError):
        return b""


def _size(piece: _Piece | _Cut) -> int:
    return _EVENT_BYTES + (len(piece.event) if isinstance(piece, _Piece) else 0)


def _for_nobody_else(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
