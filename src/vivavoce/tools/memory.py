"""What an assistant remembers of who speaks, from one conversation to the next."""

import asyncio
import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Protocol

import msgspec
from filelock import FileLock, Timeout
from msgspec import Meta

from vivavoce.client.functions import describe
from vivavoce.client.tool import Tool, ToolContext
from vivavoce.errors import ToolError

__all__ = [
    "KEY_CHARACTERS",
    "MOST_KEYS",
    "VALUE_CHARACTERS",
    "JsonMemory",
    "Memory",
    "SqliteMemory",
    "memory_tools",
]

MOST_KEYS = 100
"""What is remembered of one user; all of it may be told at once, and is cut like any result."""

KEY_CHARACTERS = 64
VALUE_CHARACTERS = 1_000

LOCK_SECONDS = 5.0
"""For another process to be done with the file."""


class Memory(Protocol):
    """Remembers values by user and key; each user's are kept apart. What fails raises `ToolError`."""

    async def known(self, user: str) -> dict[str, str]:
        """Return what is remembered of a user."""
        ...

    async def remember(self, user: str, key: str, value: str) -> None:
        """Keep a value in place of the one before; more than `MOST_KEYS` are refused."""
        ...

    async def forget(self, user: str, key: str) -> bool:
        """Drop a value; return whether there was one."""
        ...


class JsonMemory:
    """Memory in a JSON file that people can read, for up to some thousand users.

    It is replaced as a whole, so that it is never half written, and locked meanwhile, so that several processes may
    share it. A file that is no such memory is left alone.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)

    async def known(self, user: str) -> dict[str, str]:
        """Return what is remembered of a user."""
        return (await asyncio.to_thread(self._read)).get(user, {})

    async def remember(self, user: str, key: str, value: str) -> None:
        """Keep a value in place of the one before; more than `MOST_KEYS` are refused."""

        def remember() -> None:
            with self._changing() as memory:
                known = memory.setdefault(user, {})
                known[key] = value
                _check(len(known))

        await asyncio.to_thread(remember)

    async def forget(self, user: str, key: str) -> bool:
        """Drop a value; return whether there was one."""

        def forget() -> bool:
            with self._changing() as memory:
                return memory.get(user, {}).pop(key, None) is not None

        return await asyncio.to_thread(forget)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, dict[str, str]]]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self._path}.lock", timeout=LOCK_SECONDS):
                memory = self._read()
                yield memory
                self._write({user: known for user, known in memory.items() if known})
        except Timeout as error:
            raise ToolError("The memory is busy; it may work in a moment.") from error
        except OSError as error:
            raise ToolError(f"The memory cannot be written: {error.strerror}.") from error

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, dict[str, str]])
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ToolError(f"The memory cannot be read: {error.strerror}.") from error
        except msgspec.DecodeError as error:
            raise ToolError(f"The memory cannot be read: {self._path.name} holds something else.") from error

    def _write(self, memory: dict[str, dict[str, str]]) -> None:
        text = msgspec.json.format(msgspec.json.encode(memory), indent=2)
        with tempfile.NamedTemporaryFile(
            dir=self._path.parent, prefix=f".{self._path.name}.", delete=False
        ) as file:
            try:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(self._path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise


class SqliteMemory:
    """Memory in an SQLite file, for any number of users and processes."""

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)

    async def known(self, user: str) -> dict[str, str]:
        """Return what is remembered of a user."""

        def known() -> dict[str, str]:
            with self._open() as database:
                rows = database.execute(
                    "SELECT key, value FROM memory WHERE user = ? ORDER BY rowid", (user,)
                )
                return dict(rows.fetchall())

        return await asyncio.to_thread(known)

    async def remember(self, user: str, key: str, value: str) -> None:
        """Keep a value in place of the one before; more than `MOST_KEYS` are refused."""

        def remember() -> None:
            with self._open() as database:
                database.execute(
                    "INSERT INTO memory VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                    (user, key, value),
                )
                [count] = database.execute("SELECT count(*) FROM memory WHERE user = ?", (user,)).fetchone()
                _check(count)

        await asyncio.to_thread(remember)

    async def forget(self, user: str, key: str) -> bool:
        """Drop a value; return whether there was one."""

        def forget() -> bool:
            with self._open() as database:
                gone = database.execute("DELETE FROM memory WHERE user = ? AND key = ?", (user, key))
                return gone.rowcount > 0

        return await asyncio.to_thread(forget)

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one transaction, which is undone if anything fails."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.closing(sqlite3.connect(self._path, timeout=LOCK_SECONDS)) as database, database:
                database.execute(
                    "CREATE TABLE IF NOT EXISTS memory "
                    "(user TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (user, key))"
                )
                yield database
        except (sqlite3.Error, OSError) as error:
            raise ToolError(f"The memory cannot be used: {error}.") from error


def memory_tools(memory: Memory) -> list[Tool]:
    """Return ``set_memory``, ``get_memory`` and ``delete_memory``, for the user of the session (`ToolContext`)."""
    Key = Annotated[str, Meta(min_length=1, max_length=KEY_CHARACTERS)]  # noqa: N806 - a type

    async def set_memory(
        key: Key, value: Annotated[str, Meta(max_length=VALUE_CHARACTERS)], context: ToolContext
    ) -> str:
        """Remember something about the user, now and in later conversations.

        Args:
            key: What it is about, in lower case with underscores, such as "favourite_colour".
            value: What is to be remembered.

        """
        await memory.remember(context.user, key, value)
        return "Remembered."

    async def get_memory(context: ToolContext, key: Key | None = None) -> dict[str, str]:
        """Recall what is remembered about the user.

        Args:
            key: What it is about; leave it out to recall everything.

        """
        known = await memory.known(context.user)
        if key is None:
            return known
        if key not in known:
            raise ToolError(
                f"Nothing is remembered as {key}. There is: {', '.join(known) or 'nothing at all'}."
            )
        return {key: known[key]}

    async def delete_memory(key: Key, context: ToolContext) -> str:
        """Forget something about the user.

        Args:
            key: What it is about.

        """
        if not await memory.forget(context.user, key):
            raise ToolError(f"Nothing is remembered as {key}.")
        return "Forgotten."

    return [describe(set_memory), describe(get_memory), describe(delete_memory)]


def _check(count: int) -> None:
    if count > MOST_KEYS:
        raise ToolError(f"No more than {MOST_KEYS} things are remembered; forget one first.")
