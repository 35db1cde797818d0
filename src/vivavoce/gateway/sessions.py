"""The sessions that are open, how many there may be, and their common end."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from vivavoce.gateway.bridge import Bridge
from vivavoce.gateway.refusal import Refusal

__all__ = ["Sessions"]


class Sessions:
    """All sessions of this gateway.

    A place is taken before the upgrade, so that two clients never get the last one.
    """

    def __init__(self, limit: int, *, retry_after: int) -> None:
        self._limit = limit
        self._retry_after = retry_after
        self._open: set[Bridge] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._draining = False

    def __len__(self) -> int:
        return len(self._open)

    def refuse(self) -> Refusal | None:
        """Return why there is no place for one more, or None when there is."""
        if self._draining:
            return self._not_now("The server stops.", "going_away")
        if len(self._open) >= self._limit:
            return self._not_now(
                f"All {self._limit} sessions of this server are taken (VIVAVOCE_MAX_SESSIONS).",
                "too_many_sessions",
            )
        return None

    @contextmanager
    def hold(self, bridge: Bridge) -> Iterator[None]:
        """Keep a place for a session while it lasts."""
        self._open.add(bridge)
        self._empty.clear()
        try:
            yield
        finally:
            self._open.discard(bridge)
            if not self._open:
                self._empty.set()

    async def end_all(self, code: int, reason: str) -> None:
        """Let nobody in any more, end every session, and return when they are gone."""
        self._draining = True
        for bridge in self._open:
            bridge.end(code, reason)
        await self._empty.wait()

    def _not_now(self, message: str, code: str) -> Refusal:
        return Refusal(
            HTTPStatus.SERVICE_UNAVAILABLE,
            message,
            code=code,
            type="server_error",
            retry_after=self._retry_after,
        )
