"""How much of an answer somebody may have heard. Pure."""

import time
from collections.abc import Callable

from .vivavoce.audio.pcm import Samples
from .vivavoce.protocol.session import PCM_RATE

__all__ = ["Earshot"]


class Earshot:
    """Stands for a satellite's loudspeaker, which tells nobody how far it has come.

    It plays from the first sound that it is given, as fast as sound goes by, and waits where it has run dry. A real
    one is behind it by the way over the network, so that what was heard is never more than this.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._given = 0
        self._played = 0
        self._since = 0.0

    @property
    def heard(self) -> int:
        """Samples at 24 kHz since it was last cleared."""
        passed = round((self._clock() - self._since) * PCM_RATE)
        return min(self._given, self._played + passed)

    def play(self, samples: Samples) -> None:
        """Take more to be played."""
        self._played = self.heard
        self._since = self._clock()
        self._given += len(samples)

    def clear(self) -> None:
        """Be silent."""
        self._given = self._played = 0
