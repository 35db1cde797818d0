"""The database of the history: an SQLite file, or PostgreSQL."""

import asyncio
import os
import sqlite3
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic.util import CommandError
from asyncpg import InterfaceError, PostgresError
from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    SQLAlchemyError,
)
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from vivavoce.errors import HistoryError
from vivavoce.gateway.history.migrate import migrate

if TYPE_CHECKING:
    import aiosqlite

__all__ = ["BUSY_SECONDS", "Database", "address"]

BUSY_SECONDS = 5
"""How long to wait for a connection, and for another process that writes to the same SQLite file."""

ANSWER_SECONDS = 15
"""How long a server may take for one statement."""

CONNECTIONS = 4
"""At one time; one of them writes."""

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}

_PRAGMAS = (
    "journal_mode = WAL",  # readers and the writer do not wait for each other
    "synchronous = NORMAL",  # with WAL, a power cut may cost the last writes, and never the file
    "foreign_keys = ON",
    "secure_delete = ON",  # what is deleted is overwritten
)

_migrating: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = weakref.WeakKeyDictionary()
"""Alembic's operations are global, so that there can be one migration at a time."""


def address(url: str) -> URL:
    """Read ``sqlite:///PATH`` or ``postgresql://…``. Raises `HistoryError`, which tells nothing of a password."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise HistoryError("Expected sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME.") from None
    name = parsed.drivername.partition("+")[0]
    if name not in _DRIVERS or (name == "sqlite" and parsed.database in {None, "", ":memory:"}):
        expected = "sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME"
        raise HistoryError(
            f"Expected {expected}, got a URL of {parsed.drivername!r}, or one that names no database."
        )
    return parsed.set(drivername=_DRIVERS[name])


class Database:
    """Opens transactions. Whatever goes wrong with the database is a `HistoryError`."""

    def __init__(self, url: str) -> None:
        self._url = address(url)
        sqlite = self._url.get_backend_name() == "sqlite"
        self._file = Path(self._url.database or "") if sqlite else None
        connect: dict[str, Any] = (
            {"timeout": BUSY_SECONDS}
            if sqlite
            else {"timeout": BUSY_SECONDS, "command_timeout": ANSWER_SECONDS}
        )
        self._engine = create_async_engine(
            self._url,
            connect_args=connect,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=BUSY_SECONDS,
            pool_pre_ping=not sqlite,
        )
        if sqlite:
            event.listen(self._engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self._engine.sync_engine, "begin", _begin_sqlite)

    @property
    def name(self) -> str:
        """The database for people to read, without a password."""
        return str(self._file) if self._file else self._url.render_as_string(hide_password=True)

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    async def prepare(self) -> None:
        """Make the database, or bring it to the newest version."""
        if self._file is not None:
            try:
                await asyncio.to_thread(_make_file, self._file)
            except OSError as error:
                raise HistoryError(f"Cannot make {self._file}: {error.strerror}.") from error
        lock = _migrating.setdefault(asyncio.get_running_loop(), asyncio.Lock())
        async with lock, self.write() as connection:
            try:
                await connection.run_sync(migrate)
            except CommandError as error:
                raise HistoryError(f"{self.name} is from another version of this program: {error}") from error

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Begin a transaction that only reads."""
        async with _told(self.name), self._engine.connect() as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Begin a transaction that writes, and commit it unless something goes wrong."""
        async with _told(self.name), self._engine.connect() as connection:
            # An SQLite transaction that only begins to write later fails if another has written meanwhile.
            await connection.execution_options(vivavoce_writes=True)
            async with connection.begin():
                yield connection

    async def scrub(self) -> None:
        """Leave nothing of what was deleted in the file's log, as far as nobody reads it at this moment."""
        if self._file is None:
            return
        async with _told(self.name), self._engine.connect() as connection:
            driver: aiosqlite.Connection = (await connection.get_raw_connection()).driver_connection  # type: ignore[assignment]
            async with driver.execute("pragma wal_checkpoint(truncate)"):
                pass  # it has been done, outside of any transaction

    async def close(self) -> None:
        """Let go of all connections."""
        await self._engine.dispose()


@asynccontextmanager
async def _told(name: str) -> AsyncIterator[None]:
    """Make one error of all that drivers and networks raise."""
    try:
        yield
    except DBAPIError as error:
        lasting = (
            isinstance(error, _LASTING) or str(getattr(error.orig, "sqlstate", ""))[:2] in _LASTING_STATES
        )
        raise HistoryError(f"{name}: {_reason(error)}", lasting=lasting) from None
    except (OverflowError, UnicodeError) as error:
        raise HistoryError(f"{name}: {type(error).__name__}", lasting=True) from None
    except (PostgresError, InterfaceError, OSError) as error:  # of a connection that is being made
        raise HistoryError(f"{name}: {error or type(error).__name__}") from None
    except SQLAlchemyError as error:
        raise HistoryError(f"{name}: {type(error).__name__}") from None


def _reason(error: DBAPIError) -> str:
    """Say what is wrong, without anything that was to be written: some messages of drivers quote that."""
    if isinstance(error.orig, sqlite3.OperationalError):
        return str(error.orig)
    state = getattr(error.orig, "sqlstate", None)
    cause = error.orig.__cause__ or error.orig if error.orig else error
    return f"{type(cause).__name__} ({state})" if state else type(cause).__name__


_LASTING = (DataError, IntegrityError, NotSupportedError)
_LASTING_STATES = frozenset({"22", "23", "54"})
"""Classes of PostgreSQL's conditions: data, integrity, limits. A row that does not fit never will."""


def _make_file(path: Path) -> None:
    """Make an empty file that nobody else may read; what SQLite puts beside it has the same rights."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver begins no transaction of its own
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"pragma {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("vivavoce_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
