"""A browser that listens to a session, and is told no more at once than it can take."""

from collections import deque
from collections.abc import Callable

from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError

from .card_events import Wishes

__all__ = ["Listener"]

MOST_WAITING_OUT = 4096
"""Events that wait for one browser: some minutes of an answer, which comes faster than it is spoken."""
WINDOW = 64
"""Events that a browser has not acknowledged; the rest waits here, and not in front of all else that
its page is told."""


class Listener:
    """One browser: ``send`` takes JSON; ``gone`` is told why there will be no more."""

    def __init__(self, send: Callable[[bytes], None], gone: Callable[[HomeAssistantError], None]) -> None:
        self.wishes = Wishes()
        self._send = send
        self._gone = gone
        self._waiting: deque[bytes] = deque()
        self._under_way = 0

    @callback
    def tell(self, data: bytes) -> bool:
        """Send an event, or keep it until the browser has taken what it was sent; False where it is too slow."""
        if self._under_way < WINDOW:
            self._under_way += 1
            self._send(data)
            return True
        self._waiting.append(data)
        return len(self._waiting) <= MOST_WAITING_OUT

    @callback
    def acknowledge(self, count: int) -> None:
        """Note that the browser has taken so many events."""
        self._under_way = max(0, self._under_way - count)
        while self._waiting and self._under_way < WINDOW:
            self._under_way += 1
            self._send(self._waiting.popleft())

    @callback
    def end(self, error: HomeAssistantError) -> None:
        """Tell why there will be no more."""
        self._waiting.clear()
        self._gone(error)
