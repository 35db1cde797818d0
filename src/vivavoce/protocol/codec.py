"""The codec: events from JSON, and back.

What clients send is read strictly, as OpenAI does it: whatever the protocol does not know is refused, with
the protocol's own error. What servers send is read leniently, since any server may know more than we do.
"""

from typing import Any, AnyStr, TypeVar

import msgspec

from vivavoce.errors import ProtocolError

from . import errors
from ._refusal import check, refusal
from .client_events import ClientEvent, ConversationItemCreate, ResponseCreate, SessionUpdate
from .client_secrets import ClientSecretParams
from .server_events import Server, ServerEvent

__all__ = [
    "Frame",
    "UnknownEvent",
    "decode_client_event",
    "decode_client_secret_params",
    "decode_server_event",
    "decode_with",
    "encode",
    "event_type",
]


T = TypeVar("T")


class UnknownEvent(msgspec.Struct, kw_only=True):
    """A server event that this version of the protocol does not know, or whose content it does not."""

    type: str
    data: dict[str, Any]
    """The whole event, ``type`` included."""
    reason: str
    """What about it is unknown."""


class _OnlyType(msgspec.Struct):
    type: str


_UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What msgspec raises for bytes or text that it cannot read as what was asked for."""

_LONG = 1024
"""Characters: a shorter event is read faster as a whole."""

_MARKS = ('"delta":', '"', "{", "\\")
_BYTE_MARKS = (b'"delta":', b'"', b"{", b"\\")

_ONLY_TYPE = msgspec.json.Decoder(_OnlyType)
_CLIENT: msgspec.json.Decoder[ClientEvent] = msgspec.json.Decoder(ClientEvent)
_SERVER: msgspec.json.Decoder[ServerEvent] = msgspec.json.Decoder(ServerEvent)
_CLIENT_SECRET = msgspec.json.Decoder(ClientSecretParams)
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER = msgspec.json.Encoder()


def decode_client_event(data: str | bytes) -> ClientEvent:
    """Read an event from a client.

    Raises:
        ProtocolError: with the protocol's code, message and param, and with the event's ``event_id`` whenever
            the JSON can be read.

    """
    try:
        event = _CLIENT.decode(data)
        # These share structs with the lenient side; all others refuse unknown fields by themselves.
        if isinstance(event, SessionUpdate | ConversationItemCreate | ResponseCreate):
            check(event, msgspec.json.decode(data))
    except ProtocolError as error:
        error.event_id = event.event_id or None
        raise
    except _UNREADABLE as finding:
        raise _refuse(data, str(finding)) from finding
    return event


def decode_client_secret_params(data: str | bytes) -> ClientSecretParams:
    """Read what is asked of an ephemeral key; its session is read as strictly as that of ``session.update``.

    Raises:
        ProtocolError: with the protocol's code, message and param.

    """
    try:
        params = _CLIENT_SECRET.decode(data)
        if params.session:
            check(SessionUpdate(session=params.session), {"session": msgspec.json.decode(data)["session"]})
    except _UNREADABLE as finding:
        raise _refuse(data, str(finding), ClientSecretParams) from finding
    return params


def decode_with(decoder: msgspec.json.Decoder[T], data: str | bytes) -> T:
    """Read other JSON than the protocol's; raises `ProtocolError` that says what is wrong as the protocol would."""
    try:
        return decoder.decode(data)
    except _UNREADABLE as finding:
        raise _refuse(data, str(finding), decoder.type) from finding


def _refuse(data: str | bytes, finding: str, expected: Any = ClientEvent) -> ProtocolError:
    sent = _any(data)  # malformed JSON comes before anything else that is wrong with it
    error = refusal(finding, sent, expected)
    event_id = sent.get("event_id") if isinstance(sent, dict) else None
    error.event_id = event_id if isinstance(event_id, str) else None
    return error


def _any(data: str | bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except _UNREADABLE as finding:
        raise errors.invalid_json(str(finding)) from finding


def decode_server_event(data: str | bytes) -> ServerEvent | UnknownEvent:
    """Read an event from a server. Unknown fields are ignored.

    An event of a type that is unknown, or whose content has another shape than we know (a new kind of item,
    say), becomes an `UnknownEvent`, which loses nothing.

    Raises:
        ProtocolError: this is no event: no JSON, no object, or an object without ``type``.

    """
    try:
        return _with_long_delta(data) or _SERVER.decode(data)
    except _UNREADABLE as finding:
        type_ = event_type(data)
        return UnknownEvent(type=type_, data=_any(data), reason=str(finding))


def _with_long_delta(data: str | bytes) -> ServerEvent | None:
    """Read an event with a long ``delta``, as those with audio are; None for any other, and in all doubt.

    Reading JSON means looking at each character, searching for a quote does not: 13 kB take 3 µs instead of 7.
    """
    if len(data) < _LONG:
        return None
    start, end, rest = _cut(data, *_MARKS) if isinstance(data, str) else _cut(data, *_BYTE_MARKS)
    if start == end:
        return None
    try:
        event: Any = _SERVER.decode(rest)
        if getattr(event, "delta", None) != "":
            return None
        event.delta = data[start:end] if isinstance(data, str) else str(memoryview(data)[start:end], "utf-8")
    except _UNREADABLE:
        return None
    return event  # type: ignore[no-any-return]


def _cut(data: AnyStr, key: AnyStr, quote: AnyStr, brace: AnyStr, escape: AnyStr) -> tuple[int, int, AnyStr]:
    """Return where a string without escapes that is a field of the outermost object begins and ends, and all but it.

    Where there is none, both are 0. A quote inside a string is escaped, so what looks like a key is one.
    """
    at = data.find(key, 0, _LONG)
    start = data.find(quote, at + len(key), at + len(key) + 2) + 1
    end = data.find(quote, start)
    if at < 0 or start == 0 or end < 0 or data.find(brace, 1, at) >= 0 or data.find(escape, start, end) >= 0:
        return 0, 0, data
    return start, end, data[:start] + data[end:]


def encode(event: ClientEvent | ServerEvent | UnknownEvent) -> bytes:
    """Write an event as JSON in UTF-8.

    Raises:
        ValueError: a server event has no ``event_id`` yet.

    """
    if isinstance(event, UnknownEvent):
        return _ENCODER.encode(event.data)
    if isinstance(event, Server) and not event.event_id:
        raise ValueError(f"{event.type} has no event_id: give it one before it is sent")
    return _ENCODER.encode(event)


def event_type(data: str | bytes) -> str:
    """Read the ``type`` of an event, and nothing else of it.

    Raises:
        ProtocolError: this is no event.

    """
    try:
        return _ONLY_TYPE.decode(data).type
    except _UNREADABLE as finding:
        raise _refuse(data, str(finding)) from finding


class Frame:
    """One event as it travels: its bytes and its type. The rest is decoded on demand."""

    __slots__ = ("data", "type")

    def __init__(self, data: str | bytes) -> None:
        """Take an event off the wire; raises `ProtocolError` if it is none."""
        self.data = data.encode(errors="surrogatepass") if isinstance(data, str) else data
        self.type = event_type(self.data)

    @classmethod
    def of(cls, event: ClientEvent | ServerEvent | UnknownEvent) -> "Frame":
        """Make the frame that carries this event."""
        return cls(encode(event))

    def client_event(self) -> ClientEvent:
        """Decode it as a client's event; raises `ProtocolError` as `decode_client_event` does."""
        return decode_client_event(self.data)

    def server_event(self) -> ServerEvent | UnknownEvent:
        """Decode it as a server's event, as `decode_server_event` does."""
        return decode_server_event(self.data)

    def fields(self) -> dict[str, Any]:
        """Decode it as JSON and nothing more, for those who know better what it may hold; raises `ProtocolError`."""
        fields = _any(self.data)
        assert isinstance(fields, dict), "only an object has a type"
        return fields

    def replace(self, **fields: Any) -> "Frame":
        """Return a frame with these top-level fields instead; `msgspec.UNSET` takes a field out.

        Everything else passes as it is, byte for byte, known or not.
        """
        raw = _FIELDS.decode(self.data)
        for name, value in fields.items():
            if value is msgspec.UNSET:
                raw.pop(name, None)
            else:
                raw[name] = msgspec.Raw(_ENCODER.encode(value))
        return Frame(_ENCODER.encode(raw))

    def __eq__(self, other: object) -> bool:
        return self.data == other.data if isinstance(other, Frame) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.data)

    def __repr__(self) -> str:
        return f"<Frame {self.type}, {len(self.data)} bytes>"
