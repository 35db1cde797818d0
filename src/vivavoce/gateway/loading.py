"""Making the endpoint ready while the server already answers, so that a page can show how far it is."""

import asyncio
import logging
from collections.abc import Callable
from typing import Literal

from vivavoce.gateway.upstream import Progress, Upstream

__all__ = ["Loading"]

_log = logging.getLogger(__name__)


class Loading:
    """The start of an endpoint, in the background."""

    def __init__(self, upstream: Upstream, progress: Callable[[Progress], None] | None = None) -> None:
        self._upstream = upstream
        self._listener = progress
        self._task: asyncio.Task[object] | None = None
        self._latest: Progress | None = None

    def begin(self) -> None:
        """Start to load; `finished` waits for the end of it."""
        self._task = asyncio.create_task(self._upstream.start(self._hear), name="loading")
        self._task.add_done_callback(_note)

    async def finished(self) -> None:
        """Return when the endpoint is ready; raise what kept it from that."""
        if self._task is None:
            raise RuntimeError("nothing is being loaded: expected begin() before finished()")
        await asyncio.shield(self._task)

    async def stop(self) -> None:
        """Stop loading, if it still goes on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def state(self) -> Literal["loading", "ready", "failed"]:
        """How far the endpoint is."""
        if self.error:
            return "failed"
        return "ready" if self._upstream.status.state == "ready" else "loading"

    @property
    def error(self) -> str:
        """What kept the endpoint from getting ready; empty while nothing did."""
        if self._task is None or not self._task.done() or self._task.cancelled():
            return ""
        error = self._task.exception()
        return "" if error is None else str(error) or type(error).__name__

    @property
    def progress(self) -> dict[str, str | int] | None:
        """What is being fetched now, in bytes, or None when nothing is."""
        if self._latest is None or self._latest.done >= self._latest.total:
            return None
        return {"name": self._latest.name, "done": self._latest.done, "total": self._latest.total}

    def _hear(self, progress: Progress) -> None:
        self._latest = progress
        if self._listener is not None:
            self._listener(progress)


def _note(task: asyncio.Task[object]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("the models could not be loaded: %s", error)
