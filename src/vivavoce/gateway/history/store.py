"""Writing the history, and forgetting it."""

import os
import socket
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from vivavoce.gateway.history.changes import Change
from vivavoce.gateway.history.database import Database
from vivavoce.gateway.history.tables import TABLES, processes, sessions

__all__ = ["DEAD_SECONDS", "Store"]

DEAD_SECONDS = 90
"""A process that has not been seen for so long is dead; they show themselves every 15 seconds."""


_BEGINS = {"sessions": "started_at", "items": "position"}
"""The columns that the first change of a row has."""


class Store:
    """What one process, called ``process``, writes."""

    def __init__(self, database: Database, process: str) -> None:
        self._database = database
        self._process = process
        self._insert = postgresql.insert if database.dialect == "postgresql" else sqlite.insert

    async def write(self, changes: Iterable[Change]) -> None:
        """Write all of it, or nothing. Raises `HistoryError`, ``lasting`` where a row can never be written."""
        rows: dict[tuple[str, tuple[str, ...]], list[dict[str, Any]]] = defaultdict(list)
        for change in changes:
            key = {column.name: getattr(change, column.name) for column in TABLES[change.table].primary_key}
            rows[change.table, tuple(change.values)].append(key | change.values)
        async with self._database.write() as connection:
            for name, table in TABLES.items():
                for (wanted, columns), values in rows.items():
                    if wanted != name:
                        continue
                    if name in _BEGINS and _BEGINS[name] not in columns:
                        await self._update(connection, table, columns, values)
                    else:
                        await self._upsert(connection, table, columns, values)

    async def show(self, now: float) -> None:
        """Show that this process is alive."""
        columns = {"host": socket.gethostname(), "pid": os.getpid(), "seen_at": now}
        async with self._database.write() as connection:
            await self._upsert(connection, processes, tuple(columns), [{"id": self._process} | columns])

    async def abandon(self, now: float, *, by_silence: bool = True) -> int:
        """End the sessions of processes that are dead; return how many there were.

        A process of this machine is dead when it runs no more; ``by_silence``, any that did not show itself for long.
        """
        async with self._database.write() as connection:
            known = (await connection.execute(select(processes))).all()
            dead = {row.id: row.seen_at for row in known if self._is_gone(row.id, row.host, row.pid)}
            whose: ColumnElement[bool] = sessions.c.process.in_(list(dead))
            if by_silence:
                living = {self._process} | {row.id for row in known if now - row.seen_at <= DEAD_SECONDS}
                dead |= {row.id: row.seen_at for row in known if row.id not in living}
                whose = or_(sessions.c.process.is_(None), sessions.c.process.not_in(living - dead.keys()))
            found = (
                await connection.execute(
                    select(sessions.c.id, sessions.c.process, sessions.c.started_at).where(
                        sessions.c.state == "open", whose
                    )
                )
            ).all()
            for row in found:
                ended_at = max(dead.get(row.process, row.started_at), row.started_at)
                await connection.execute(
                    update(sessions)
                    .where(sessions.c.id == row.id)
                    .values(state="abandoned", ended_at=ended_at, incomplete=True)
                )
            await connection.execute(delete(processes).where(processes.c.id.in_(list(dead))))
        return len(found)

    async def expired(self, before: float, most: int = 100) -> list[tuple[str, str | None]]:
        """Return the ids and the recordings of sessions that are over and began before then."""
        chosen = select(sessions.c.id, sessions.c.recording).where(
            sessions.c.started_at < before, sessions.c.state != "open"
        )
        async with self._database.read() as connection:
            return [(row.id, row.recording) for row in await connection.execute(chosen.limit(most))]

    async def forget(self, session_ids: Sequence[str]) -> int:
        """Delete sessions that are over, with all that belongs to them; return how many there were."""
        chosen = delete(sessions).where(
            sessions.c.id.in_(session_ids), func.coalesce(sessions.c.state, "ended") != "open"
        )
        async with self._database.write() as connection:
            forgotten = (await connection.execute(chosen)).rowcount
        await self._database.scrub()
        return forgotten

    async def _upsert(
        self, connection: AsyncConnection, table: Table, columns: tuple[str, ...], rows: list[dict[str, Any]]
    ) -> None:
        statement = self._insert(table)
        key = list(table.primary_key)
        news = {name: statement.excluded[name] for name in columns}
        await connection.execute(statement.on_conflict_do_update(index_elements=key, set_=news), rows)

    async def _update(
        self, connection: AsyncConnection, table: Table, columns: tuple[str, ...], rows: list[dict[str, Any]]
    ) -> None:
        """Change rows that are there: of what was lost when it began, nothing is kept."""
        key = [column.name for column in table.primary_key]
        found = and_(*(table.c[name] == bindparam(f"old_{name}") for name in key))
        news: dict[str, ColumnElement[Any]] = {name: bindparam(f"new_{name}") for name in columns}
        values = [
            {f"old_{name}": row[name] for name in key} | {f"new_{name}": row[name] for name in columns}
            for row in rows
        ]
        await connection.execute(update(table).where(found).values(news), values)

    def _is_gone(self, process: str, host: str, pid: int) -> bool:
        """Tell whether a process ran on this machine, and does no more; its number may be ours by now."""
        if process == self._process or host != socket.gethostname():
            return False
        return pid == os.getpid() or not _runs(pid)


def _runs(pid: int) -> bool:
    if os.name == "nt":  # where signal 0 would end it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
