"""Giving a session to another endpoint when the first fails before its first answer, so that the client sees nothing.

Pure. What the client says is kept until then, up to a limit, and said again to the other endpoint. What the first one
has told already (that a session is there, that it was changed, that an item was added, …) is not told twice: of each
type of event, as many of the other endpoint are dropped as the client has seen. A response that has begun is held back
until there is something in it: up to there it can be begun again by another.

Items that the client adds without an id get one, so that both endpoints know them by it. Items that endpoints make of
audio are known to the client by the first one's ids; they are put in the place of the other's, and the other way round.
"""

from collections import deque

import msgspec

from vivavoce.errors import ProtocolError
from vivavoce.protocol.codec import Frame
from vivavoce.protocol.ids import Ids

__all__ = ["Handover"]

APPEND = "input_audio_buffer.append"
AUDIO = "response.output_audio.delta"
HEARD = "conversation.item.input_audio_transcription."
FAULT_OF_THE_CLIENT = "invalid_request_error"
NEVER_COUNTED = "rate_limits.updated"


class _Item(msgspec.Struct):
    id: str | None = None


class _WithItem(msgspec.Struct):
    item_id: str | None = None
    item: _Item | None = None


class _Create(msgspec.Struct):
    item: dict[str, msgspec.Raw]


class _Error(msgspec.Struct):
    type: str | None = None


class _ErrorEvent(msgspec.Struct):
    error: _Error


class _Details(msgspec.Struct):
    error: _Error | None = None


class _Response(msgspec.Struct):
    status: str | None = None
    status_details: _Details | None = None


class _ResponseDone(msgspec.Struct):
    response: _Response


class Handover:
    """One session that may be handed over once.

    ``most_bytes`` is what is kept of what the client says; who says more stays where it is. ``listens_only`` tells that
    the session only writes down what it hears, so that its answers are transcripts.
    """

    def __init__(self, most_bytes: int, *, listens_only: bool = False, ids: Ids | None = None) -> None:
        self._room = most_bytes
        self._listens_only = listens_only
        self._ids = ids or Ids()
        self._said: list[bytes] = []
        self._held: list[bytes] = []
        self._holding = False
        self._failure: bytes | None = None
        self._told: dict[str, deque[str | None]] = {}
        """What the client has been told, by type, and of which item."""
        self._first_names: dict[bytes, bytes] = {}
        """The ids that the client knows, by those of the other endpoint."""
        self.possible = True
        """Whether it can still be handed over."""
        self.handed_over = False

    @property
    def idle(self) -> bool:
        """Whether there is nothing more to do: every event may pass as it is."""
        return not (self.possible or self._held or self._told or self._first_names)

    def say(self, data: bytes) -> bytes:
        """Take an event of the client; return what to send."""
        if self._first_names and Frame(data).type != APPEND:
            for theirs, ours in self._first_names.items():
                data = data.replace(ours, theirs)
        if not self.possible:
            return data
        data = self._named(data)
        self._room -= len(data)
        if self._room < 0:
            self._settle()
        else:
            self._said.append(data)
        return data

    def hear(self, data: bytes) -> list[bytes] | None:
        """Take a server event; return what to tell the client, or None where the endpoint has failed.

        After None, `give` or `keep` says how it goes on.
        """
        frame = Frame(data)
        if self.handed_over:
            return self._from_the_other(frame)
        if not self.possible:
            return self._release(data)
        if self._fails(frame):
            self._failure = data
            return None
        if frame.type == "response.created":
            self._holding = True
        if self._answers(frame.type):
            self._settle()
            return self._release(data)
        if self._holding:
            self._held.append(data)
            return []
        self._remember(frame)
        return [data]

    def give(self) -> list[bytes] | None:
        """Hand over: return what to say to the other endpoint, or None where it is too late for that."""
        if not self.possible:
            return None
        self.handed_over, said = True, self._said
        self._settle()
        self._held = []
        return said

    def keep(self) -> list[bytes]:
        """Stay with the first endpoint after all; return what to tell the client."""
        self._settle()
        self._told = {}
        failure, self._failure = self._failure, None
        return self._release(failure) if failure is not None else self._release()

    def _settle(self) -> None:
        self.possible, self._holding = False, False
        self._said = []
        if not self.handed_over:
            self._told = {}

    def _release(self, *data: bytes) -> list[bytes]:
        held, self._held = self._held, []
        return [*held, *data]

    def _answers(self, kind: str) -> bool:
        if self._listens_only:
            return kind.startswith(HEARD)
        return kind == "response.done" or (kind.startswith("response.") and kind.endswith(".delta"))

    def _fails(self, frame: Frame) -> bool:
        try:
            if frame.type == "error":
                return msgspec.json.decode(frame.data, type=_ErrorEvent).error.type != FAULT_OF_THE_CLIENT
            if frame.type == "response.done":
                response = msgspec.json.decode(frame.data, type=_ResponseDone).response
                error = response.status_details.error if response.status_details else None
                return response.status == "failed" and (error is None or error.type != FAULT_OF_THE_CLIENT)
        except msgspec.DecodeError:
            return False
        return False

    def _remember(self, frame: Frame) -> None:
        if frame.type != NEVER_COUNTED:
            self._told.setdefault(frame.type, deque()).append(_item(frame))

    def _from_the_other(self, frame: Frame) -> list[bytes]:
        if frame.type == "response.created":
            self._told = {}  # what answers what was said before has been said
        elif seen := self._told.get(frame.type):
            first, other = seen.popleft(), _item(frame)
            if not seen:
                del self._told[frame.type]
            if first and other and first != other:
                self._first_names[other.encode()] = first.encode()
            return []
        data = frame.data
        if self._first_names and frame.type != AUDIO:
            for theirs, ours in self._first_names.items():
                data = data.replace(theirs, ours)
        return [data]

    def _named(self, data: bytes) -> bytes:
        """Give an item that the client adds an id, if it has none."""
        try:
            frame = Frame(data)
            if frame.type != "conversation.item.create":
                return data
            item = msgspec.json.decode(data, type=_Create).item
        except (ProtocolError, msgspec.DecodeError):
            return data  # the endpoint says what is wrong with it
        if "id" in item:
            return data
        return frame.replace(item={"id": self._ids.item(), **item}).data


def _item(frame: Frame) -> str | None:
    try:
        found = msgspec.json.decode(frame.data, type=_WithItem)
    except msgspec.DecodeError:
        return None
    return found.item_id or (found.item.id if found.item else None)
