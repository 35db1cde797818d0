"""The folder of a recording, as it is written."""

import base64
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from vivavoce import __version__
from vivavoce.audio import formats
from vivavoce.audio.pcm import Samples, to_pcm16
from vivavoce.client.frames import Direction, redacted
from vivavoce.client.playing import Playing
from vivavoce.client.track import Track
from vivavoce.errors import AudioError, RecordingError

__all__ = ["EVENTS", "FORMAT", "SESSION", "SessionInfo", "Tape"]

FORMAT = 1
"""The version of what a folder holds."""

EVENTS, SESSION, USER, ASSISTANT = "events.jsonl", "session.json", "user.wav", "assistant.wav"

_SPEECH = {"input_audio_buffer.append": "audio", "response.output_audio.delta": "delta"}
"""Where events carry sound, which is no place for secrets."""


class SessionInfo(msgspec.Struct, kw_only=True):
    """What ``session.json`` tells."""

    format: int = FORMAT
    vivavoce: str = __version__
    python: str = msgspec.field(default_factory=platform.python_version)
    started: str = msgspec.field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))
    endpoint: str = ""
    """The endpoint's address, without user, password and query; empty for one in this process."""
    model: str | None = None
    """The model that was asked for."""
    seconds: float | None = None
    """How long it lasted; null while it is being written, and for ever if that was broken off."""
    events: int = 0
    lost: int = 0
    """Events and sounds that came faster than they could be written."""


class Tape:
    """Writes events and the sound of both sides into a folder; ``t`` is always in seconds since the beginning."""

    def __init__(self, folder: Path, info: SessionInfo) -> None:
        self.info = info
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._events = (folder / EVENTS).open("xb")  # never over another recording
            self._user = Track(folder / USER, formats.RATE)
            self._assistant = Track(folder / ASSISTANT, formats.RATE)
            self._describe()
        except FileExistsError as error:
            raise RecordingError(f"Expected a folder without a recording, and {folder} has one.") from error
        except OSError as error:
            raise RecordingError(f"Cannot record into {folder}: {error.strerror}.") from error
        self._hears = formats.PCM
        self._speaks = formats.PCM
        self._from_user = formats.decoder(formats.PCM)
        self._from_assistant = formats.decoder(formats.PCM)
        self._playing: Playing | None = None

    # What happened.

    def note(self, direction: Direction, t: float, data: bytes | str) -> None:
        """Take an event."""
        try:
            event = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeError):
            event = {"type": "unreadable", "data": str(data)}
        kind = event.get("type") if isinstance(event, dict) else None
        sound = event.get(_SPEECH[kind]) if kind in _SPEECH else None
        if sound is None:
            event = redacted(event)
        self._events.write(msgspec.json.encode({"dir": direction, "t": round(t, 4), "event": event}) + b"\n")
        self.info.events += 1
        match kind:
            case "input_audio_buffer.append" if isinstance(sound, str):
                self._user.put(_pcm(self._from_user, sound), t)
            case "response.output_audio.delta" if isinstance(sound, str) and self._playing is None:
                self._assistant.put(_pcm(self._from_assistant, sound), t)
            case "conversation.item.truncate" if self._playing is None:
                self._assistant.cut(t)
            case "session.created" | "session.updated":
                self._follow(event.get("session"))

    def await_sound(self) -> None:
        """From now on, take the assistant's sound not where it arrives, but where it is heard: there is a speaker."""
        self._playing = Playing()

    def play(self, samples: Samples) -> None:
        """Take sound that goes to a speaker; it is written as far as `hear` says that it was heard."""
        if self._playing is not None:
            self._playing.add(to_pcm16(samples))

    def hear(self, t: float, heard: int) -> None:
        """Take how many samples were heard by now since the speaker was cleared."""
        if self._playing is not None and (pcm := self._playing.take(heard)).size:
            self._assistant.put(pcm, t - len(pcm) / formats.RATE)

    def clear(self, t: float, heard: int) -> None:
        """Take that the speaker fell silent, with how much was heard until then."""
        self.hear(t, heard)
        self.await_sound()

    # The folder.

    def flush(self) -> None:
        """Let the folder be readable as far as it goes."""
        self._events.flush()
        self._user.flush()
        self._assistant.flush()

    def close(self, t: float) -> None:
        """End it; both sounds are as long then."""
        end = max(t, self._user.samples / formats.RATE, self._assistant.samples / formats.RATE)
        self._events.close()
        self._user.close(end)
        self._assistant.close(end)
        self.info.seconds = round(end, 3)
        self._describe()

    def _describe(self) -> None:
        text = msgspec.json.format(msgspec.json.encode(self.info), indent=2)
        (self._folder / SESSION).write_bytes(text + b"\n")

    def _follow(self, session: Any) -> None:
        """Take over the formats of the session."""
        hears, speaks = _format(session, "input"), _format(session, "output")
        try:
            if hears != self._hears:
                self._from_user, self._hears = formats.decoder(hears), hears
            if speaks != self._speaks:
                self._from_assistant, self._speaks = formats.decoder(speaks), speaks
        except AudioError:
            pass  # a format of the future: its events are kept, its sound is noise


def _format(session: Any, side: str) -> str:
    try:
        name = session["audio"][side]["format"]["type"]
    except (KeyError, TypeError):
        return formats.PCM
    return name if isinstance(name, str) else formats.PCM


def _pcm(decoder: formats.Decoder, sound: str) -> Any:
    try:
        return decoder.push(base64.b64decode(sound))
    except (ValueError, AudioError):
        return decoder.push(b"")
