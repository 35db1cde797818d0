"""What the signals of the system ask of a server."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable

__all__ = ["SHUTDOWN_SECONDS", "Signals"]

SHUTDOWN_SECONDS = 5.0
"""From `Signals.stop_now` to the end of the process, whatever a model or a download is doing."""


class Signals:
    """SIGTERM asks to stop gently, SIGINT and a second SIGTERM at once, and one more ends the process."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        """Set when the server is to stop, in whichever way."""
        self.at_once = asyncio.Event()
        """Set when it is to do so at once."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._heed, number)

    def _heed(self, number: int) -> None:
        if number == signal.SIGINT or self.asked.is_set():
            self.stop_now()
        self.asked.set()

    @staticmethod
    def on_hangup(call: Callable[[], None]) -> None:
        """Do this whenever SIGHUP comes, where there is such a signal."""
        if hasattr(signal, "SIGHUP"):
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, call)

    def stop_now(self) -> None:
        """Begin the end: from now on the process has `SHUTDOWN_SECONDS`, and the next signal ends it."""
        if self.at_once.is_set():
            return
        self.at_once.set()
        self.asked.set()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        # A thread that computes or downloads cannot be interrupted, and the interpreter would wait for it.
        deadline = threading.Timer(SHUTDOWN_SECONDS, os._exit, (0,))
        deadline.daemon = True
        deadline.start()
