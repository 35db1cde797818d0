"""An event loop in a thread of its own, for programs that have none."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from vivavoce.errors import VivaVoceError

__all__ = ["Background"]

R = TypeVar("R")


class Background:
    """Runs coroutines and functions in its event loop, for callers in other threads, who wait for what comes of it.

    What is raised there is raised to the caller. The thread begins with `start` and ends with `stop`.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def running(self) -> bool:
        """Whether there is a thread."""
        return self._thread is not None

    def start(self) -> None:
        """Begin; where it has begun, nothing happens."""
        if self._thread is not None:
            return
        ready = threading.Event()
        # A program that forgets to stop it can end nevertheless.
        self._thread = threading.Thread(target=self._main, args=(ready,), name=self._name, daemon=True)
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """End the tasks, the loop and the thread. Stopping twice does nothing more."""
        thread, loop = self._thread, self._loop
        if thread is None or loop is None:
            return
        self._refuse_own()
        self._thread = self._loop = None
        loop.call_soon_threadsafe(loop.stop)
        thread.join()

    def run(self, work: Coroutine[Any, Any, R], seconds: float | None = None) -> R:
        """Wait for a coroutine; raises `TimeoutError` after ``seconds``. Who stops waiting, by whatever, cancels it."""
        try:
            loop = self._ours()
        except VivaVoceError:
            work.close()
            raise
        future = asyncio.run_coroutine_threadsafe(work, loop)
        try:
            return future.result(seconds)
        except BaseException:  # KeyboardInterrupt too
            future.cancel()
            raise

    def call(self, function: Callable[[], R]) -> R:
        """Call a function that does not wait."""

        async def called() -> R:
            return function()

        return self.run(called())

    def _ours(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise VivaVoceError("Expected a client that is connected: use it in a with statement.")
        self._refuse_own()
        return self._loop

    def _refuse_own(self) -> None:
        if threading.current_thread() is self._thread:
            raise VivaVoceError(
                "A handler runs in the client's own thread, which cannot wait for itself; "
                "let the handler put the event aside, or use RealtimeClient."
            )

    def _main(self, ready: threading.Event) -> None:
        with asyncio.Runner() as runner:  # it ends tasks, and waits for functions that run in threads
            self._loop = runner.get_loop()
            ready.set()
            self._loop.run_forever()
