"""A session with an endpoint behind its stages, as one transport: what goes in and comes out has passed them.

So whoever holds a session, over whatever line, speaks to it as to any endpoint. One reads what it says; others may
listen beside, as a sideband does.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from vivavoce.errors import ConnectionLost, ProtocolError
from vivavoce.gateway.beside import TICK_SECONDS, Beside
from vivavoce.gateway.passage import End, Passage, ToClient
from vivavoce.gateway.upstream import Transport
from vivavoce.protocol.codec import Frame

__all__ = ["Guarded", "Listener", "Sideband"]

MOST_WAITING = 512
"""Events that may wait for whoever reads: then the endpoint waits."""

CLEAR = "output_audio_buffer.clear"
"""The one event of a client that is for who plays the answer, and not for the endpoint."""


class Listener:
    """Who listens beside the one that reads. Whoever falls behind by `MOST_WAITING` events is cut off."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[bytes | ConnectionLost] = asyncio.Queue(MOST_WAITING + 1)
        self.lost = False

    def put(self, event: bytes | ConnectionLost) -> None:
        """Take an event, or word that there will be no more."""
        if self.lost:
            return
        if isinstance(event, bytes) and self._events.qsize() >= MOST_WAITING:
            event = ConnectionLost(1008, f"The client is {MOST_WAITING} events behind.")
        self.lost = isinstance(event, ConnectionLost)
        self._events.put_nowait(event)

    async def receive(self) -> bytes:
        """Return the next event. Raises `ConnectionLost` when there are no more."""
        event = await self._events.get()
        if isinstance(event, ConnectionLost):
            raise event
        return event


class Guarded:
    """A transport whose events pass a `Passage`. `close` it, and it closes the one within."""

    def __init__(self, transport: Transport, passage: Passage) -> None:
        self._transport = transport
        self._passage = passage
        self._said: asyncio.Queue[bytes] = asyncio.Queue(MOST_WAITING)
        self._beside = Beside(transport, passage, say=self._say, end=self._end)
        self._ended: asyncio.Future[ConnectionLost] = asyncio.get_running_loop().create_future()
        self._listeners: set[Listener] = set()
        self._closed = False
        for pump in (self._read(), self._beside.add(), self._tick()):
            self._beside.spawn(pump)

    async def send(self, data: str | bytes) -> None:
        """Take one client event; wait while the endpoint is busy. Raises `ConnectionLost` once it is over."""
        if self._ended.done():
            raise self._ended.result()
        text = data.encode() if isinstance(data, str) else data
        await self._beside.do(self._passage.hear(text, time.monotonic()), may_wait=True)

    async def receive(self) -> bytes:
        """Return the next server event. Raises `ConnectionLost` when there are no more."""
        if self._said.empty():
            saying = asyncio.ensure_future(self._said.get())
            either: list[asyncio.Future[Any]] = [saying, self._ended]
            try:
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                if saying.done():
                    return saying.result()
            finally:
                saying.cancel()
            raise self._ended.result()
        return self._said.get_nowait()

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def listen(self) -> Listener:
        """Return what hears every event from now on, until `forget`."""
        listener = Listener()
        self._listeners.add(listener)
        if self._ended.done():
            listener.put(self._ended.result())
        return listener

    def forget(self, listener: Listener) -> None:
        """Let a listener go."""
        self._listeners.discard(listener)

    def tell(self, event: bytes) -> None:
        """Let those who listen hear something that the one that reads knows by itself."""
        for listener in self._listeners:
            listener.put(event)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the session. Closing twice does nothing more."""
        self._end(code, reason)
        if self._closed:
            return
        self._closed = True
        await self._beside.cancel()
        lost = self._ended.result()
        self._passage.ended(End(lost.code, lost.reason), time.monotonic())
        await self._transport.close(lost.code, lost.reason)

    async def _read(self) -> None:
        try:
            while not self._ended.done():
                received = self._passage.receive(await self._transport.receive(), time.monotonic())
                await self._beside.do(received)
        except ConnectionLost as lost:
            self._end(lost.code, lost.reason)
        except ProtocolError as error:
            self._end(1011, f"The endpoint does not speak the protocol: {error}")

    async def _say(self, told: ToClient) -> None:
        self.tell(told.data)
        await self._said.put(told.data)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            await self._beside.tick()

    def _end(self, code: int, reason: str) -> None:
        if not self._ended.done():
            lost = ConnectionLost(code, reason)
            self._ended.set_result(lost)
            for listener in self._listeners:
                listener.put(lost)


class Sideband:
    """A session that somebody else holds, as a transport: it says what that one hears, and closing it ends nothing.

    ``silence`` stops what is played to that one, and says whether it could: otherwise the endpoint is asked to.
    """

    def __init__(self, session: Guarded, silence: Callable[[], bool] = lambda: False) -> None:
        self._session = session
        self._silence = silence
        self._listener = session.listen()

    async def send(self, data: str | bytes) -> None:
        """Take one client event. Raises `ConnectionLost` once the session is over."""
        if not (_clears(data) and self._silence()):
            await self._session.send(data)

    async def receive(self) -> bytes:
        """Return the next server event. Raises `ConnectionLost` when there are no more."""
        return await self._listener.receive()

    async def close(self, code: int = 1000, reason: str = "") -> None:  # noqa: ARG002 - the session goes on
        """Listen no more."""
        self._session.forget(self._listener)


def _clears(data: str | bytes) -> bool:
    try:
        return Frame(data).type == CLEAR
    except ProtocolError:
        return False  # who takes it says what is wrong
