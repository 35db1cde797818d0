"""Several processes at one port: started, told to stop, and started again when they die."""

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from vivavoce.errors import VivaVoceError
from vivavoce.gateway.settings import GatewaySettings
from vivavoce.gateway.upstreams.settings import ENGINE

__all__ = ["Process", "Workers", "check", "reserve"]

FIRST_SECONDS, MOST_SECONDS = 0.5, 30.0
"""Before a process that died is started again: twice as long each time that it dies young."""

STEADY_SECONDS = 60.0
"""A process that lived so long did not die of its start."""

_log = logging.getLogger(__name__)


class Process(Protocol):
    """As `multiprocessing` has it."""

    @property
    def pid(self) -> int | None:
        """Its number, once it runs."""
        ...

    @property
    def exitcode(self) -> int | None:
        """How it ended; minus the number of a signal that ended it."""
        ...

    @property
    def sentinel(self) -> int:
        """A file descriptor that can be read when it is over."""
        ...

    def start(self) -> None:
        """Start it."""
        ...

    def join(self) -> None:
        """Take note of how it ended."""
        ...


class Workers:
    """Keeps ``many`` processes running, until it is told to stop."""

    def __init__(
        self,
        many: int,
        make: Callable[[], Process],
        *,
        died: Callable[[int], None] = lambda _: None,
        hopeless: frozenset[int] = frozenset(),
    ) -> None:
        """``died`` is told the numbers of processes that are over; an exit code among ``hopeless`` ends all."""
        self._many = many
        self._make = make
        self._died = died
        self._hopeless = hopeless
        self._running: set[Process] = set()
        self._stopping = asyncio.Event()
        self._code = 0

    async def run(self) -> int:
        """Return when all processes are over: 0, or the hopeless exit code of one of them."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._many):
                group.create_task(self._keep())
        return self._code

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Send this signal to all, and start none again."""
        self._stopping.set()
        self.send(number)

    def send(self, number: int) -> None:
        """Send a signal to all."""
        for process in self._running:
            if process.pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(process.pid, number)

    async def _keep(self) -> None:
        pause = FIRST_SECONDS
        while not self._stopping.is_set():
            began = time.monotonic()
            process = self._make()
            process.start()
            self._running.add(process)
            _log.info("a worker began: %d", process.pid)
            await _over(process)
            self._running.discard(process)
            self._died(process.pid or 0)
            if self._stopping.is_set():
                return
            if process.exitcode in self._hopeless:
                self._code = process.exitcode or 0
                self.stop()
                return
            pause = (
                FIRST_SECONDS if time.monotonic() - began >= STEADY_SECONDS else min(2 * pause, MOST_SECONDS)
            )
            _log.error("a worker died (%s), and is started again in %g s", process.exitcode, pause)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()


async def _over(process: Process) -> None:
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(process.sentinel, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(process.sentinel)
    process.join()


def check(settings: GatewaySettings) -> None:
    """Raise `VivaVoceError` where these settings are not for several processes."""
    if not hasattr(socket, "SO_REUSEPORT"):
        raise VivaVoceError(
            "VIVAVOCE_WORKERS: expected 1 on this system, where processes cannot share a port."
        )
    if settings.call_port:
        raise VivaVoceError(
            f"VIVAVOCE_CALL_PORT: expected none with {settings.workers} processes, which cannot share a UDP port, got "
            f"{settings.call_port}: without it each call has ports of its own."
        )
    loads = ENGINE in (settings.upstream, settings.fallback_upstream) and settings.engine == "builtin"
    if loads and not settings.workers_load_models:
        raise VivaVoceError(
            f"VIVAVOCE_WORKERS: expected 1 with the engine, got {settings.workers}: each process would load the models "
            "for itself, and they would compete for the same cores. VIVAVOCE_WORKERS_LOAD_MODELS=true does it all the "
            "same."
        )


def reserve(settings: GatewaySettings) -> socket.socket:
    """Take the port of the settings, for processes that share it; whoever listens there has to say so too.

    Nobody is answered by this socket, which never listens. Raises `OSError` where others have the port.
    """
    family, kind, protocol, _, at = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[
        0
    ]
    reserved = socket.socket(family, kind, protocol)
    try:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind(at)
    except OSError:
        reserved.close()
        raise
    return reserved
