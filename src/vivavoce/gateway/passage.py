"""The way between a client and an endpoint, through the stages of one session. Pure: the time is passed in.

::

    client ── dialect ── stage ── stage ── … ── stage ── endpoint
              0          1        2

A stage says which types of events it wants to see; all others pass it by without being decoded. Of some that it wants,
most need nothing but a glance, as audio does that is counted: those take a short cut, as long as every stage lets them.
What a stage makes of an event are effects: `Up` goes on to the endpoint through the stages above it, `Down` to
the client through those beneath it, so a stage can pass on, change, hold back, answer and add. Work that takes time
(a tool, a question to a database) it returns as `Run`; what that returns enters where the stage stands.
"""

from collections.abc import Awaitable, Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from vivavoce.errors import ProtocolError
from vivavoce.protocol.codec import Frame
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
    glances_up: frozenset[str] = frozenset()
    """Those of the client events that it wants of which a glance is enough: while `lets_up` says so, they go on as
    they are, and `saw_up` is all that is called."""
    glances_down: frozenset[str] = frozenset()
    """Those of the server events."""

    def lets_up(self, data: bytes) -> bool:  # noqa: ARG002 - for those who override it
        """Tell whether a client event of `glances_up` may go on as it is. It may be asked twice of one event."""
        return True

    def lets_down(self, data: bytes) -> bool:  # noqa: ARG002 - for those who override it
        """Tell whether a server event of `glances_down` may go on as it is."""
        return True

    def saw_up(self, data: bytes, now: float) -> None:
        """Take note of a client event of `glances_up` that goes on."""

    def saw_down(self, data: bytes, now: float) -> None:
        """Take note of a server event of `glances_down` that goes on."""

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


class _Way:
    """What becomes of the events of one type in one direction."""

    __slots__ = ("glances", "lets", "saw", "short", "stages")

    def __init__(
        self,
        stages: tuple[int, ...],
        glances: Container[int],
        lets: tuple[Callable[[bytes], bool], ...],
        saw: tuple[Callable[[bytes, float], None], ...],
    ) -> None:
        self.stages = stages
        """The stages that want them, in their order."""
        self.glances = glances
        """Those of them for which a glance may do."""
        self.lets = lets
        """What has to agree before one takes the short cut."""
        self.saw = saw
        """What is told of one that took it."""
        self.short = len(saw) == len(stages)
        """Whether there is a short cut."""


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
        self._up: dict[str, _Way] = {}
        """What becomes of an event of a type on its way up; a session sees few types."""
        self._down: dict[str, _Way] = {}

    def lets_up(self, data: bytes, kind: str) -> bool:
        """Tell whether a text message of the client, an event of this type, may go to the endpoint as it is.

        It is what `hear` would come to, in a fraction of the time, and most messages are such. Tell of one that goes
        there with `saw_up`.
        """
        return self._lets(self._up.get(kind), data, kind)

    def saw_up(self, data: bytes, kind: str, now: float) -> None:
        """Take note of an event that `lets_up` has let pass, and that goes to the endpoint."""
        self._passed_up[kind] = self._passed_up.get(kind, 0) + 1
        for saw in self._up[kind].saw:
            saw(data, now)

    def lets_down(self, data: bytes, kind: str) -> bool:
        """Tell whether an event of the endpoint may go to the client as it is, which `receive` would come to."""
        return self._lets(self._down.get(kind), data, kind)

    def saw_down(self, data: bytes, kind: str, now: float) -> None:
        """Take note of an event that `lets_down` has let pass, and that goes to the client."""
        self._passed_down[kind] = self._passed_down.get(kind, 0) + 1
        for saw in self._down[kind].saw:
            saw(data, now)

    def _lets(self, way: _Way | None, data: bytes, kind: str) -> bool:
        if way is None or not way.short or not self._dialect.same(kind):
            return False
        return not way.lets or all(lets(data) for lets in way.lets)

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
        kind, data = frame.type, frame.data
        way = self._up.get(kind) or self._learn_up(kind)
        if position < 0:
            _count(self._passed_up, kind, self._up)
        for at in way.stages:
            if at <= position:
                continue
            stage = self._stages[at]
            if at in way.glances and stage.lets_up(data):
                stage.saw_up(data, now)
                continue
            try:
                effects = stage.up(frame, now)
            except ProtocolError as error:
                effects = (Down(_complaint(error)),)
            return self._do(at, effects, now, out)
        return out.append(ToEndpoint(data))

    def _descend(self, position: int, frame: Frame, now: float, out: list[Output]) -> None:
        kind, data = frame.type, frame.data
        way = self._down.get(kind) or self._learn_down(kind)
        for at in way.stages:
            if at >= position:
                continue
            stage = self._stages[at]
            if at in way.glances and stage.lets_down(data):
                stage.saw_down(data, now)
                continue
            return self._do(at, stage.down(frame, now), now, out)
        _count(self._passed_down, kind, self._down)
        return self._do(-1, self._dialect.say(frame), now, out)

    def _learn_up(self, kind: str) -> _Way:
        at = tuple(at for at, stage in enumerate(self._stages) if kind in stage.wants_up)
        brief = {one: self._stages[one] for one in at if kind in self._stages[one].glances_up}
        lets = (one.lets_up for one in brief.values() if type(one).lets_up is not Stage.lets_up)
        return _remember(
            self._up, kind, _Way(at, brief, tuple(lets), tuple(one.saw_up for one in brief.values()))
        )

    def _learn_down(self, kind: str) -> _Way:
        at = tuple(at for at, types in enumerate(self._wants_down) if kind in types)[::-1]
        brief = {one: self._stages[one] for one in at if kind in self._stages[one].glances_down}
        lets = (one.lets_down for one in brief.values() if type(one).lets_down is not Stage.lets_down)
        return _remember(
            self._down, kind, _Way(at, brief, tuple(lets), tuple(one.saw_down for one in brief.values()))
        )


MOST_TYPES = 256
"""Types that are remembered; a client can make up any number of them."""


def _remember(known: dict[str, _Way], kind: str, way: _Way) -> _Way:
    if len(known) < MOST_TYPES:
        known[kind] = way
    return way


def _count(passed: dict[str, int], kind: str, known: dict[str, _Way]) -> None:
    kind = kind if kind in known else OTHER
    passed[kind] = passed.get(kind, 0) + 1
