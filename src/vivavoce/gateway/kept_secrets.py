"""Where ephemeral keys are kept: the protocol of such a place, and the memory of this process."""

import time
from typing import Protocol

from vivavoce.gateway.client_secrets import ClientSecrets, Granted, Issued

__all__ = ["KeptHere", "KeptSecrets"]


class KeptSecrets(Protocol):
    """A place for ephemeral keys. Each call is one step that nothing comes between.

    All raise `VivaVoceError` while the place cannot be asked.
    """

    async def issue(self, granted: Granted, *, seconds: int) -> Issued | int:
        """Make a key for so many seconds; where there is no room, return in how many seconds there is."""
        ...

    async def find(self, value: str) -> Granted | None:
        """Return what a key was made for, or None where it is unknown, used up or has expired."""
        ...

    async def spend(self, value: str) -> bool:
        """Note that a session is about to open; return whether the key still opened one."""
        ...


class KeptHere:
    """Keys in memory."""

    def __init__(self, secrets: ClientSecrets) -> None:
        self._secrets = secrets

    async def issue(self, granted: Granted, *, seconds: int) -> Issued | int:
        """Make a key."""
        now = time.time()
        return self._secrets.room_in(now) or self._secrets.issue(granted, now=now, seconds=seconds)

    async def find(self, value: str) -> Granted | None:
        """Find it."""
        return self._secrets.find(value, now=time.time())

    async def spend(self, value: str) -> bool:
        """Use it."""
        return self._secrets.spend(value, now=time.time())
