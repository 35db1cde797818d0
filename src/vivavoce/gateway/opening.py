"""A session that is about to open: who asks for it, and for what."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from vivavoce.gateway.passage import Stage
from vivavoce.protocol.session_params import SessionParams

__all__ = ["ANYONE", "Caller", "Opening", "StageMaker"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as far as the gateway knows."""

    user: str
    """Whose sessions, limits and history these are."""
    key: str = ""
    """The name of the key that let them in, never its value; empty where none was asked for."""
    group: str = ""
    """The group whose policy and limits apply; empty for the common ones."""
    admin: bool = False
    """Whether they may see what belongs to others."""


ANYONE = Caller("anyone")
"""Whoever comes to a gateway that asks nobody for a key."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What the stages of a session are made for."""

    id: str
    """The gateway's name for the session, ``sess_`` and 21 characters; it outlives those of the endpoint."""
    caller: Caller
    model: str
    params: SessionParams
    dialect: str
    """How the client speaks: ``ga``, ``beta`` or ``voice``."""
    started_at: float
    """Seconds since 1970."""
    call_id: str | None = None
    """The call that the session controls; None where it is one of its own."""
    line: Literal["websocket", "webrtc"] = "websocket"
    """What the client is connected by."""
    age: float = 0.0
    """Seconds that it has lasted already, in other processes."""


StageMaker = Callable[[Opening], Stage | None]
"""Makes a stage for a session, or None where it needs none."""
