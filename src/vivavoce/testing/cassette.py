"""Sessions on tape: record the frames of a real one, replay them to a client without the endpoint."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import msgspec

from vivavoce.client.frames import REDACTED, Direction, Frame, redacted
from vivavoce.client.tap import Tap
from vivavoce.client.transport import Transport
from vivavoce.errors import ScriptError
from vivavoce.testing.endpoint import ScriptedEndpoint
from vivavoce.testing.matching import Ref
from vivavoce.testing.steps import Emit, Expect, Step

__all__ = ["REDACTED", "Cassette", "Frame", "RecordingTransport"]

APPEND = "input_audio_buffer.append"

_ID_FIELDS = frozenset({"id", "event_id", "item_id", "previous_item_id", "response_id", "call_id"})


@dataclass
class Cassette:
    """The frames of one session, in the order in which the client sent and received them.

    A file has one JSON object to a line, ``{"dir": "C", "event": {…}}``; the ``events.jsonl`` of a recording is one.
    """

    frames: list[Frame] = field(default_factory=list)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a file; raises `ScriptError` with the line, what was expected and what came."""
        path, frames = Path(path), []
        try:
            lines = path.read_bytes().splitlines()
        except OSError as error:
            raise ScriptError(
                f"{path}: expected a cassette, and cannot read it: {error.strerror}."
            ) from error
        for number, line in enumerate(lines, 1):
            try:
                frames.append(msgspec.json.decode(line, type=Frame))
            except msgspec.DecodeError as error:
                raise ScriptError(f"{path.name}, line {number}: expected a frame: {error}.") from error
        return cls(frames)

    def save(self, path: Path | str) -> None:
        """Write a file."""
        Path(path).write_bytes(b"".join(msgspec.json.encode(frame) + b"\n" for frame in self.frames))

    def record(self, transport: Transport) -> "RecordingTransport":
        """Return a transport that is used in the place of another, and puts all that passes on the tape."""
        return RecordingTransport(transport, self)

    def add(self, direction: Direction, data: bytes | str) -> None:
        """Put an event on the tape, without the keys and passwords in it."""
        self.frames.append(Frame(direction, redacted(msgspec.json.decode(data))))

    def endpoint(self) -> ScriptedEndpoint:
        """Return an endpoint that expects what the client sent, and says what the server said.

        Identifiers that the client made up may be others than on the tape. Audio may be any, cut in any way, but there
        must be some wherever there was some.
        """
        return ScriptedEndpoint(self._steps(), ignore=(APPEND,))

    def _steps(self) -> Iterator[Step]:
        answered = {value for frame in self.frames if frame.dir == "S" for _, value in _ids(frame.event)}
        of_server: set[str] = set()
        of_client: set[str] = set()
        before: Frame | None = None
        for frame in self.frames:
            kind = frame.event.get("type")
            if frame.dir == "S":
                of_server |= {value for _, value in _ids(frame.event)} - of_client
                yield Emit(_with_refs(frame.event, of_client))
            elif not (kind == APPEND and before is not None and before.event.get("type") == APPEND):
                of_client |= {value for _, value in _ids(frame.event)} - of_server
                event = frame.event
                if event.get("event_id") not in answered:
                    event = {key: value for key, value in event.items() if key != "event_id"}
                yield Expect(
                    str(kind), _with_refs({**event, "audio": ...} if kind == APPEND else event, of_client)
                )
            before = frame


class RecordingTransport(Tap):
    """Another transport, with a tape that runs along."""

    def __init__(self, transport: Transport, cassette: Cassette) -> None:
        super().__init__(transport, cassette.add)


def _ids(value: Any) -> Iterator[tuple[str, str]]:
    """Yield all identifiers of an event, with the names of their fields."""
    match value:
        case dict():
            for key, inner in value.items():
                if key in _ID_FIELDS and isinstance(inner, str) and inner != "root":
                    yield key, inner
                else:
                    yield from _ids(inner)
        case list():
            for inner in value:
                yield from _ids(inner)


def _with_refs(value: Any, names: set[str], key: str = "") -> Any:
    """Put references in the place of identifiers that the client made up."""
    match value:
        case str() if key in _ID_FIELDS and value in names:
            return Ref(value)
        case dict():
            return {inner: _with_refs(its, names, inner) for inner, its in value.items()}
        case list():
            return [_with_refs(inner, names) for inner in value]
        case _:
            return value
