"""What waits to be written: each row once, however often it changes, and no more than fits. Pure.

At the limit, what waits stays and what is new is lost: a session that loses a row is marked ``incomplete``, and one
that would begin is not kept at all. So a database that is away for long costs the youngest of the history, and never
memory or the sessions themselves.
"""

from collections.abc import Iterable, Iterator

from vivavoce.gateway.history.changes import Change

__all__ = ["MAX_BYTES", "MAX_SESSIONS", "Backlog"]

MAX_BYTES = 32 << 20
"""Of items and responses; about 50,000 of them."""

MAX_SESSIONS = 10_000
"""Sessions with something to write."""

_Key = tuple[str, str, str]


class Backlog:
    """Rows by their key, in the order in which they came."""

    def __init__(self, max_bytes: int = MAX_BYTES, max_sessions: int = MAX_SESSIONS) -> None:
        self._max_bytes = max_bytes
        self._max_sessions = max_sessions
        self._waiting: dict[_Key, Change] = {}
        self._sessions = 0
        self._bytes = 0
        self.lost = 0
        """Changes that were lost."""

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, change: Change) -> None:
        """Keep a change, if there is room for it."""
        key = (change.table, change.session_id, change.id)
        before = self._waiting.get(key)
        if before is not None:
            change = Change(change.table, change.session_id, change.id, before.values | change.values)
        grows = 0 if change.table == "sessions" else change.size - (before.size if before else 0)
        if change.table == "sessions" and before is None and self._sessions >= self._max_sessions:
            self.lost += 1
        elif grows > 0 and self._bytes + grows > self._max_bytes:
            self.lost += 1
            self.add(Change("sessions", change.session_id, change.session_id, {"incomplete": True}))
        else:
            self._waiting[key] = change
            self._bytes += grows
            self._sessions += change.table == "sessions" and before is None

    def take(self, most: int) -> list[Change]:
        """Take out the oldest rows."""
        keys = list(self._first(most))
        taken = [self._waiting.pop(key) for key in keys]
        self._bytes -= sum(change.size for change in taken if change.table != "sessions")
        self._sessions -= sum(change.table == "sessions" for change in taken)
        return taken

    def put_back(self, changes: Iterable[Change]) -> None:
        """Put rows back that could not be written, before all others; what came meanwhile goes over them."""
        later = list(self._waiting.values())
        self._waiting.clear()
        self._bytes = self._sessions = 0
        for change in (*changes, *later):
            self.add(change)

    def _first(self, most: int) -> Iterator[_Key]:
        for count, key in enumerate(self._waiting):
            if count == most:
                return
            yield key
