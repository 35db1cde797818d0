"""A session as a list of steps: what the client must send, and what it gets for it. Pure."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from vivavoce.errors import ScriptFailed
from vivavoce.protocol.server_events import ServerEvent
from vivavoce.testing.matching import Names, difference, fill

__all__ = ["Close", "Emit", "Expect", "Step", "Steps", "close", "emit", "expect"]

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Expect:
    """The next event of the client."""

    type: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Emit:
    """An event of the server, or what makes it of the client's last one."""

    event: Mapping[str, Any] | Callable[[Event], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Close:
    """The end of the session, by the server."""

    code: int
    reason: str


Step = Expect | Emit | Close


def expect(type: str, /, **fields: Any) -> Expect:  # noqa: A002 - the protocol's name
    """Expect an event of the client with these fields, which it may have more of (see `matching.difference`)."""
    return Expect(type, fields)


def emit(
    event: str | Mapping[str, Any] | ServerEvent | Callable[[Event], Mapping[str, Any]], /, **fields: Any
) -> Emit:
    """Send the client an event: a type and its fields, a whole event, or what a function makes of the last one.

    ``event_id`` is added where it is absent.
    """
    if isinstance(event, str):
        return Emit({"type": event, **fields})
    if isinstance(event, msgspec.Struct):
        event = {
            key: value for key, value in msgspec.to_builtins(event).items() if key != "event_id" or value
        }
    if fields:
        raise TypeError(f"expected fields beside a type only, got {', '.join(fields)} beside a whole event")
    return Emit(event)


def close(code: int = 1000, reason: str = "") -> Close:
    """End the session."""
    return Close(code, reason)


class Steps:
    """The steps of one session, and how far it is."""

    def __init__(self, steps: Iterable[Step], *, ignore: Collection[str] = ()) -> None:
        self._left = deque(steps)
        self._ignore = ignore
        self._taken = 0
        self._emitted = 0
        self._last: Event = {}
        self._names: Names = {}
        self.problem: str | None = None
        """What came that was not expected; with that, the session is over."""

    def begin(self) -> list[bytes | Close]:
        """Return what is sent before anything is expected."""
        return self._proceed()

    def take(self, data: str | bytes) -> list[bytes | Close]:
        """Take an event of the client, return what is sent for it; raises `ScriptFailed` if another was expected."""
        try:
            event = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise self._failure(f"expected {self._next()}, got no JSON: {error}") from error
        kind = event.get("type") if isinstance(event, dict) else None
        step = self._left[0] if self._left else None
        if not (isinstance(step, Expect) and step.type == kind):
            if kind in self._ignore:
                return []
            raise self._failure(f"expected {self._next()}, got {_shown(event)}")
        if (finding := difference(step.fields, event, self._names)) is not None:
            raise self._failure(f"{step.type}: {finding}; it came as {_shown(event)}")
        self._pass()
        self._last = event
        try:
            return self._proceed()
        except ScriptFailed as failure:
            raise self._failure(str(failure)) from failure

    def check(self) -> None:
        """Raise `ScriptFailed` if something else came than was expected, or not everything did."""
        if self.problem is not None:
            raise ScriptFailed(self.problem)
        if self._left:
            raise ScriptFailed(
                f"Step {self._taken + 1}: expected {self._next()}; {len(self._left)} steps are left."
            )

    def _proceed(self) -> list[bytes | Close]:
        """Go on to what is expected next."""
        sent: list[bytes | Close] = []
        while self._left and not isinstance(step := self._left[0], Expect):
            sent.append(step if isinstance(step, Close) else self._event(step))
            self._pass()
        return sent

    def _pass(self) -> None:
        self._left.popleft()
        self._taken += 1

    def _event(self, step: Emit) -> bytes:
        event = step.event(self._last) if callable(step.event) else step.event
        self._emitted += 1
        return msgspec.json.encode({"event_id": f"event_{self._emitted}", **fill(event, self._names)})

    def _failure(self, what: str) -> ScriptFailed:
        self.problem = f"Step {self._taken + 1}: {what}."
        return ScriptFailed(self.problem)

    def _next(self) -> str:
        match self._left[0] if self._left else None:
            case Expect(kind):
                return kind
            case None:
                return "nothing more"
            case step:
                return f"to be able to send {step}"


def _shown(event: Any) -> str:
    text = msgspec.json.encode(event).decode()
    return text if len(text) <= 300 else f"{text[:300]}…"
