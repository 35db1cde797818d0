"""How much audio an event carries, and of which item it is, without decoding it. Pure.

A chunk of 40 ms takes 0.6 µs; decoding it takes 5.
"""

import re

__all__ = ["audio_size", "item_of"]

_AUDIO = re.compile(rb'(?<!\\)"(?:audio|delta)"\s*:\s*"')
_ITEM = re.compile(rb'(?<!\\)"item_id"\s*:\s*"([^"]*)"')
"""No quotation mark stands in a JSON string without a backslash before it, and no colon follows a value: these match
names of fields only."""


def audio_size(event: bytes) -> int:
    """Return the bytes of audio in ``input_audio_buffer.append`` or ``response.output_audio.delta``."""
    found = _AUDIO.search(event)
    if found is None:
        return 0
    start = found.end()
    stop = event.find(b'"', start)
    if stop < 0:
        return 0
    # Some writers of JSON put a backslash before each slash.
    letters = stop - start - event.count(b"\\", start, stop) - event.count(b"=", max(start, stop - 2), stop)
    return letters * 3 // 4


def item_of(event: bytes) -> str:
    """Return the ``item_id`` of an event, or nothing where it has none."""
    found = _ITEM.search(event)
    return found[1].decode(errors="replace") if found else ""
