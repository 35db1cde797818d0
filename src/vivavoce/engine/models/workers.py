"""Blocking work in a thread of its own, the urgent first."""

import asyncio
import itertools
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from vivavoce.errors import ModelError

__all__ = ["Worker"]

T = TypeVar("T")


class Worker:
    """One thread that does one thing at a time.

    A model that may only be used by one caller at once gets a worker of its own. Of the work that waits, the
    most urgent is done first, and what nobody awaits any more is not done at all.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._waiting: queue.PriorityQueue[_Work[Any]] = queue.PriorityQueue()
        self._order = itertools.count()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._closed = False
        self._thread.start()

    async def do(self, work: Callable[[], T], *, urgency: int = 0) -> T:
        """Return what ``work`` returns; of what waits, the greater ``urgency`` goes first.

        Whatever ``work`` raises comes out as `ModelError`, with the cause. Cancelling drops work that has not
        begun; work that has begun is finished, and its result forgotten.
        """
        if self._closed:
            raise ModelError(f"{self._name} is closed.")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._waiting.put(_Work(-urgency, next(self._order), work, loop, done))
        return await done  # cancelling whoever awaits it cancels it, at once

    async def close(self) -> None:
        """End the thread, after the work it is at. Closing twice does nothing more."""
        if not self._closed:
            self._closed = True
            self._waiting.put(_Work(-1_000_000, -1, None, None, None))
            await asyncio.to_thread(self._thread.join)
            while not self._waiting.empty():
                left = self._waiting.get_nowait()
                if left.done is not None and not left.done.done():
                    left.done.set_exception(ModelError(f"{self._name} was closed."))

    def _run(self) -> None:
        while (task := self._waiting.get()).work is not None:
            if task.done is not None and not task.done.cancelled():
                task.run(self._name)
            del task  # or it would be kept, with its audio, until the next work comes


class _Work(Generic[T]):
    """Work and who waits for it, ordered by urgency and then by age."""

    def __init__(
        self,
        rank: int,
        order: int,
        work: Callable[[], T] | None,
        loop: asyncio.AbstractEventLoop | None,
        done: asyncio.Future[T] | None,
    ) -> None:
        self.rank = (rank, order)
        self.work = work
        self.done = done
        self._loop = loop

    def __lt__(self, other: "_Work[Any]") -> bool:
        return self.rank < other.rank

    def run(self, name: str) -> None:
        assert self.work is not None
        assert self._loop is not None
        result, failure = None, None
        try:
            result = self.work()
        except ModelError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - told to whoever awaits it
            failure = ModelError(f"{name}: {error}")
            failure.__cause__ = error
        with suppress(RuntimeError):  # the loop is closed: nobody awaits it any more
            self._loop.call_soon_threadsafe(self._settle, result, failure)

    def _settle(self, result: Any, error: ModelError | None) -> None:
        if self.done is None or self.done.done():
            return
        if error is not None:
            self.done.set_exception(error)
        else:
            self.done.set_result(result)
