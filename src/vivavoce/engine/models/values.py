"""The values that a small model can be held to: texts, numbers, lists and free objects that have an end. Pure.

Each function reads a part of somebody's JSON schema (`schema`) and returns one that is as narrow or narrower. They
raise `ValueError` for what is malformed, or leaves nothing to choose from.
"""

import json
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from vivavoce.engine.models.patterns import check_pattern

__all__ = [
    "KEY",
    "MAX_ITEMS",
    "MAX_NUMBER",
    "MAX_TEXT",
    "Schema",
    "anything",
    "count",
    "free_object",
    "list_of",
    "number",
    "one_of",
    "short",
    "text",
    "unexpected",
]

Schema = dict[str, Any]

MAX_TEXT = 400
"""Characters of a text: about a hundred tokens, ten seconds of a small model's work."""

MAX_ITEMS = 32
"""Items of a list, and properties of an object that names none of its own."""

MAX_NUMBER = 10**12
STEP = Decimal("0.000001")
"""Numbers have at most so many digits in front of the point and behind it."""

KEY = "^[A-Za-z_][A-Za-z0-9_]{0,39}$"
"""The name of a property that no schema names."""

_KINDS = ("string", "number", "integer", "boolean", "null", "array", "object")
_FORMATS = ("date", "time", "date-time")


def list_of(items: Schema, least: int, most: int) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def free_object(part: Schema) -> Schema:
    """Return the schema of an object whose properties have any names."""
    return {
        "type": "object",
        "properties": {},
        "required": [],
        "additionalProperties": False,
        "patternProperties": {KEY: part},
        "maxProperties": MAX_ITEMS,
    }


def anything() -> Schema:
    """Return the schema of any JSON that is not too large: plain values, and lists and objects of them."""
    plain = [
        {"type": "string", "minLength": 0, "maxLength": MAX_TEXT},
        number({}, "number", ""),
        {"type": "boolean"},
        {"type": "null"},
    ]
    return {"anyOf": [*plain, free_object({"anyOf": plain}), list_of({"anyOf": plain}, 0, MAX_ITEMS)]}


def text(schema: Schema, path: str) -> Schema:
    """Return the narrow schema of a text."""
    least = count(schema, "minLength", path, 0)
    most = min(count(schema, "maxLength", path, MAX_TEXT), MAX_TEXT)
    if least > most:
        raise ValueError(f"Expected '{path}' to ask for 0 to {most} characters, and it asks for {least}.")
    if "pattern" in schema:
        check_pattern(schema["pattern"], path)
        if {"minLength", "maxLength"} & schema.keys():
            raise ValueError(f"Expected '{path}' to have a pattern or a length, and it has both.")
        return {"type": "string", "pattern": schema["pattern"]}
    if schema.get("format") in _FORMATS:
        return {"type": "string", "format": schema["format"]}
    return {"type": "string", "minLength": least, "maxLength": most}


def number(schema: Schema, kind: str, path: str) -> Schema:
    """Return the narrow schema of a number: from one multiple of its step to another."""
    step = _decimal(schema, "multipleOf", path)
    if step is None:
        step = STEP if kind == "number" else Decimal(1)
    smallest = STEP if kind == "number" else Decimal(1)
    if step < smallest or step % smallest or step > MAX_NUMBER:
        raise ValueError(f"Expected '{path}.multipleOf' to be a multiple of {smallest:f}, and got {step:f}.")
    low, high = Decimal(-MAX_NUMBER), Decimal(MAX_NUMBER)
    for name, edge in (("minimum", 0), ("exclusiveMinimum", 1)):
        if (bound := _decimal(schema, name, path)) is not None:
            steps = (bound / step).to_integral_value(ROUND_CEILING)
            low = max(low, (steps + edge * (steps * step == bound)) * step)
    for name, edge in (("maximum", 0), ("exclusiveMaximum", 1)):
        if (bound := _decimal(schema, name, path)) is not None:
            steps = (bound / step).to_integral_value(ROUND_FLOOR)
            high = min(high, (steps - edge * (steps * step == bound)) * step)
    low, high = -(-low // step) * step, high // step * step
    if low > high:
        raise ValueError(
            f"Expected '{path}' to leave numbers to choose from, between -1e12 and 1e12; it leaves none."
        )
    bounds = {"minimum": low, "maximum": high, "multipleOf": step}
    return {
        "type": kind,
        **{name: int(value) if value == int(value) else float(value) for name, value in bounds.items()},
    }


def one_of(schema: Schema, path: str) -> Schema:
    """Return the narrow schema of one of some values."""
    values = schema.get("enum", [schema.get("const")])
    if not isinstance(values, list) or not values:
        raise unexpected(f"{path}.enum", "a list of values", values)
    if "enum" in schema and "const" in schema:
        values = [value for value in values if value == schema["const"]]
    kinds = schema.get("type", list(_KINDS))
    kinds = kinds if isinstance(kinds, list) else [kinds]
    fitting = [
        value for value in values if _kinds(value) & set(kinds) or (value is None and schema.get("nullable"))
    ]
    if not fitting:
        raise ValueError(f"Expected '{path}' to have values of its type, and it has none.")
    return {"enum": fitting}


def _kinds(value: Any) -> set[str]:
    match value:
        case None:
            return {"null"}
        case bool():
            return {"boolean"}
        case int():
            return {"integer", "number"}
        case float():
            return {"number", "integer"} if value == int(value) else {"number"}
        case str():
            return {"string"}
        case list():
            return {"array"}
    return {"object"}


def count(schema: Schema, name: str, path: str, default: int) -> int:
    """Return a count that a schema tells, or the default."""
    value = schema.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise unexpected(f"{path}.{name}", "a number of 0 or more", value)
    return value


def _decimal(schema: Schema, name: str, path: str) -> Decimal | None:
    value = schema.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise unexpected(f"{path}.{name}", "a number", value)
    exact = Decimal(str(value))
    if abs(exact) > MAX_NUMBER * MAX_NUMBER:
        raise unexpected(f"{path}.{name}", "a number between -1e24 and 1e24", value)
    return exact


def unexpected(path: str, expected: str, got: Any) -> ValueError:
    """Return an error that says what was expected where."""
    return ValueError(f"Expected {expected} at '{path}', and got {short(got)}.")


def short(value: Any) -> str:
    """Return what a value looks like, in a few words."""
    told = value if isinstance(value, str) else json.dumps(value)
    return f"{told[:60]}…" if len(told) > 60 else told
