"""What the client itself has to tell, in the same stream as the endpoint's events.

These are not of the protocol, and never on the wire; their ``type`` is in the same place, for ``on()``.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

__all__ = ["ConnectionInterrupted", "Loss", "Notice", "StateRestored"]


@dataclass(frozen=True, slots=True)
class Loss:
    """Something of a session that the next one does not have."""

    what: str
    """What it is, and why it could not be restored, in one sentence."""
    item_id: str = ""
    """The item that is not there, or less of it, where it is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionInterrupted:
    """The connection is gone, and another is being tried; what is sent meanwhile waits."""

    type: ClassVar[str] = "connection.lost"
    code: int
    reason: str
    """Those of the close."""
    ended: list[str] = field(default_factory=list)
    """Ids of the responses that had begun to be heard or read, and end here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRestored:
    """The session goes on over another connection, and this is what became of it."""

    type: ClassVar[str] = "state_restored"
    why: Literal["connection lost", "renewal"]
    code: int
    reason: str
    """Those of the close that made it necessary; 1000 for a renewal."""
    attempts: int
    """Connections that were tried, the successful one included."""
    seconds: float
    """From the end of the last connection until the endpoint had taken everything."""
    session_id: str
    """The new session's; empty where the endpoint did not say."""
    restored: list[str] = field(default_factory=list)
    """Ids of the items that the endpoint has again, in order."""
    repeated: list[str] = field(default_factory=list)
    """Types of the events that were sent again, because nothing had answered them."""
    audio_ms: int = 0
    """Speech that was sent again."""
    lost: list[Loss] = field(default_factory=list)
    """What could not be restored; told once."""


Notice = ConnectionInterrupted | StateRestored
"""What the client tells of itself."""
