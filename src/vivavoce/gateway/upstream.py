"""What the gateway needs of the endpoint behind it: the engine in this process, or one across a network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from vivavoce.protocol.session import Session
from vivavoce.protocol.session_params import SessionParams

__all__ = ["Direct", "Failure", "Progress", "Reach", "Status", "Taker", "Transport", "Upstream", "direct"]


class Transport(Protocol):
    """One session with an endpoint: client events go in, server events come out, both as JSON."""

    async def send(self, data: str | bytes) -> None:
        """Take one client event; wait while the endpoint is busy.

        Raises `vivavoce.errors.ConnectionLost` once the session is over.
        """
        ...

    async def receive(self) -> str | bytes:
        """Return the next server event.

        Raises `vivavoce.errors.ConnectionLost`, with the close code and its reason, when there are no more.
        """
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the session. Closing twice does nothing more."""
        ...


Taker = Callable[[bytes, str], bool]
"""Is offered an event of the endpoint, with its type, and tells whether it has taken it."""


class Direct(Protocol):
    """The short cut of a transport: both ways without waiting, while nothing is in the way."""

    def send_now(self, data: bytes, kind: str) -> bool:
        """Send one client event, of this type, if that can be done at once; tell whether it was.

        What was not is left to `Transport.send`. Nothing is sent before what that still holds.
        """
        ...

    def give_to(self, taker: Taker | None) -> None:
        """Offer each event that comes while somebody waits in `Transport.receive` to ``taker`` first; None ends that.

        What it does not take is received.
        """
        ...


def direct(transport: Transport) -> Direct | None:
    """Return the short cut of a transport, its ``direct``, if it has one."""
    short: Direct | None = getattr(transport, "direct", None)
    return short


class Status(Protocol):
    """How an endpoint is."""

    @property
    def state(self) -> Literal["stopped", "loading", "ready", "failed"]:
        """Whether it can be connected to."""
        ...

    @property
    def stage(self) -> str:
        """What it is doing while it loads; why it failed, when it did."""
        ...

    @property
    def models(self) -> Mapping[str, str]:
        """What answers, by its part, once it is ready; empty where the endpoint is elsewhere."""
        ...

    @property
    def seconds(self) -> float:
        """How long it took to get ready."""
        ...


class Progress(Protocol):
    """How far one download is."""

    @property
    def name(self) -> str:
        """What is being fetched."""
        ...

    @property
    def done(self) -> int:
        """Bytes that are here."""
        ...

    @property
    def total(self) -> int:
        """Bytes that there will be."""
        ...


@dataclass(frozen=True, slots=True)
class Failure:
    """The last time that an endpoint could not be had."""

    at: int
    """Seconds since 1970."""
    code: str
    """As a client was told: ``upstream_refused``, ``upstream_timeout``, …"""


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether an endpoint across a network answers."""

    address: str
    """Where it is, without anything secret."""
    reachable: bool
    last_failure: Failure | None = None


class Upstream(Protocol):
    """An endpoint that sessions can be opened with."""

    @property
    def status(self) -> Status:
        """How it is now."""
        ...

    async def start(self, progress: Callable[[Progress], None] | None = None) -> object:
        """Make it ready; ``progress`` is told of every piece that comes over the network."""
        ...

    @property
    def capacity(self) -> int | None:
        """How many sessions it holds at once; None where it does not say, or not yet."""
        ...

    async def reach(self) -> Sequence[Reach]:
        """Tell whether what is across a network answers there, without opening a session; empty for what is here."""
        ...

    def describe(self, params: SessionParams) -> Session:
        """Return the session that `connect` would open with ``params``, without opening one.

        Raises `vivavoce.errors.ProtocolError` for what it does not serve.
        """
        ...

    async def connect(self, model: str, params: SessionParams, *, call_id: str | None = None) -> Transport:
        """Open a session, which begins as ``params`` ask; ``session.created`` is the first thing that it says.

        ``model`` is for a session whose parameters name none. With a ``call_id`` it is the session that controls a
        call that goes on, which neither of them touches, and which begins with no ``session.created``. Raises
        `vivavoce.errors.ConnectionFailed` when there can be no session now.
        """
        ...

    async def close(self) -> None:
        """End all sessions and free what it holds."""
        ...
