"""Keeping one session where another process finds it: when something happened, and now and then while it listens."""

import asyncio
import time
from contextlib import suppress
from dataclasses import replace

from aiohttp import WSCloseCode

from vivavoce.errors import LinkError
from vivavoce.gateway.bridge import Bridge
from vivavoce.gateway.opening import Opening
from vivavoce.gateway.resume.snapshot import Snapshot, write
from vivavoce.gateway.resume.tokens import Ticket
from vivavoce.gateway.shared.directory import Directory
from vivavoce.gateway.shared.sealing import seal
from vivavoce.gateway.shared.settings import SharedSettings
from vivavoce.gateway.upstreams.enduring import EnduringTransport

__all__ = ["TAKEN", "Keeper"]

GAP_SECONDS = 0.1
"""Between two snapshots at the least: what happens in between is in the next."""

TAKEN = "The client came back to another process."
"""Why a session is over here that goes on elsewhere."""


class Keeper:
    """One session's. ``window`` is how long its client may be away, in seconds."""

    def __init__(
        self,
        directory: Directory,
        settings: SharedSettings,
        opening: Opening,
        transport: EnduringTransport,
        ticket: Ticket[Bridge],
        *,
        window: float,
    ) -> None:
        self._directory = directory
        self._settings = settings
        self._opening = opening
        self._transport = transport
        self._ticket = ticket
        self._window = window
        self._began = time.monotonic()
        self._writing = asyncio.Lock()
        self._entry = b""
        """The digest under which it is kept."""

    async def run(self, bridge: Bridge) -> None:
        """Keep it until it is cancelled, or another process has it."""
        while True:
            self._transport.progress.clear()
            with suppress(LinkError):  # then it is tried again
                if not await self._write(bridge):
                    bridge.end(WSCloseCode.GOING_AWAY, TAKEN)
                    return
            await asyncio.sleep(GAP_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.snapshot_seconds):
                    await self._transport.progress.wait()

    async def end(self, bridge: Bridge, *, moves: bool) -> None:
        """Leave it for other processes, if it ``moves``; else it is over."""
        with suppress(LinkError):
            if moves:
                await self._write(bridge, leaves=True)
            elif self._entry:
                await self._directory.forget(self._entry)

    async def renew(self, bridge: Bridge) -> None:
        """Keep it under the next token of its client, and no more under the last."""
        with suppress(LinkError):
            await self._write(bridge)

    async def _write(self, bridge: Bridge, *, leaves: bool = False) -> bool:
        async with self._writing:
            return await self._write_once(bridge, leaves=leaves)

    async def _write_once(self, bridge: Bridge, *, leaves: bool) -> bool:
        digest, last = self._ticket.digest, self._entry
        said, received = bridge.delivery, bridge.taken
        age = self._opening.age + time.monotonic() - self._began
        snapshot = Snapshot(
            opening=replace(self._opening, age=age),
            at=time.time(),
            received=received,
            said=said.kept,
            complete=said.complete,
            state=self._transport.state,
            last=leaves,
            lost=list(self._transport.lost),
        )
        data = write(snapshot, self._settings.snapshot_bytes)
        sealed = seal(self._ticket.key, data, name=digest)
        seconds = self._window + self._settings.snapshot_seconds
        written = await self._directory.write(digest, sealed, seconds, leaves=leaves)
        self._entry = digest
        if last and last != digest:
            await self._directory.forget(last)
        return written
