"""What waits to be written: each row once, however often it changes, and no more than fits. Pure.

At the limit, what waits stays and what is new is lost: a session that loses a row is marked ``incomplete``, and one
that would begin is not kept at all. So a database that is away for long costs the youngest of the history, and never
memory or the sessions themselves.
"""

from collections import OrderedDict
from collections.abc import Iterable
from itertools import islice

from vivavoce.gateway.history.changes import Change

__all__ = ["MAX_BYTES", "MAX_SESSIONS", "Backlog"]

MAX_BYTES = 32 << 20
"""Of items and responses; about 15,000 of them."""

MAX_SESSIONS = 10_000
"""Sessions with something to write."""

_Key = tuple[str, str, str]


class Backlog:
    """Rows by their key, in the order in which they came."""

    def __init__(self, max_bytes: int = MAX_BYTES, max_sessions: int = MAX_SESSIONS) -> None:
        self._max_bytes = max_bytes
        self._max_sessions = max_sessions
        self._waiting: OrderedDict[_Key, tuple[Change, int]] = OrderedDict()
        self._sessions = 0
        self._bytes = 0
        self.lost = 0
        """Changes that were lost."""

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, change: Change) -> None:
        """Keep a change, if there is room for it."""
        key = _key(change)
        before = self._waiting.get(key)
        if before is not None:
            change = change.over(before[0])
        size = _size(change)
        grows = size - before[1] if before else size
        if change.table == "sessions" and before is None and self._sessions >= self._max_sessions:
            self.lost += 1
        elif grows > 0 and self._bytes + grows > self._max_bytes:
            self.lost += 1
            self.add(Change("sessions", change.session_id, change.session_id, {"incomplete": True}))
        else:
            self._keep(key, change, size)

    def take(self, most: int) -> list[Change]:
        """Take out the oldest rows."""
        return [self._take(key)[0] for key in list(islice(self._waiting, most))]

    def put_back(self, changes: Iterable[Change]) -> None:
        """Put rows back that could not be written, before all others; what came meanwhile goes over them."""
        for change in reversed(list(changes)):
            key = _key(change)
            before = change
            if key in self._waiting:
                before = self._take(key)[0].over(change)
            self._keep(key, before, _size(before))
            self._waiting.move_to_end(key, last=False)

    def _keep(self, key: _Key, change: Change, size: int) -> None:
        if key in self._waiting:
            self._bytes -= self._waiting[key][1]
        else:
            self._sessions += change.table == "sessions"
        self._waiting[key] = change, size
        self._bytes += size

    def _take(self, key: _Key) -> tuple[Change, int]:
        change, size = self._waiting.pop(key)
        self._bytes -= size
        self._sessions -= change.table == "sessions"
        return change, size


def _key(change: Change) -> _Key:
    return change.table, change.session_id, change.id


def _size(change: Change) -> int:
    return 0 if change.table == "sessions" else change.size
