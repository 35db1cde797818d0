"""An endpoint that says what another said, at the same pace, to any client that talks to it in the same way."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet

import msgspec

from vivavoce.client.frames import Frame
from vivavoce.client.transport import Transport
from vivavoce.errors import ConnectionLost
from vivavoce.protocol.session import DEFAULT_MODEL
from vivavoce.protocol.session_params import SessionParams

__all__ = ["GATES", "RecordedEndpoint"]

APPEND = "input_audio_buffer.append"

GATES = frozenset({APPEND, "input_audio_buffer.commit", "conversation.item.create", "response.create"})
"""What the client must do before the recording goes on, wherever it was done there."""

OUTBOX_LIMIT = 256
"""Events that may wait for a client that reads slowly."""


class RecordedEndpoint:
    """Plays the server's side of a recording, in every session from the beginning.

    It waits where the client of the recording began to send audio, committed it, added an item or asked for a response,
    until the client does the same, whatever is in it; a ``session.update`` is always answered. From there it goes on at
    the pace of the recording, ``speed`` times as fast. Nothing else that the client sends makes a difference: for that,
    see `vivavoce.testing.Cassette`.
    """

    def __init__(self, frames: Callable[[], Iterator[Frame]], *, speed: float = 1.0) -> None:
        self._frames = frames
        self._speed = speed
        self._sessions: WeakSet[_Session] = WeakSet()

    def connect(self, model: str = DEFAULT_MODEL, params: SessionParams | None = None) -> Transport:  # noqa: ARG002
        """Open a session, the same whatever is asked for."""
        session = _Session(self._frames(), self._speed)
        self._sessions.add(session)
        return session

    async def close(self) -> None:
        """End all sessions."""
        for session in list(self._sessions):
            await session.close(1001, "The endpoint shuts down.")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class _Session:
    def __init__(self, frames: Iterator[Frame], speed: float) -> None:
        self._speed = speed
        self._outbox: asyncio.Queue[bytes] = asyncio.Queue(OUTBOX_LIMIT)
        self._came: Counter[str] = Counter()
        self._news = asyncio.Event()
        self._session: dict[str, Any] = {}
        self._ended = asyncio.get_running_loop().create_future()
        self._playing = asyncio.create_task(self._play(frames), name="recorded endpoint")

    async def send(self, data: bytes | str) -> None:
        """Take one client event."""
        if self._ended.done():
            raise ConnectionLost(*self._ended.result())
        event = msgspec.json.decode(data)
        kind = event.get("type") if isinstance(event, dict) else None
        if kind == "session.update":
            updated = {"type": "session.updated", "event_id": "event_updated", "session": self._session}
            await self._outbox.put(msgspec.json.encode(updated))
        elif isinstance(kind, str):
            self._came[kind] += 1
            self._news.set()

    async def receive(self) -> bytes:
        """Return the next server event."""
        getting = asyncio.ensure_future(self._outbox.get())
        try:
            await asyncio.wait([getting, self._ended], return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                return getting.result()
        finally:
            getting.cancel()
        raise ConnectionLost(*self._ended.result())

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the session. Closing twice does nothing more."""
        if not self._ended.done():
            self._ended.set_result((code, reason))
        self._playing.cancel()
        await asyncio.gather(self._playing, return_exceptions=True)

    async def _play(self, frames: Iterator[Frame]) -> None:
        loop = asyncio.get_running_loop()
        began, last = loop.time(), ""
        for frame in frames:
            kind, at = str(frame.event.get("type")), (frame.t or 0.0) / self._speed
            if frame.dir == "C":
                if kind in GATES and not kind == last == APPEND:
                    await self._pass(kind)
                    began = loop.time() - at
                last = kind if kind in GATES else last
                continue
            if kind in {"session.created", "session.updated"}:
                self._session = frame.event.get("session", {})
            if kind != "session.updated":
                await asyncio.sleep(began + at - loop.time())
                await self._outbox.put(msgspec.json.encode(frame.event))

    async def _pass(self, kind: str) -> None:
        """Wait until the client does this once more; of audio it is enough that there was some."""
        while not self._came[kind]:
            self._news.clear()
            await self._news.wait()
        self._came[kind] = 0 if kind == APPEND else self._came[kind] - 1
