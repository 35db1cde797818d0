"""How far a download is."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Meter", "Progress"]

STEP = 1 << 20
"""Bytes between two reports: fine enough for a bar, too few to cost anything."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a set of weights is here."""

    name: str
    """The set."""
    file: str
    """The file that is being fetched."""
    done: int
    """Bytes of the set that are here; never less than was reported before."""
    total: int
    """Bytes of the whole set."""
    source: str
    """Where they come from, for people."""


class Meter:
    """Adds up what is here of each file, and tells a callback when it is noticeably more.

    What a source that failed had brought is not subtracted: a bar stands still rather than running backwards.
    """

    def __init__(self, name: str, total: int, tell: Callable[[Progress], None] | None) -> None:
        self._name = name
        self._total = total
        self._tell = tell
        self._here: dict[str, int] = {}
        self._told = -1

    def set(self, file: str, done: int, source: str) -> None:
        """Note that ``done`` bytes of ``file`` are here."""
        self._here[file] = done
        here = min(sum(self._here.values()), self._total)
        if self._tell is None or here <= self._told:
            return
        if here - self._told >= STEP or here == self._total or self._told < 0:
            self._told = here
            self._tell(Progress(self._name, file, here, self._total, source))
