"""Hold a session to its rules. Pure: the time is passed in.

Whatever a client may not do gets it an ``error`` event, and the endpoint never hears of it. And what goes on is written
anew from what was understood here, so that nobody who reads JSON otherwise (the first of two equal names, names in
other letters) can understand something else. Audio alone passes as it came, once its form leaves no room for that.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import msgspec

from vivavoce.errors import ProtocolError
from vivavoce.gateway.passage import EVERY, Down, Effect, End, Stage, Up
from vivavoce.gateway.policy.fields import named, spelt_out
from vivavoce.gateway.policy.rules import Rules
from vivavoce.protocol.client_events import (
    ClientEvent,
    ConversationItemCreate,
    ResponseCreate,
    SessionUpdate,
)
from vivavoce.protocol.codec import Frame, encode
from vivavoce.protocol.errors import session_expired
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.server_events import ErrorEvent
from vivavoce.protocol.session_params import RealtimeSessionParams, SessionParams
from vivavoce.protocol.tools import McpServerTool

__all__ = [
    "EVENT_NOT_ALLOWED",
    "FIELD_LOCKED",
    "MCP_NOT_ALLOWED",
    "MODEL_NOT_ALLOWED",
    "PolicyStage",
    "check_params",
    "checked",
    "is_plain_audio",
    "with_rules",
]

FIELD_LOCKED = "field_locked"
EVENT_NOT_ALLOWED = "event_not_allowed"
MODEL_NOT_ALLOWED = "model_not_allowed"
MCP_NOT_ALLOWED = "mcp_server_not_allowed"

GAP = "\n\n"
"""Between the instructions of the rules and the client's own."""

_APPEND = "input_audio_buffer.append"
_TELLING = {
    "session.created": "session",
    "session.updated": "session",
    "response.created": "response",
    "response.done": "response",
}
"""Server events that may tell of instructions, and in which of their fields."""

_ALIVE = frozenset(
    {"input_audio_buffer.speech_started", "input_audio_buffer.committed", "response.created", "response.done"}
)
"""Server events that show that somebody speaks or is answered."""

_IDS = Ids()


class PolicyStage(Stage):
    """The rules of one session, from ``now`` on."""

    def __init__(self, rules: Rules, now: float) -> None:
        self._rules = rules
        self._locked = tuple(spelt_out(field) for field in rules.locked or ())
        self._began = self._alive = now
        self._over = False
        self.wants_up = EVERY
        self.glances_up = frozenset({_APPEND}) if not rules.events or _APPEND in rules.events else frozenset()
        hides = frozenset(_TELLING) if rules.instructions or rules.hide_instructions else frozenset()
        self.wants_down = hides | (_ALIVE if rules.idle_seconds else frozenset())

    def lets_up(self, data: bytes) -> bool:
        """Tell whether an append is one that may pass as it is."""
        most = self._rules.max_message_bytes
        return (not most or len(data) <= most) and is_plain_audio(data)

    def up(self, frame: Frame, now: float) -> Iterable[Effect]:
        """Let a client's event pass, or raise what is wrong with it."""
        rules = self._rules
        if rules.events and frame.type not in rules.events:
            raise _refused(
                f"Events of the type {frame.type!r} are not taken from this client.",
                EVENT_NOT_ALLOWED,
                "type",
                frame,
            )
        if rules.max_message_bytes and len(frame.data) > rules.max_message_bytes:
            raise _refused(
                f"Expected an event of at most {rules.max_message_bytes} bytes, got one of {len(frame.data)}.",
                "message_too_large",
                None,
                frame,
            )
        if frame.type == _APPEND:
            return (Up(Frame.of(frame.client_event())),)  # what is plain does not come here
        self._alive = now
        return (Up(Frame.of(self._checked(frame.client_event()))),)

    def down(self, frame: Frame, now: float) -> Iterable[Effect]:
        """Keep what a client is not to know to ourselves."""
        if frame.type in _ALIVE:
            self._alive = now
        if frame.type in _TELLING and (self._rules.instructions or self._rules.hide_instructions):
            frame = _without(frame, self._rules)
        return (Down(frame),)

    def tick(self, now: float) -> Iterable[Effect]:
        """End a session that has lasted, or been silent, for long enough."""
        longest, idle = self._rules.max_session_seconds, self._rules.idle_seconds
        if self._over:
            return
        if longest and now - self._began >= longest:
            self._over = True
            yield _complaint(_expired(longest))
            yield End(1001, _expired(longest).message)
        elif idle and now - self._alive >= idle:
            self._over = True
            error = ProtocolError(f"Nothing happened for {idle:g} seconds.", code="session_idle")
            yield _complaint(error)
            yield End(1001, error.message)

    def _checked(self, event: ClientEvent) -> ClientEvent:
        try:
            return checked(event, self._rules, self._locked)
        except ProtocolError as error:
            error.event_id = event.event_id or None
            raise


def checked(event: ClientEvent, rules: Rules, locked: Iterable[str]) -> ClientEvent:
    """Return what the endpoint is to hear of a client's event. Raises `ProtocolError` for what a client may not do."""
    match event:
        case SessionUpdate(session=session):
            _check(session, "session", rules, locked)
            return msgspec.structs.replace(event, session=_instructed(session, rules))
        case ResponseCreate(response=params) if params:
            _check(params, "response", rules, locked)
            return msgspec.structs.replace(event, response=_instructed(params, rules))
        case ConversationItemCreate(item=item) if rules.max_item_bytes:
            if (size := len(msgspec.json.encode(item))) > rules.max_item_bytes:
                raise ProtocolError(
                    f"Expected an item of at most {rules.max_item_bytes} bytes, got one of {size}.",
                    code="item_too_large",
                    param="item",
                )
    return event


def check_params(params: SessionParams, rules: Rules) -> None:
    """Raise `ProtocolError` where a session is asked for that the rules do not allow."""
    _check(params, "session", rules, tuple(spelt_out(field) for field in rules.locked or ()))


def with_rules(params: SessionParams, rules: Rules) -> SessionParams:
    """Return what a session begins with: what the rules say, over what was asked for."""
    if not isinstance(params, RealtimeSessionParams):
        return params
    if rules.session:
        params = msgspec.convert(
            _merged(msgspec.to_builtins(params), msgspec.to_builtins(rules.session)), RealtimeSessionParams
        )
    if rules.instructions:
        own = params.instructions or ""
        params = msgspec.structs.replace(params, instructions=_joined(rules.instructions, own))
    return params


def is_plain_audio(data: bytes) -> bool:
    """Tell whether an append has the names that it may have, once each, and nothing else.

    A name and a value have four quotes, and base64 has none: so eight quotes are all of ``type`` and ``audio``, and
    twelve those of an ``event_id`` too.
    """
    if b"\\" in data or data.count(b'"type"') != 1 or data.count(b'"audio"') != 1:
        return False
    quotes = data.count(b'"')
    return quotes == 8 or (quotes == 12 and data.count(b'"event_id"') == 1)


def _check(params: Any, where: str, rules: Rules, locked: Iterable[str]) -> None:
    """Raise `ProtocolError` for the first thing that the rules do not allow."""
    if (field := named(msgspec.to_builtins(params), locked)) is not None:
        raise ProtocolError(
            f"The field '{where}.{field}' is set by this server, and cannot be changed.",
            code=FIELD_LOCKED,
            param=f"{where}.{field}",
        )
    model = getattr(params, "model", None)
    if model and rules.models is not msgspec.UNSET and model not in rules.models:
        raise ProtocolError(
            f"Expected one of the models {', '.join(rules.models) or '(none)'}, got {model!r}.",
            code=MODEL_NOT_ALLOWED,
            param=f"{where}.model",
        )
    for index, tool in enumerate(getattr(params, "tools", None) or []):
        if isinstance(tool, McpServerTool) and not _may_call(tool, rules):
            raise ProtocolError(
                "This server lets clients name no MCP servers but those that it knows.",
                code=MCP_NOT_ALLOWED,
                param=f"{where}.tools[{index}]",
            )


def _may_call(tool: McpServerTool, rules: Rules) -> bool:
    if tool.connector_id or tool.tunnel_id or not tool.server_url:
        return False
    try:
        parts = urlsplit(tool.server_url)
        host, userinfo = parts.hostname, "@" in parts.netloc
    except ValueError:
        return False
    return parts.scheme == "https" and not userinfo and host in (rules.mcp_servers or ())


def _instructed(params: Any, rules: Rules) -> Any:
    """Put the instructions of the rules before those that the client gives."""
    if not rules.instructions or getattr(params, "instructions", msgspec.UNSET) is msgspec.UNSET:
        return params
    return msgspec.structs.replace(
        params, instructions=_joined(rules.instructions, params.instructions or "")
    )


def _joined(first: str, then: str) -> str:
    return f"{first}{GAP}{then}" if then else first


def _without(frame: Frame, rules: Rules) -> Frame:
    """Take instructions that are not for the client out of what it is told."""
    if b"instructions" not in frame.data and b"\\" not in frame.data:
        return frame
    holder = _TELLING[frame.type]
    session = msgspec.json.decode(frame.data).get(holder)
    if not isinstance(session, dict) or not isinstance(told := session.get("instructions"), str):
        return frame
    ours = rules.instructions or ""
    shown = told.startswith(ours) and not rules.hide_instructions
    own = told.removeprefix(ours).removeprefix(GAP) if shown else ""
    return frame.replace(**{holder: {**session, "instructions": own}})


def _merged(below: Any, above: Any) -> Any:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {**below, **{name: _merged(below.get(name), value) for name, value in above.items()}}


def _expired(seconds: float) -> ProtocolError:
    if seconds >= 60 and seconds % 60 == 0:
        return session_expired(int(seconds // 60))
    error = session_expired()
    return ProtocolError(f"Your session hit the maximum duration of {seconds:g} seconds.", code=error.code)


def _refused(message: str, code: str, param: str | None, frame: Frame) -> ProtocolError:
    """Make an error for an event that need not be understood, but may have a name."""
    try:
        event_id = msgspec.json.decode(frame.data, type=dict[str, msgspec.Raw]).get("event_id")
        name = msgspec.json.decode(event_id, type=str) if event_id is not None else None
    except msgspec.DecodeError:
        name = None
    return ProtocolError(message, code=code, param=param, event_id=name)


def _complaint(error: ProtocolError) -> Down:
    event = ErrorEvent.of(error)
    event.event_id = _IDS.event()
    return Down(Frame(encode(event)))
