"""Identifiers, as they look on the wire: a word that says of what, and letters and digits at random."""

import random as _random
import string

__all__ = ["Ids"]

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


class Ids:
    """A source of identifiers.

    By default they cannot be guessed. Give a seeded ``random`` to get the same ones again, in tests.
    """

    def __init__(self, random: _random.Random | None = None) -> None:
        self._random = random or _random.SystemRandom()

    def _id(self, prefix: str, length: int = 21) -> str:
        return prefix + "".join(self._random.choices(_BASE62, k=length))

    def event(self) -> str:
        """``event_`` and 21 characters."""
        return self._id("event_")

    def item(self) -> str:
        """``item_`` and 21 characters."""
        return self._id("item_")

    def response(self) -> str:
        """``resp_`` and 21 characters."""
        return self._id("resp_")

    def session(self) -> str:
        """``sess_`` and 21 characters."""
        return self._id("sess_")

    def conversation(self) -> str:
        """``conv_`` and 21 characters."""
        return self._id("conv_")

    def padding(self, length: int) -> str:
        """Return so many letters and digits."""
        return self._id("", length)

    def call(self) -> str:
        """``call_`` and 16 characters."""
        return self._id("call_", 16)
