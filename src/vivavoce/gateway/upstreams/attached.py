"""What controls a call at an endpoint: attached anew where its line breaks, for the call goes on without it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from vivavoce.client.retrying import Backoff, Fate, Reconnect, fate
from vivavoce.errors import ConnectionFailed, ConnectionLost
from vivavoce.gateway.upstream import Transport

__all__ = ["Attached"]

_log = logging.getLogger(__name__)

PASSING = frozenset({1006, 1012, 1013})
"""Close codes that tell of the line or the server, and not of the call: lost, restarted, overloaded."""

PATIENCE = Reconnect(attempts=4)
"""With an endpoint that lets nobody attach again."""


class Attached:
    """A transport that begins as ``transport``; ``attach`` makes another. What is said between two is not heard."""

    def __init__(self, transport: Transport, attach: Callable[[], Awaitable[Transport]]) -> None:
        self._transport = transport
        self._attach = attach
        self._backoff = Backoff(PATIENCE)
        self._whole = asyncio.Event()
        self._whole.set()

    async def send(self, data: str | bytes) -> None:
        """Give the endpoint one client event; wait while the line is broken. Raises `ConnectionLost`."""
        await self._whole.wait()
        await self._transport.send(data)

    async def receive(self) -> str | bytes:
        """Return the next server event. Raises `ConnectionLost` when the call is over, or cannot be had again."""
        while True:
            try:
                event = await self._transport.receive()
            except ConnectionLost as lost:
                if lost.code not in PASSING or not await self._again():
                    raise
            else:
                self._backoff.reset()
                return event

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Control the call no more."""
        await self._transport.close(code, reason)

    async def _again(self) -> bool:
        """Attach again; False where there is no such call any more, or nobody to ask."""
        self._whole.clear()
        try:
            await self._transport.close()
            while (pause := self._backoff.wait()) is not None:
                await asyncio.sleep(pause)
                try:
                    self._transport = await self._attach()
                except ConnectionFailed as failed:
                    if fate(failed) is Fate.FATAL:
                        return False
                else:
                    _log.warning("the line to a call broke; what was said until now was not heard")
                    return True
            return False
        finally:
            self._whole.set()
