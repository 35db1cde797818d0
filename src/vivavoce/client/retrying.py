"""When to connect again, and when not: what an end means, how long to wait, when a session is to be renewed. Pure."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from vivavoce.errors import ConnectionFailed, ConnectionLost

__all__ = ["FATAL_CLOSES", "FATAL_CODES", "Backoff", "Fate", "Reconnect", "Window", "fate"]

FATAL_CODES = frozenset(
    {
        "account_deactivated",
        "beta_api_shape_disabled",
        "billing_hard_limit_reached",
        "credit_balance_exhausted",
        "insufficient_quota",
        "invalid_api_key",
    }
)
"""Codes of errors that will be the same next time, whatever the close code or the status that comes with them."""

FATAL_CLOSES = frozenset({1002, 1003, 1007, 1008, 1009, 1010})
"""Close codes that say that one side does not like what the other sends (RFC 6455, 7.4.1)."""

OF_APPLICATIONS = range(3000, 5000)
"""Close codes that applications give a meaning of their own, such as 4000 for a dialect that is gone."""

RETRYABLE_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Refusals of an upgrade that may pass."""

NORMAL = 1000


class Fate(Enum):
    """What the end of a connection means for the session."""

    ENDED = "ended"
    """The endpoint ended it in a regular way."""
    RETRY = "retry"
    """It may go on over another connection."""
    FATAL = "fatal"
    """Trying again would end in the same way."""


def fate(error: ConnectionLost | ConnectionFailed, code: str | None = None) -> Fate:
    """Judge the end of a connection, or why there is none; ``code`` is that of the last ``error`` event in it."""
    if code in FATAL_CODES:
        return Fate.FATAL
    if isinstance(error, ConnectionFailed):
        if error.code in FATAL_CODES or (error.status is not None and error.status not in RETRYABLE_STATUS):
            return Fate.FATAL
        return Fate.RETRY
    if error.code == NORMAL:
        return Fate.ENDED
    return Fate.FATAL if error.code in FATAL_CLOSES or error.code in OF_APPLICATIONS else Fate.RETRY


@dataclass(frozen=True, slots=True)
class Reconnect:
    """How a session goes on when its connection ends; all times in seconds.

    Raises `ValueError` for what makes no sense.
    """

    attempts: int = 10
    """Connections that are tried in a row until it is given up."""
    first_wait: float = 0.5
    """Before the second attempt at the most; twice as long before each further one."""
    longest_wait: float = 30.0
    """Between attempts, whatever their number and whatever the endpoint asks for."""
    steady: float = 10.0
    """How long a connection must last for attempts to be counted anew."""
    hold: float = 60.0
    """Speech that is kept, to be sent again: what is being said, and what is not yet known in words."""
    renew_after: float | None = None
    """Age at which a session is to be renewed, where that is sooner than what its ``expires_at`` asks for."""

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"Expected at least one attempt, got {self.attempts}.")
        for name in ("first_wait", "longest_wait", "steady", "hold"):
            if (value := getattr(self, name)) < 0:
                raise ValueError(f"Expected {name} to be 0 or more seconds, got {value}.")
        if self.renew_after is not None and self.renew_after <= 0:
            raise ValueError(f"Expected renew_after to be more than 0 seconds, got {self.renew_after}.")


class Backoff:
    """Waits between attempts, exponential and with full jitter, so that clients that fell together come apart.

    ``uniform`` draws the jitter; it is `random.uniform` but in tests.
    """

    def __init__(self, policy: Reconnect, uniform: Callable[[float, float], float] = random.uniform) -> None:
        self._policy = policy
        self._uniform = uniform
        self.attempts = 0
        """Attempts since `reset`."""

    def reset(self) -> None:
        """Count anew."""
        self.attempts = 0

    def wait(self, retry_after: float | None = None) -> float | None:
        """Return how long to wait before the next attempt, None where there is none left.

        The first is made at once. What an endpoint asks for (``Retry-After``) is the least, up to the longest wait.
        """
        policy = self._policy
        if self.attempts >= policy.attempts:
            return None
        self.attempts += 1
        most = 0.0
        if self.attempts > 1:
            most = min(policy.longest_wait, policy.first_wait * 2.0 ** min(self.attempts - 2, 64))
        jitter = self._uniform(0.0, most)
        return max(jitter, min(retry_after or 0.0, policy.longest_wait))


@dataclass(frozen=True, slots=True)
class Window:
    """When to renew a session, in seconds of its life: from ``opens`` on at a turn's end, at ``closes`` anyway."""

    opens: float
    closes: float

    SHARE = 0.2
    LONGEST = 300.0
    """The last fifth of a life, but no more than five minutes, is for finding the end of a turn."""
    MARGIN_SHARE = 0.05
    LONGEST_MARGIN = 15.0
    """And a twentieth, but no more than 15 s, is left before the cap for connecting."""

    @classmethod
    def of(cls, lifetime: float | None, renew_after: float | None = None) -> "Window | None":
        """Return the window of a session that lives so long, None for one that need not be renewed."""
        found: list[Window] = []
        if lifetime is not None and lifetime > 0:
            closes = lifetime - min(cls.LONGEST_MARGIN, lifetime * cls.MARGIN_SHARE)
            found.append(cls(lifetime - min(cls.LONGEST, lifetime * cls.SHARE), closes))
        if renew_after is not None:
            found.append(cls(renew_after, renew_after + min(cls.LONGEST, renew_after * cls.SHARE)))
        if not found:
            return None
        return cls(min(one.opens for one in found), min(one.closes for one in found))
