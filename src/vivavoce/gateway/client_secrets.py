"""The ephemeral keys that are in force. Pure: the time is passed in.

A key is 128 bits of the system's randomness, and only its SHA-256 is kept. It is found by that digest, so how long
the search takes tells of the digest of what was presented, and nothing of any key.
"""

import math
import secrets
from dataclasses import dataclass
from typing import TypeGuard

from vivavoce.gateway.digests import digest
from vivavoce.gateway.opening import ANYONE, Caller
from vivavoce.protocol.client_secrets import KEY_PREFIX
from vivavoce.protocol.session_params import SessionParams

__all__ = ["ClientSecrets", "Granted", "Issued", "is_ephemeral", "new_key"]

RANDOM_BYTES = 16


@dataclass(frozen=True, slots=True)
class Issued:
    """A key that was just made: nobody can tell its value again."""

    value: str
    expires_at: int
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What a key was made for."""

    session: SessionParams
    """What its sessions begin with."""
    caller: Caller = ANYONE
    """Whose they are."""
    single_use: bool = False
    """Whether it opens one session only."""


@dataclass(frozen=True, slots=True)
class _Kept:
    granted: Granted
    expires_at: int


class ClientSecrets:
    """Ephemeral keys, at most ``limit`` at one time, and the sessions that they open."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: dict[bytes, _Kept] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def room_in(self, now: float) -> int:
        """Return in how many seconds there is room for one more key: 0 where there is now."""
        self._kept = {digest: kept for digest, kept in self._kept.items() if now < kept.expires_at}
        if len(self._kept) < self._limit:
            return 0
        return math.ceil(min(kept.expires_at for kept in self._kept.values()) - now)

    def issue(self, granted: Granted, *, now: float, seconds: int) -> Issued:
        """Make a key that opens such sessions for so many seconds. There must be room for it."""
        if self.room_in(now):
            raise RuntimeError(
                f"there are {self._limit} keys already: expected to be asked when there is room"
            )
        issued = Issued(new_key(), int(now) + seconds)
        self._kept[digest(issued.value)] = _Kept(granted, issued.expires_at)
        return issued

    def find(self, value: str, *, now: float) -> Granted | None:
        """Return what a key was made for, or None where it is unknown, used up or has expired."""
        kept = self._kept.get(digest(value))
        return kept.granted if kept is not None and now < kept.expires_at else None

    def spend(self, value: str, *, now: float) -> bool:
        """Note that a session is about to open; return whether the key still opened one."""
        granted = self.find(value, now=now)
        if granted is not None and granted.single_use:
            del self._kept[digest(value)]
        return granted is not None


def new_key() -> str:
    """Make a key that nobody can guess."""
    return KEY_PREFIX + secrets.token_hex(RANDOM_BYTES)


def is_ephemeral(key: str | None) -> TypeGuard[str]:
    """Tell whether a key is one of those that are made here, or would like to be."""
    return key is not None and key.startswith(KEY_PREFIX)
