"""Whether a server is asked for partial transcripts.

Somebody who speaks for four seconds is heard a dozen times, each time from the beginning. Many servers do one thing
after the other, and finish what nobody waits for any more: on a slow one the final transcript would come after all of
the partial ones. And whoever is paid for what he hears would be paid seven times.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["PROMPT_SECONDS", "Promptness"]

PROMPT_SECONDS = 0.3
"""How long a transcript may take for another to be asked for while somebody speaks: as long as the session waits
between two."""


class Promptness:
    """How long a server takes; ``partials`` tells whether it may be asked for partial transcripts at all."""

    def __init__(self, *, partials: bool = True) -> None:
        self._partials = partials
        self._took = 0.0

    @property
    def worth_asking(self) -> bool:
        """Whether a partial transcript would come in time."""
        return self._partials and self._took <= PROMPT_SECONDS

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Take the time of one request. One that fails, or is given up, may only show that it is slow."""
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            yield
        except BaseException:
            self._took = max(self._took, clock() - began)
            raise
        self._took = clock() - began
