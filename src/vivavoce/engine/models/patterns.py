"""Which regular expressions of JSON schemas can be held to. Pure.

A schema's patterns are written for JavaScript, and llama.cpp's constrained decoding reads them with Rust's syntax,
without looking around and back. What is taken here means the same to both, and to Python.
"""

import re
from typing import Any

__all__ = ["MAX_PATTERN", "check_pattern"]

MAX_PATTERN = 200
"""Characters of a pattern."""

MAX_REPEATS = 256
"""How often the same may be asked for, counting what is repeated within repeats."""

_PLAIN = r"[^\\^$.|?*+()\[\]{}\x00-\x1f\x7f]"
_ESCAPED = r"\\[dws.\\/^$|?*+()\[\]{}\-]"
_IN_CLASS = r"(?:[^\\\[\]^&~\-\x00-\x1f\x7f]|" + _ESCAPED + ")"
_CLASS = rf"\[\^?(?:{_IN_CLASS}(?:-{_IN_CLASS})?)+-?\]"
_PART = re.compile(
    rf"(?P<one>{_PLAIN}|{_ESCAPED}|{_CLASS}|\.)|(?P<open>\((?:\?:)?)|(?P<close>\))|(?P<or>\|)"
    r"|(?P<repeat>[?*+])|(?P<count>\{(?P<least>\d{1,4})(?:,(?P<most>\d{0,4}))?\})"
)


def check_pattern(pattern: Any, path: str) -> None:
    """Raise `ValueError` for a regular expression that is broken, too long, or uses more than the plain syntax."""
    if not isinstance(pattern, str) or len(pattern) > MAX_PATTERN:
        raise ValueError(f"Expected a pattern of at most {MAX_PATTERN} characters at '{path}.pattern'.")
    if not _plain(pattern):
        raise ValueError(
            f"Expected a plain pattern at '{path}.pattern': characters, classes, groups, '|' and repeats, of at most "
            f"{MAX_REPEATS} where they are counted, with '^' in front or not, and '$' at the end or not."
        )
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"Expected a regular expression at '{path}.pattern': {error}.") from error


def _plain(pattern: str) -> bool:
    """Tell whether a pattern has nothing but the syntax that all dialects share, and its counts are small."""
    body = pattern.removeprefix("^")
    body = body[:-1] if re.search(r"(?<!\\)(\\\\)*\$$", body) else body
    if re.search(r"[\^$]", pattern) and "|" in pattern and "(" not in pattern:
        return False  # the anchors would belong to one side only
    place, before = 0, "open"
    largest = [1]  # the largest count in each group that is open, and of everything outside
    inside = 1  # and in what stands in front
    while place < len(body):
        if (part := _PART.match(body, place)) is None:
            return False
        kind, place = part.lastgroup or "", part.end()
        match kind:
            case "open":
                largest.append(1)
            case "close" if len(largest) == 1:
                return False
            case "close":
                inside = largest.pop()
                largest[-1] = max(largest[-1], inside)
            case "repeat" | "count" | "least" | "most":
                if before not in {"one", "close"}:
                    return False
                inside *= max(int(part["least"] or 1), int(part["most"] or 1)) if part["least"] else 1
                largest[-1] = max(largest[-1], inside)
                kind = "repeat"
            case _:
                inside = 1
        if largest[-1] > MAX_REPEATS:
            return False
        before = kind
    return True
