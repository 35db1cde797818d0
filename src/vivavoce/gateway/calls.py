"""The calls that are under way, by their ids."""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from vivavoce.gateway.guarded import Guarded
from vivavoce.gateway.opening import Caller
from vivavoce.gateway.sessions import Endable

__all__ = ["Calls", "Held"]

CALL_PREFIX = "rtc_"
"""What the ids of OpenAI's calls begin with."""


@dataclass(frozen=True, slots=True)
class Held:
    """A call that is under way."""

    id: str
    caller: Caller
    call: Endable
    session: Guarded


class Calls:
    """All calls of this gateway."""

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._held)

    def keep(self, task: asyncio.Task[None]) -> None:
        """Keep what holds a call alive: the request that began it is answered long before its end."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @staticmethod
    def new_id() -> str:
        """Make an id that nobody can guess."""
        return CALL_PREFIX + secrets.token_hex(14)

    @contextmanager
    def hold(self, held: Held) -> Iterator[None]:
        """Keep a call findable while it lasts."""
        self._held[held.id] = held
        try:
            yield
        finally:
            del self._held[held.id]

    def find(self, call_id: str, caller: Caller) -> Held | None:
        """Return a call of this caller's; those of others are as good as none, but for an administrator."""
        held = self._held.get(call_id)
        if held is None or not (caller.admin or held.caller.user == caller.user):
            return None
        return held
