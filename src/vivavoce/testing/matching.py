"""Comparing what came with what was expected, of which only some may be known beforehand. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from vivavoce.errors import ScriptFailed

__all__ = ["Names", "Ref", "difference", "fill", "ref"]

Names = dict[str, Any]
"""What references have come to stand for."""

LONGEST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Ref:
    """Whatever comes in its place first, and the same from then on."""

    name: str


def ref(name: str) -> Ref:
    """Stand for a value that is not known yet: an identifier, say, that the client makes up."""
    return Ref(name)


def difference(expected: Any, got: Any, names: Names, where: str = "") -> str | None:
    """Say how ``got`` differs from what is ``expected``, or return None.

    An expected object may have fewer fields, at any depth; a list must have as many elements. ``...`` is anything, a
    compiled regular expression is found in a text, a type is that of a value, a function says itself whether it
    accepts one, and a `Ref` is looked up in ``names``, or put there.
    """
    match expected:
        case _ if expected is ...:
            return None
        case Ref(name):
            return _unequal(names.setdefault(name, got), got, where)
        case re.Pattern():
            fits = isinstance(got, str) and expected.search(got) is not None
            return None if fits else _differs(where, f"text that matches {expected.pattern!r}", got)
        case Mapping():
            return _different_object(expected, got, names, where)
        case list() | tuple():
            return _different_list([*expected], got, names, where)
        case type():
            return (
                None
                if isinstance(got, expected)
                else _differs(where, f"a value of type {expected.__name__}", got)
            )
        case Callable():
            return None if expected(got) else _differs(where, f"what {_name(expected)} accepts", got)
        case _:
            return _unequal(expected, got, where)


def fill(value: Any, names: Names) -> Any:
    """Put what references stand for in their place; raises `ScriptFailed` for one that stands for nothing yet."""
    match value:
        case Ref(name):
            if name not in names:
                raise ScriptFailed(
                    f"Expected something to come for ref({name!r}) before it is sent, got nothing."
                )
            return names[name]
        case Mapping():
            return {key: fill(inner, names) for key, inner in value.items()}
        case list() | tuple():
            return [fill(inner, names) for inner in value]
        case _:
            return value


def _different_object(expected: Mapping[str, Any], got: Any, names: Names, where: str) -> str | None:
    if not isinstance(got, dict):
        return _differs(where, "an object", got)
    for key, wanted in expected.items():
        inner = f"{where}.{key}" if where else key
        if key not in got:
            return f"{inner}: expected {_shown(wanted)}, but it is absent"
        if (found := difference(wanted, got[key], names, inner)) is not None:
            return found
    return None


def _different_list(expected: list[Any], got: Any, names: Names, where: str) -> str | None:
    if not isinstance(got, list):
        return _differs(where, "a list", got)
    if len(got) != len(expected):
        return _differs(where, f"a list of {len(expected)}", got)
    found = (
        difference(one, other, names, f"{where}[{i}]")
        for i, (one, other) in enumerate(zip(expected, got, strict=True))
    )
    return next((finding for finding in found if finding is not None), None)


def _unequal(expected: Any, got: Any, where: str) -> str | None:
    same = expected == got and isinstance(expected, bool) is isinstance(got, bool)
    return None if same else _differs(where, _shown(expected), got)


def _differs(where: str, expected: str, got: Any) -> str:
    return f"{where}: expected {expected}, got {_shown(got)}"


def _shown(value: Any) -> str:
    match value:
        case Ref(name):
            return f"ref({name!r})"
        case re.Pattern():
            return f"text that matches {value.pattern!r}"
        case _ if value is ... or callable(value):
            return "something"
    text = msgspec.json.encode(value, enc_hook=_shown).decode()
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _name(function: Callable[[Any], Any]) -> str:
    return getattr(function, "__name__", repr(function))
