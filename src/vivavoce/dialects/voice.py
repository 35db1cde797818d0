"""The voice API: a handful of messages for applications that want to talk, and no more.

One message says what takes several events: text is an item and a request for an answer to it, and a new one takes the
place of the old. So `Voice` keeps track of the answer that is on its way, and is the one dialect that sends events of
its own accord. Everything it sends is named, so that its errors are known again.
"""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from vivavoce.dialects.beta_session import FORMAT_NAMES, FORMATS, error_to_beta, found
from vivavoce.dialects.voice_messages import (
    AudioInput,
    Cancel,
    Changes,
    Commit,
    ItemInput,
    Message,
    Ping,
    SessionChange,
    TextInput,
    Truncate,
    decode_message,
)
from vivavoce.errors import ProtocolError
from vivavoce.protocol import errors
from vivavoce.protocol.codec import Frame
from vivavoce.protocol.session import MAX_OUTPUT_TOKENS
from vivavoce.protocol.session_params import RealtimeSessionParams

__all__ = ["DEFAULTS", "TRANSCRIBER", "Ask", "Said", "Tell", "Voice", "defaults"]

Json = dict[str, Any]

TRANSCRIBER: Final = "gpt-4o-mini-transcribe"
"""What writes down the user's words, where the endpoint has a choice."""

DEFAULTS: Final = Changes(
    voice="alloy",
    language="en",
    temperature=0.8,
    max_response_output_tokens=MAX_OUTPUT_TOKENS,
    input_audio_format="pcm16",
    output_audio_format="pcm16",
    turn_detection="server_vad",
    audio_frames="base64",
)
"""What a session begins with."""

MOST_CALLS = 64
"""Calls of functions that are remembered until they are answered."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Send this event to the endpoint."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class Tell:
    """Send this message to the client."""

    data: bytes
    binary: bool = False


Said = Ask | Tell


def defaults() -> RealtimeSessionParams:
    """Return what the endpoint is asked to begin a session with."""
    return msgspec.convert(_session(DEFAULTS), RealtimeSessionParams)


class Voice:
    """One connection of a client of the voice API; ``clock`` gives the seconds since 1970."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._config = DEFAULTS
        self._count = 0
        self._updates = 0
        """Of our changes to the session, those that are not answered yet."""
        self._requested = False
        """Whether a response was asked for that has not begun."""
        self._active = False
        self._cancelling = False
        self._wanted = False
        """Whether another response is to follow on the one that is on its way."""
        self._committing = False
        self._speaking: str | None = None
        """The item that the user may be hearing."""
        self._calls: dict[str, str] = {}

    def hear(self, data: bytes, *, binary: bool) -> list[Said]:
        """Read a message; raises `ProtocolError` for what is none."""
        if binary:
            return [self._audio(data)]
        return list(self._act(decode_message(data)))

    def say(self, frame: Frame) -> list[Said]:
        """Write a server's event, and do what it lets us do."""
        event = _Event(frame)
        match frame.type:
            case "response.output_audio.delta":
                return [self._spoken(event)]
            case "response.output_audio_transcript.delta" | "response.output_text.delta":
                return [self._tell("response.delta", "response", delta={"content": event.text("delta")})]
            case "session.updated" if self._updates:
                self._updates -= 1
                return [self._session_told(event.part("session"))]
            case "input_audio_buffer.speech_started":
                return list(self._interrupted())
            case "input_audio_buffer.committed" if self._committing:
                self._committing = False
                return list(self._want_response())
            case "conversation.item.input_audio_transcription.completed":
                item = {"id": event.text("item_id"), "transcript": event.text("transcript")}
                return [self._tell("conversation.item.transcript", "item", **item)]
            case "response.created" | "response.done":
                return list(self._response(frame.type, event.part("response")))
            case "conversation.item.added" | "response.output_item.done":
                return list(self._tool(event.part("item")))
            case "error":
                return list(self._error(event.part("error")))
        return []

    def _act(self, message: Message) -> Iterator[Said]:
        match message:
            case SessionChange(session_update=changes):
                yield self._change(changes)
            case ItemInput(conversation_item_input=AudioInput(audio=audio)):
                yield Ask(Frame(msgspec.json.encode({"type": "input_audio_buffer.append", "audio": audio})))
            case ItemInput(conversation_item_input=TextInput(text=text)):
                content = [{"type": "input_text", "text": text}]
                item = {"type": "message", "role": "user", "content": content}
                yield self._ask("conversation.item.create", item=item)
                yield from self._want_response()
            case Commit():
                self._committing = True
                yield self._ask("input_audio_buffer.commit")
            case Cancel():
                self._wanted = False
                yield self._ask("response.cancel")
                yield from self._interrupted()
            case Truncate(item_id=item_id, audio_end_ms=end):
                yield self._ask(
                    "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=end
                )
            case Ping(ping=ping):
                sent = ping.timestamp if isinstance(ping, msgspec.Struct) else None
                yield _message({"type": "pong", "timestamp": self._clock() if sent is None else sent})

    def _change(self, changes: Changes) -> Ask:
        given = {name: value for name, value in msgspec.structs.asdict(changes).items() if value is not None}
        self._config = msgspec.structs.replace(self._config, **given)
        self._updates += 1
        return self._ask("session.update", session=_session(changes))

    def _audio(self, data: bytes) -> Ask:
        if self._config.audio_frames != "binary":
            raise ProtocolError(
                "Expected a text message, or `audio_frames` to be `binary` in a `session.update` before.",
                code=errors.INVALID_EVENT,
            )
        audio = base64.b64encode(data).decode()
        return Ask(Frame(msgspec.json.encode({"type": "input_audio_buffer.append", "audio": audio})))

    def _want_response(self) -> Iterator[Said]:
        """Ask for a response; one that is on its way makes place for it, since it does not know the newest words."""
        if not (self._active or self._requested):
            self._requested = True
            yield self._ask("response.create")
            return
        self._wanted = True
        if self._active and not self._cancelling:
            self._cancelling = True
            yield self._ask("response.cancel")
            yield from self._interrupted()

    def _response(self, kind: str, response: Json) -> Iterator[Said]:
        if response.get("conversation_id", "") is None:
            return  # out of band: somebody else's
        if kind == "response.created":
            self._active, self._requested = True, False
            if self._wanted:
                yield from self._want_response()
            return
        self._active = self._cancelling = False
        yield from self._ended(response)
        if self._wanted:
            self._wanted = False
            yield from self._want_response()

    def _ended(self, response: Json) -> Iterator[Said]:
        failure = _at(response, "status_details", "error")
        if response.get("status") == "failed" and isinstance(failure, dict):
            yield _error(failure)
        counted = {name: _at(response, "usage", name) or 0 for name in ("input_tokens", "output_tokens")}
        yield self._tell("response.done", "response", usage=counted, status=response.get("status"))

    def _spoken(self, event: "_Event") -> Tell:
        self._speaking, audio = event.text("item_id"), event.text("delta")
        if self._config.audio_frames == "binary":
            try:
                return Tell(base64.b64decode(audio), binary=True)
            except ValueError as error:
                raise errors.invalid_audio("delta", str(error)) from error
        return self._tell("response.audio", "response", audio=audio, item_id=self._speaking)

    def _interrupted(self) -> Iterator[Said]:
        """Tell the client to fall silent, if it may be speaking."""
        if self._speaking is not None:
            item, self._speaking = self._speaking, None
            yield self._tell("response.interrupted", "response", item_id=item)

    def _tool(self, item: Json) -> Iterator[Said]:
        call_id = str(item.get("call_id"))
        match item.get("type"):
            case "function_call" if item.get("status") != "in_progress":
                if len(self._calls) < MOST_CALLS:
                    self._calls[call_id] = str(item.get("name"))
                status, name = "called", item.get("name")
            case "function_call_output":
                status, name = "answered", self._calls.pop(call_id, None)
            case _:
                return
        yield self._tell(
            "response.tool", "response", tool={"name": name, "call_id": call_id, "status": status}
        )

    def _session_told(self, session: Json) -> Tell:
        config = self._config
        told = {
            "id": session.get("id"),
            "model": session.get("model"),
            "voice": _at(session, "audio", "output", "voice"),
            "language": config.language,
            "temperature": config.temperature,
            "max_response_output_tokens": session.get("max_output_tokens"),
            "input_audio_format": _format(session, "input"),
            "output_audio_format": _format(session, "output"),
            "turn_detection": _detection(session),
            "audio_frames": config.audio_frames,
        }
        return _message({"type": "session.update", "session": told})

    def _error(self, error: Json) -> Iterator[Said]:
        """Tell an error, unless it is about something that we did of our own accord, and know what to do about."""
        code = error.get("code")
        match str(error.get("event_id")).removeprefix(_PREFIX).rpartition("_")[0]:
            case "response.create":
                self._requested = False
                if code == errors.CONVERSATION_ALREADY_HAS_ACTIVE_RESPONSE:
                    # The user's own speech was faster: its answer ends, and then comes ours.
                    self._wanted = True
                    return
            case "response.cancel" if code == errors.RESPONSE_CANCEL_NOT_ACTIVE:
                return  # it ended by itself in the meantime
            case "session.update":
                self._updates = max(0, self._updates - 1)
            case "input_audio_buffer.commit":
                self._committing = False
        yield _error(error)

    def _ask(self, kind: str, **fields: Any) -> Ask:
        self._count += 1
        event_id = f"{_PREFIX}{kind}_{self._count}"
        return Ask(Frame(msgspec.json.encode({"type": kind, "event_id": event_id, **fields})))

    def _tell(self, kind: str, where: str, **fields: Any) -> Tell:
        return _message({"type": kind, where: {**fields, "timestamp": self._clock()}})


_PREFIX = "voice_"
"""What the names of our events begin with."""


class _Event:
    """A server's event, of which any field may be missing or be another thing."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._fields: Json | None = None

    def _get(self, name: str) -> Any:
        if self._fields is None:
            self._fields = self._frame.fields()
        return self._fields.get(name)

    def text(self, name: str) -> str:
        value = self._get(name)
        return value if isinstance(value, str) else ""

    def part(self, name: str) -> Json:
        value = self._get(name)
        return value if isinstance(value, dict) else {}


def _session(changes: Changes) -> Json:
    """Return what is asked of the endpoint's session."""
    listens: Json = {}
    speaks: Json = {}
    session: Json = {"type": "realtime", "audio": {"input": listens, "output": speaks}}
    if changes.instructions is not None:
        session["instructions"] = changes.instructions
    if changes.max_response_output_tokens is not None:
        session["max_output_tokens"] = changes.max_response_output_tokens
    if changes.language is not None:
        listens["transcription"] = {"model": TRANSCRIBER, "language": changes.language}
    if changes.turn_detection is not None:
        off = changes.turn_detection == "none"
        listens["turn_detection"] = None if off else {"type": changes.turn_detection}
    if changes.voice is not None:
        speaks["voice"] = changes.voice
    for side, name in ((listens, changes.input_audio_format), (speaks, changes.output_audio_format)):
        if name is not None:
            side["format"] = FORMATS[name]
    return session


def _at(tree: Json, *place: str) -> Any:
    value = found(tree, place)
    return None if value is msgspec.UNSET else value


def _format(session: Json, side: str) -> str | None:
    return FORMAT_NAMES.get(str(_at(session, "audio", side, "format", "type")))


def _detection(session: Json) -> str:
    return str(_at(session, "audio", "input", "turn_detection", "type") or "none")


def _message(fields: Json) -> Tell:
    return Tell(msgspec.json.encode(fields))


def _error(error: Json) -> Tell:
    told = error_to_beta(error)
    code = told.get("code") or told.get("type") or "internal_error"
    return _message({"type": "error", "error": {"code": code, "message": told.get("message") or ""}})
