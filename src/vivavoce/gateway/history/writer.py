"""The one task of a gateway that writes its history, beside all sessions and never in their way."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from itertools import chain

from vivavoce.errors import HistoryError
from vivavoce.gateway.history.backlog import Backlog
from vivavoce.gateway.history.changes import Change

__all__ = ["BATCH", "Writer"]

_log = logging.getLogger(__name__)

BATCH = 500
"""Rows that are written in one transaction."""

FIRST_RETRY = 0.5
LAST_RETRY = 30.0
"""Seconds after which a database that did not answer is asked again; each time twice as long, up to the second."""

LINGER = 0.25
"""Seconds that rows wait for others, to be written together."""

Write = Callable[[Iterable[Change]], Awaitable[None]]
Sleep = Callable[[float], Awaitable[None]]


class Writer:
    """Writes what it is given as soon as it can.

    ``prepare`` is asked first, and again until it succeeds; ``write`` then takes rows, all or none of them. Both raise
    `HistoryError`: then everything waits, unless it is ``lasting``. Then rows are tried session by session, and a
    session whose rows can never be written loses them.
    """

    def __init__(
        self,
        prepare: Callable[[], Awaitable[None]],
        write: Write,
        *,
        backlog: Backlog | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._prepare = prepare
        self._write = write
        self._sleep = sleep
        self.backlog = Backlog() if backlog is None else backlog
        self.ready = asyncio.Event()
        """Set once the database has been prepared."""
        self.failure: HistoryError | None = None
        """Why nothing can be written now."""
        self._wanted = asyncio.Event()
        self._hurry = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None

    def __call__(self, change: Change) -> None:
        """Take a change; it never waits and never fails."""
        self.backlog.add(change)
        self._idle.clear()
        self._wanted.set()

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._run())

    async def flush(self) -> None:
        """Return when all that was given is written."""
        self._hurry.set()
        await self._idle.wait()

    async def stop(self, seconds: float) -> None:
        """Write what waits, for so long at the most."""
        if self._task is None:
            return
        try:
            async with asyncio.timeout(seconds):
                await self.flush()
        except TimeoutError:
            _log.error("the history loses %d rows that could not be written in time", len(self.backlog))
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        await self._insist(self._prepare)
        self.ready.set()
        while True:
            await self._wanted.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(LINGER):
                    await self._hurry.wait()
            self._wanted.clear()
            while self.backlog:
                await self._insist(self._write_some)
            self._hurry.clear()
            self._idle.set()

    async def _insist(self, step: Callable[[], Awaitable[None]]) -> None:
        """Take a step, again and again until it succeeds."""
        wait = FIRST_RETRY
        while True:
            try:
                await step()
            except HistoryError as error:
                if self.failure is None:
                    _log.warning("the history cannot be written, and waits: %s", error)
                self.failure = error
                await self._sleep(wait)
                wait = min(2 * wait, LAST_RETRY)
            else:
                if self.failure is not None:
                    _log.warning("the history can be written again")
                self.failure = None
                return

    async def _write_some(self) -> None:
        batch = self.backlog.take(BATCH)
        try:
            await self._write(batch)
        except HistoryError as error:
            if not error.lasting:
                self.backlog.put_back(batch)
                raise
            await self._write_apart(batch)
        except asyncio.CancelledError:
            self.backlog.put_back(batch)
            raise

    async def _write_apart(self, batch: list[Change]) -> None:
        """Write what can be written of a batch that cannot."""
        apart: dict[str, list[Change]] = {}
        for change in batch:
            apart.setdefault(change.session_id, []).append(change)
        for session_id, changes in list(apart.items()):
            try:
                await self._write(changes)
            except HistoryError as error:
                if not error.lasting:
                    self.backlog.put_back(chain.from_iterable(apart.values()))
                    raise
                _log.error("the history loses %d rows of a session: %s", len(changes), error)
                self.backlog.lost += len(changes)
                if any(change.table != "sessions" for change in changes):
                    self.backlog.add(Change("sessions", session_id, session_id, {"incomplete": True}))
            del apart[session_id]
