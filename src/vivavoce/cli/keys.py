"""The space bar as a talk key, in a terminal, which tells of keys that go down and never of keys that come up."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from typing import IO

from vivavoce.errors import VivaVoceError

__all__ = ["FIRST_REPEAT_SECONDS", "NEXT_REPEAT_SECONDS", "SpaceBar", "presses", "unbuffered"]

FIRST_REPEAT_SECONDS = 0.7
"""A key that is held repeats after 250 ms (Linux console) to 660 ms (X11) for the first time."""

NEXT_REPEAT_SECONDS = 0.2
"""And then every 30 to 90 ms: when that stops, the key has come up."""

SPACE = b" "


class SpaceBar:
    """Tells from the times of its strokes when the key is down. Pure.

    Held, it is down until it stops repeating. Tapped, it is down until it is tapped again.
    """

    def __init__(self) -> None:
        self.down = False
        self._repeating = False
        self._last = 0.0

    def strike(self, now: float) -> None:
        """Take one stroke, which may be a repetition."""
        if not self.down:
            self.down, self._repeating = True, False
        elif self._repeating or now - self._last < FIRST_REPEAT_SECONDS:
            self._repeating = True
        else:
            self.down = False
        self._last = now

    @property
    def due(self) -> float | None:
        """When `wait` should be called, unless there is another stroke before; None: no need."""
        return self._last + NEXT_REPEAT_SECONDS if self.down and self._repeating else None

    def wait(self, now: float) -> None:
        """Note that time has passed without a stroke."""
        if self.due is not None and now >= self.due:
            self.down = False


@contextmanager
def unbuffered(terminal: IO[str]) -> Iterator[int]:
    """Let a terminal give every key at once, unseen, and set it back as it was, whatever happens.

    Yields its file descriptor. Raises `VivaVoceError` when it is no terminal.
    """
    try:
        import termios  # noqa: PLC0415 - not on Windows
        import tty  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise VivaVoceError("Push-to-talk needs a terminal of a Unix; talk hands-free here.") from error
    if not terminal.isatty():
        raise VivaVoceError("Push-to-talk needs a terminal to read the space bar from; talk hands-free here.")
    descriptor = terminal.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield descriptor
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


async def presses(terminal: IO[str] = sys.stdin) -> AsyncGenerator[bool, None]:
    """Yield True whenever the space bar goes down, False whenever it comes up."""
    loop = asyncio.get_running_loop()
    strokes: asyncio.Queue[bytes] = asyncio.Queue(16)
    bar = SpaceBar()
    with unbuffered(terminal) as descriptor:

        def take() -> None:
            with suppress(asyncio.QueueFull):  # more strokes than anybody could mean
                strokes.put_nowait(os.read(descriptor, 64))

        loop.add_reader(descriptor, take)
        try:
            while True:
                was = bar.down
                try:
                    async with asyncio.timeout_at(bar.due):
                        keys = await strokes.get()
                except TimeoutError:
                    bar.wait(loop.time())
                else:
                    if SPACE in keys:
                        bar.strike(loop.time())
                if bar.down != was:
                    yield bar.down
        finally:
            loop.remove_reader(descriptor)
