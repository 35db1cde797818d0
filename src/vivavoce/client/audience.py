"""Those who follow a session: streams of events, and handlers for them."""

import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakSet

from vivavoce.client.streams import EventStream, StreamEvent
from vivavoce.client.tasks import Tasks

__all__ = ["Audience", "Handler"]

_log = logging.getLogger(__name__)

Handler = Callable[[Any], Awaitable[None] | None]
"""Takes what it is called for: a server event, or a notice of the client."""


class Audience:
    """Tells every event to all who want it. Asynchronous handlers run as ``tasks``."""

    def __init__(self, tasks: Tasks) -> None:
        self.own = EventStream()
        """The client's own stream, which has all events from the first."""
        self._tasks = tasks
        self._streams: WeakSet[EventStream] = WeakSet()  # who reads one keeps it
        self._handlers: dict[str, list[Handler]] = {}
        self._ended = False
        self._error: Exception | None = None

    def stream(self) -> EventStream:
        """Return a stream of the events from now on."""
        stream = EventStream()
        self._streams.add(stream)
        if self._ended:
            stream.end(self._error)
        return stream

    def on(self, kind: str, handler: Handler) -> Callable[[], None]:
        """Call a handler for every event of a type, or of any for ``*``; what it returns takes it off again."""
        handlers = self._handlers.setdefault(kind, [])
        handlers.append(handler)
        return lambda: handlers.remove(handler)

    def tell(self, event: StreamEvent) -> None:
        """Tell an event."""
        self.own.put(event)
        if self._streams:
            for stream in self._streams:
                stream.put(event)
        if self._handlers:
            for kind in (event.type, "*"):
                for handler in list(self._handlers.get(kind, ())):
                    self.call(handler, event)

    def call(self, handler: Handler, told: Any) -> None:
        """Call a handler. One that fails is logged: the session goes on."""
        try:
            result = handler(told)
        except Exception:  # noqa: BLE001 - whatever it raises
            _log.exception("a handler of %s failed", told.type)
            return
        if result is not None and inspect.isawaitable(result):
            self._tasks.spawn(_awaited(result), f"handler of {told.type}")

    def end(self, error: Exception | None) -> None:
        """Tell that there will be no more; streams raise ``error`` behind their last event."""
        self._ended, self._error = True, error
        for stream in (self.own, *self._streams):
            stream.end(error)


async def _awaited(awaitable: Awaitable[None]) -> None:
    await awaitable
