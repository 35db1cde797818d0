"""What goes on beside a session: what its stages add, what they work at, and all that its holder spawns.

Whoever holds a session, over a WebSocket or as a transport, does what the `Passage` says in the same way; only how the
client is told, and how the session ends, is the holder's own.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any

from aiohttp import WSCloseCode

from vivavoce.errors import ConnectionLost
from vivavoce.gateway.passage import End, Output, Passage, Task, ToClient, ToEndpoint
from vivavoce.gateway.upstream import Transport

__all__ = ["MOST_ADDED", "TICK_SECONDS", "Beside"]

TICK_SECONDS = 1.0
"""From one time that the stages are asked for what is due to the next."""

MOST_ADDED = 256
"""Events of the stages that may wait for the endpoint; a stage that adds more is at fault, and its session ends."""

_log = logging.getLogger(__name__)


class Beside:
    """Does what a passage says. ``say`` tells the client; ``end`` takes word that it is over, and why."""

    def __init__(
        self,
        transport: Transport,
        passage: Passage,
        *,
        say: Callable[[ToClient], Awaitable[None]],
        end: Callable[[int, str], None],
    ) -> None:
        self._transport = transport
        self._passage = passage
        self._say = say
        self._end = end
        self._added: asyncio.Queue[bytes] = asyncio.Queue(MOST_ADDED)
        self._in_order = asyncio.Event()
        self._in_order.set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def in_order(self) -> bool:
        """Whether an event of the client can be sent now: not before those that a stage has held back, and let go."""
        return self._in_order.is_set()

    async def do(self, outputs: Iterable[Output], *, may_wait: bool = False) -> None:
        """Do these. Only who ``may_wait`` for the endpoint does: all else is sent by `add`, before what comes next."""
        for output in outputs:
            match output:
                case ToClient():
                    await self._say(output)
                case ToEndpoint(data) if may_wait:
                    await self._in_order.wait()
                    await self._transport.send(data)
                case ToEndpoint(data):
                    self._added.put_nowait(data)
                    self._in_order.clear()
                case Task():
                    self.spawn(self._work(output))
                case End(code, reason):
                    self._end(code, reason)

    async def add(self) -> None:
        """Send the endpoint what did not come from the client, for as long as there is one."""
        try:
            while True:
                data = await self._added.get()
                # Who reads the endpoint delivers its last events, and then ends the session.
                with suppress(ConnectionLost):
                    await self._transport.send(data)
                if self._added.empty():
                    self._in_order.set()
        finally:
            self._in_order.set()  # who waits learns from the transport that it is over

    async def tick(self) -> None:
        """Let the stages do what is due."""
        await self.do(self._passage.tick(time.monotonic()))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something run until it ends or `cancel` ends it; where it fails, the session does."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._check)

    async def cancel(self) -> None:
        """End all that runs, but for the task that asks, and wait until it has ended."""
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, task: Task) -> None:
        effects = await task.work()
        await self.do(self._passage.enter(task.position, effects, time.monotonic()))

    def _check(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a session failed", exc_info=error)
            self._end(WSCloseCode.INTERNAL_ERROR, "The session failed; this is a defect of the server.")
