"""The way between a client and an endpoint, through the stages of one session. Pure: the time is passed in.

::

    client ── dialect ── stage ── stage ── … ── stage ── endpoint
              0          1        2

A stage says which types of events it wants to see; all others pass it by without being decoded, as audio passes nearly
everything. What it makes of an event are effects: `Up` goes on to the endpoint through the stages above it, `Down` to
the client through those beneath it, so a stage can pass on, change, hold back, answer and add. Work that takes time
(a tool, a question to a database) it returns as `Run`; what that returns enters where the stage stands.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from vivavoce.errors import ProtocolError
from vivavoce.protocol.codec import Frame, event_type
from vivavoce.protocol.errors import binary_frame
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.server_events import ErrorEvent

__all__ = [
    "EVERY",
    "OTHER",
    "Counts",
    "Dialect",
    "Down",
    "Effect",
    "End",
    "Output",
    "Passage",
    "Plain",
    "Run",
    "Stage",
    "Task",
    "ToClient",
    "ToEndpoint",
    "Up",
    "Want",
]

_IDS = Ids()


@dataclass(frozen=True, slots=True)
class Up:
    """Let this go on towards the endpoint."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class Down:
    """Let this go on towards the client."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class End:
    """How a session ends: the WebSocket's close code, and why."""

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """Do this beside the session; its effects enter where the stage stands. It is cancelled when the session ends."""

    work: Callable[[], Awaitable[Iterable["Effect"]]]


@dataclass(frozen=True, slots=True)
class Want:
    """From now on, show the stage these types of server events, in place of those that it saw."""

    down: frozenset[str]


Effect = Up | Down | End | Run | Want


@dataclass(frozen=True, slots=True)
class ToEndpoint:
    """Send this to the endpoint."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ToClient:
    """Send this to the client, as a text frame or a binary one."""

    data: bytes
    binary: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """Do ``work``, and give what it returns to `Passage.enter`, with this ``position``."""

    position: int
    work: Callable[[], Awaitable[Iterable[Effect]]]


Output = ToEndpoint | ToClient | Task | End


class _Every(frozenset[str]):
    """All types of events."""

    def __contains__(self, _: object) -> bool:
        return True


EVERY = _Every()
"""For a stage that wants to see all events."""


class Stage:
    """Something on the way. Each session has its own; what a stage does not override lets everything pass."""

    wants_up: frozenset[str] = frozenset()
    """The types of the client events that it wants to see."""
    wants_down: frozenset[str] = frozenset()
    """The types of the server events that it wants to see."""

    def up(self, frame: Frame, now: float) -> Iterable[Effect]:  # noqa: ARG002 - for those who override it
        """Take a client event. ``now`` is in seconds of a clock that never goes back.

        A `ProtocolError` becomes an ``error`` event for the client, and the event goes no further.
        """
        return (Up(frame),)

    def down(self, frame: Frame, now: float) -> Iterable[Effect]:  # noqa: ARG002 - for those who override it
        """Take a server event."""
        return (Down(frame),)

    def tick(self, now: float) -> Iterable[Effect]:  # noqa: ARG002 - for those who override it
        """Do what is due; it is asked about once a second."""
        return ()

    def ended(self, end: End, now: float) -> None:
        """Take word that the session is over."""


class Dialect(Protocol):
    """How a client says what the protocol says; one for each session.

    One that says in one message what takes several events may answer by itself (`ToClient`), and go on where a server
    event lets it (`Up`).
    """

    def hear(self, data: bytes, *, binary: bool) -> Iterable[Effect | ToClient]:
        """Read a message of the client. Raises `ProtocolError` for what is none."""
        ...

    def say(self, frame: Frame) -> Iterable[Effect | ToClient]:
        """Write a server event for the client; an event that its dialect does not have becomes nothing."""
        ...

    def same(self, kind: str) -> bool:
        """Tell whether events of this type are said as they are now, so that neither of the others is asked."""
        ...


class Plain:
    """The dialect of clients that speak the protocol as it is."""

    def hear(self, data: bytes, *, binary: bool) -> Iterable[Effect]:
        """Read an event."""
        if binary:
            raise binary_frame()
        return (Up(Frame(data)),)

    def say(self, frame: Frame) -> Iterable[ToClient]:
        """Write an event."""
        return (ToClient(frame.data),)

    def same(self, kind: str) -> bool:  # noqa: ARG002 - for those who are asked
        """Say yes: every event is."""
        return True


OTHER = ""
"""What events are counted as whose types are too many to remember."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many events have passed, by their types."""

    up: dict[str, int] = field(default_factory=dict)
    """Those of the client, as it said them."""
    down: dict[str, int] = field(default_factory=dict)
    """Those that went to the client."""


def _complaint(error: ProtocolError) -> Frame:
    """Make the ``error`` event that tells a client of what it may not do."""
    event = ErrorEvent.of(error)
    event.event_id = _IDS.event()
    return Frame.of(event)


class Passage:
    """The stages of one session, the client's dialect below them.

    Give it what comes from either side; do what it returns, in this order.
    """

    def __init__(
        self, stages: Sequence[Stage] = (), dialect: Dialect | None = None, *, counts: Counts | None = None
    ) -> None:
        self._dialect = dialect or Plain()
        self._stages = tuple(stages)
        self._wants_down = [stage.wants_down for stage in stages]
        counts = counts or Counts()
        self._passed_up, self._passed_down = counts.up, counts.down
        self._up: dict[str, tuple[int, ...]] = {}
        """Where an event of a type is wanted on its way up; a session sees few types."""
        self._down: dict[str, tuple[int, ...]] = {}

    def lets_up(self, data: bytes) -> bool:
        """Tell whether a text message of the client may go to the endpoint as it is: nobody on the way wants to see it.

        It is what `hear` would come to, in a fraction of the time, and most messages are such. One that may is counted.
        """
        try:
            kind = event_type(data)
        except ProtocolError:
            return False
        if self._up.get(kind) != () or not self._dialect.same(kind):
            return False
        self._passed_up[kind] = self._passed_up.get(kind, 0) + 1
        return True

    def lets_down(self, data: str | bytes) -> bool:
        """Tell the same of an event of the endpoint."""
        try:
            kind = event_type(data)
        except ProtocolError:
            return False
        if self._down.get(kind) != () or not self._dialect.same(kind):
            return False
        self._passed_down[kind] = self._passed_down.get(kind, 0) + 1
        return True

    def hear(self, data: bytes, now: float, *, binary: bool = False) -> list[Output]:
        """Take a message of the client."""
        out: list[Output] = []
        effects: Iterable[Effect | ToClient]
        try:
            effects = self._dialect.hear(data, binary=binary)
        except ProtocolError as error:
            effects = (Down(_complaint(error)),)
        self._do(-1, effects, now, out)
        return out

    def receive(self, data: str | bytes, now: float) -> list[Output]:
        """Take an event of the endpoint. Raises `ProtocolError` for what is none."""
        out: list[Output] = []
        self._descend(len(self._stages), Frame(data), now, out)
        return out

    def complain(self, error: ProtocolError, now: float) -> list[Output]:
        """Tell the client of something that went no further."""
        return self.enter(-1, (Down(_complaint(error)),), now)

    def enter(self, position: int, effects: Iterable[Effect], now: float) -> list[Output]:
        """Take what the work of a stage came to."""
        out: list[Output] = []
        self._do(position, effects, now, out)
        return out

    def tick(self, now: float) -> list[Output]:
        """Let every stage do what is due."""
        out: list[Output] = []
        for position, stage in enumerate(self._stages):
            self._do(position, stage.tick(now), now, out)
        return out

    def ended(self, end: End, now: float) -> None:
        """Tell every stage that the session is over."""
        for stage in self._stages:
            stage.ended(end, now)

    def _do(self, position: int, effects: Iterable[Effect | ToClient], now: float, out: list[Output]) -> None:
        for effect in effects:
            match effect:
                case Up(frame):
                    self._ascend(position, frame, now, out)
                case Down(frame):
                    self._descend(position, frame, now, out)
                case Run(work):
                    out.append(Task(position, work))
                case Want(down):
                    self._wants_down[position] = down
                    self._down.clear()
                case End() | ToClient():
                    out.append(effect)

    def _ascend(self, position: int, frame: Frame, now: float, out: list[Output]) -> None:
        """Carry an event up to the next stage above ``position`` that wants it, or to the endpoint."""
        wanted = self._up.get(frame.type)
        if wanted is None:
            wanted = tuple(at for at, stage in enumerate(self._stages) if frame.type in stage.wants_up)
            _remember(self._up, frame.type, wanted)
        if position < 0:
            _count(self._passed_up, frame.type, self._up)
        for at in wanted:
            if at > position:
                try:
                    effects = self._stages[at].up(frame, now)
                except ProtocolError as error:
                    effects = (Down(_complaint(error)),)
                return self._do(at, effects, now, out)
        return out.append(ToEndpoint(frame.data))

    def _descend(self, position: int, frame: Frame, now: float, out: list[Output]) -> None:
        wanted = self._down.get(frame.type)
        if wanted is None:
            wanted = tuple(at for at, types in enumerate(self._wants_down) if frame.type in types)[::-1]
            _remember(self._down, frame.type, wanted)
        for at in wanted:
            if at < position:
                return self._do(at, self._stages[at].down(frame, now), now, out)
        _count(self._passed_down, frame.type, self._down)
        return self._do(-1, self._dialect.say(frame), now, out)


MOST_TYPES = 256
"""Types that are remembered; a client can make up any number of them."""


def _remember(known: dict[str, tuple[int, ...]], kind: str, wanted: tuple[int, ...]) -> None:
    if len(known) < MOST_TYPES:
        known[kind] = wanted


def _count(passed: dict[str, int], kind: str, known: dict[str, tuple[int, ...]]) -> None:
    kind = kind if kind in known else OTHER
    passed[kind] = passed.get(kind, 0) + 1
