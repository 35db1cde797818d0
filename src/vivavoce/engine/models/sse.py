"""Server-sent events, as chat servers stream their answers. Pure."""

import codecs
import re

from vivavoce.errors import ModelError

__all__ = ["EventStream"]

LONGEST = 1 << 20
"""Characters of one event; a delta has a hundred, and a whole answer that comes in one piece some thousands."""

_LINE_END = re.compile("\r\n|\n|\r")


class EventStream:
    """Takes a stream as it comes, cut anywhere, and returns the data of each event that it completes."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._data: list[str] = []

    def push(self, chunk: bytes) -> list[str]:
        """Take more bytes. Raises `ModelError` for an event that does not end."""
        text = self._rest + self._decoder.decode(chunk)
        held = text.endswith("\r")  # half of a "\r\n", perhaps
        *lines, rest = _LINE_END.split(text[:-1] if held else text)
        self._rest = rest + "\r" if held else rest
        events = []
        for line in lines:
            if not line and self._data:
                events.append("\n".join(self._data))
                self._data.clear()
            name, _, value = line.partition(":")
            if name == "data":
                self._data.append(value.removeprefix(" "))
        if len(self._rest) + sum(map(len, self._data)) > LONGEST:
            raise ModelError(f"Expected events of at most {LONGEST} characters, and one has more.")
        return events
