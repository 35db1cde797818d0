"""The arguments of functions: JSON schemas from anybody, made into such as a small model can be held to. Pure.

llama.cpp writes what a grammar allows; a schema that it cannot make a grammar of it leaves out, with a word on
stderr, and the model then writes what it likes. So schemas are read here, into a dialect of JSON schema that has a
grammar for certain. It is a narrow one: all that fits it fits the schema it comes from, but texts, numbers, lists and
free objects have an end, since small models go round in circles, and properties that a schema does not name are
written only where it asks for them.

What cannot be promised is refused: ``not``, ``if``, ``patternProperties``, ``uniqueItems``, schemas that contain
themselves and some more. ``oneOf`` is taken for ``anyOf``, and of the formats ``date``, ``time`` and ``date-time``
are kept to; others are remarks, as the standard has it.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from vivavoce.engine.models.protocols import Function
from vivavoce.engine.models.values import (
    KEY,
    MAX_ITEMS,
    MAX_TEXT,
    Schema,
    anything,
    count,
    list_of,
    number,
    one_of,
    short,
    text,
    unexpected,
)

__all__ = ["MAX_CHARS", "Parameter", "Parameters", "check_function", "parameters"]

MAX_CHARS = 16_384
"""Characters of one function's schema. The prompt has room for less; a grammar of so many is made in 0.1 s."""

MAX_PARTS = 256
"""Schemas within a schema, each counted wherever it is referred to."""

MAX_DEPTH = 8
"""Levels of objects, lists and alternatives."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_REMARKS = {
    "$schema", "$id", "$comment", "$anchor", "$defs", "definitions", "title", "description", "default", "examples",
    "example", "deprecated", "readOnly", "writeOnly", "contentEncoding", "contentMediaType", "strict",
}  # fmt: skip
_OF_TYPE = {
    "string": frozenset({"minLength", "maxLength", "pattern", "format"}),
    "number": frozenset(
        {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format"}
    ),
    "object": frozenset({"properties", "required", "additionalProperties", "minProperties", "maxProperties"}),
    "array": frozenset({"items", "minItems", "maxItems", "uniqueItems"}),
    "boolean": frozenset[str](),
    "null": frozenset[str](),
}
_OF_TYPE["integer"] = _OF_TYPE["number"]
_KNOWN = _REMARKS.union(
    *_OF_TYPE.values(), {"type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "nullable"}
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a function."""

    name: str
    schema: Schema
    """What it may be: a schema that has a grammar."""
    required: bool
    description: str = ""


@dataclass(frozen=True, slots=True)
class Parameters:
    """All that a function takes."""

    named: tuple[Parameter, ...]
    others: Schema | None = None
    """What parameters of other names may be; None where there are no others."""


def check_function(function: Function) -> None:
    """Raise `ValueError` for a function that no model could be made to call rightly, saying what was expected."""
    if not _NAME.fullmatch(function.name):
        raise ValueError(
            f"Expected a name of 1 to 64 letters, digits, '_' and '-', and got {short(function.name)}."
        )
    parameters(function.parameters)


@lru_cache(maxsize=128)
def parameters(schema: str) -> Parameters:
    """Read a function's schema, given as JSON. Raises `ValueError`, which says what was expected and where."""
    if len(schema) > MAX_CHARS:
        raise ValueError(f"Expected a schema of at most {MAX_CHARS} characters, and got {len(schema)}.")
    try:
        root = msgspec.json.decode(schema)
    except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError) as error:
        raise ValueError(f"Expected a JSON schema, and got none: {error}.") from error
    if not isinstance(root, dict):
        raise unexpected("parameters", "a JSON schema of an object", root)
    reader = _Reader(root)
    whole = reader.resolved({"type": "object", **root}, "parameters", ())
    if whole.get("type") != "object" or {"anyOf", "oneOf", "enum", "const"} & whole.keys():
        raise unexpected("parameters", "a schema of type 'object', without alternatives", root)
    _no_strangers(whole, "parameters")
    described = whole.get("properties")
    body = reader.object({"additionalProperties": False, **whole}, "parameters", 0)
    if "<|" in json.dumps(body):
        raise ValueError("Expected names and values without '<|', which begins what only a model may write.")
    named = tuple(
        Parameter(name, part, name in body["required"], _description(described, name))
        for name, part in body["properties"].items()
    )
    others = None if "maxProperties" in whole else body.get("patternProperties", {}).get(KEY)
    return Parameters(named, others)


class _Reader:
    """Reads one schema, with what it defines for itself."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._parts = 0

    def read(self, schema: Any, path: str, depth: int) -> Schema:
        """Return a schema of the narrow dialect."""
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise ValueError(f"Expected at most {MAX_PARTS} schemas within a schema, and got more.")
        if depth > MAX_DEPTH:
            raise ValueError(f"Expected at most {MAX_DEPTH} levels, and '{path}' is deeper.")
        if schema is True:
            return anything()
        if not isinstance(schema, dict):
            raise unexpected(path, "a JSON schema", schema)
        schema = self.resolved(schema, path, ())
        _no_strangers(schema, path)
        if schema.get("nullable") is True and "enum" not in schema:
            plain = {name: value for name, value in schema.items() if name != "nullable"}
            return _either([self.read(plain, path, depth), {"type": "null"}])
        for name in ("anyOf", "oneOf"):
            if name in schema:
                return self._alternatives(schema, name, path, depth)
        if "enum" in schema or "const" in schema:
            return one_of(schema, path)
        return self._of_type(schema, path, depth)

    def object(self, schema: Schema, path: str, depth: int) -> Schema:
        """Return the narrow schema of an object."""
        properties = schema.get("properties", {})
        if not isinstance(properties, dict):
            raise unexpected(f"{path}.properties", "an object", properties)
        required = schema.get("required", [])
        if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
            raise unexpected(f"{path}.required", "a list of names", required)
        required = list(dict.fromkeys(required))
        parts = {name: self.read(part, f"{path}.{name}", depth + 1) for name, part in properties.items()}
        extra = schema.get("additionalProperties", not properties)
        for name in required:
            if name not in parts:
                if extra is False:
                    raise ValueError(
                        f"Expected '{path}.properties' to have {short(name)}, which is required."
                    )
                parts[name] = self.read(extra, f"{path}.{name}", depth + 1)
        for name in parts:
            if not 0 < len(name) <= MAX_TEXT // 4:
                raise ValueError(f"Expected names of 1 to {MAX_TEXT // 4} characters in '{path}.properties'.")
        body: Schema = {
            "type": "object",
            "properties": parts,
            "required": required,
            "additionalProperties": False,
        }
        least = count(schema, "minProperties", path, 0)
        most = count(schema, "maxProperties", path, len(parts) + MAX_ITEMS)
        if least > len(required) or most < len(parts):
            raise ValueError(
                f"Expected '{path}' to limit the number of properties only by those that it names and requires."
            )
        counted = len(required) == len(parts)
        if extra is not False and most > len(parts) and (counted or "maxProperties" not in schema):
            body["patternProperties"] = {KEY: self.read(extra, f"{path}.additionalProperties", depth + 1)}
            if counted:
                body["maxProperties"] = min(most, len(parts) + MAX_ITEMS)
        return body

    def resolved(self, schema: Schema, path: str, seen: tuple[str, ...]) -> Schema:
        """Return a schema with what it refers to, and with all that it must be at once, put in."""
        reference = schema.get("$ref")
        merged = {name: value for name, value in schema.items() if name not in {"$ref", "allOf"}}
        parts = schema.get("allOf", [])
        if not isinstance(parts, list):
            raise unexpected(f"{path}.allOf", "a list of schemas", parts)
        if reference is not None:
            if reference in seen:
                raise ValueError(f"Expected schemas that do not contain themselves, and {reference!r} does.")
            parts = [self._find(reference, path), *parts]
            seen = (*seen, reference)
        for part in parts:
            if part is True:
                continue
            if not isinstance(part, dict):
                raise unexpected(path, "a JSON schema", part)
            if len(seen) > MAX_DEPTH:
                raise ValueError(f"Expected at most {MAX_DEPTH} references in a row at '{path}'.")
            merged = _merged(merged, self.resolved(part, path, seen), path)
        return merged

    def _find(self, reference: Any, path: str) -> Any:
        found: Any = self._root
        if not isinstance(reference, str) or not reference.startswith("#/"):
            raise unexpected(f"{path}.$ref", "a place in this schema, such as '#/$defs/name'", reference)
        for step in reference[2:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, dict) or name not in found:
                raise unexpected(f"{path}.$ref", "a place in this schema", reference)
            found = found[name]
        return found

    def _alternatives(self, schema: Schema, name: str, path: str, depth: int) -> Schema:
        options = schema[name]
        if not isinstance(options, list) or not options:
            raise unexpected(f"{path}.{name}", "a list of schemas", options)
        common = {key: value for key, value in schema.items() if key != name}
        whole = []
        for place, option in enumerate(options):
            where = f"{path}.{name}[{place}]"
            if option is not True and not isinstance(option, dict):
                raise unexpected(where, "a JSON schema", option)
            resolved = self.resolved(option, where, ()) if option is not True else {}
            whole.append(self.read(_merged(common, resolved, where), where, depth + 1))
        return _either(whole)

    def _of_type(self, schema: Schema, path: str, depth: int) -> Schema:
        kind = schema.get("type", _guessed(schema))
        if isinstance(kind, list) and kind:
            return _either(
                [
                    self._of_type({**schema, "type": one}, path, depth)
                    for one in kind
                    if not ("integer" in kind and "number" in kind and one == "integer")
                ]
            )
        match kind:
            case None:
                return anything()
            case "string":
                return text(schema, path)
            case "integer" | "number":
                return number(schema, kind, path)
            case "boolean" | "null":
                return {"type": kind}
            case "array":
                return self._list(schema, path, depth)
            case "object":
                return self.object(schema, path, depth)
        raise unexpected(f"{path}.type", f"one of {', '.join(sorted(_OF_TYPE))}", kind)

    def _list(self, schema: Schema, path: str, depth: int) -> Schema:
        if schema.get("uniqueItems", False) is not False:
            raise _unsupported("uniqueItems", path)
        least = count(schema, "minItems", path, 0)
        most = min(count(schema, "maxItems", path, MAX_ITEMS), MAX_ITEMS)
        if least > most:
            raise ValueError(f"Expected '{path}' to ask for 0 to {most} items, and it asks for {least}.")
        items = self.read(schema.get("items", True), f"{path}[]", depth + 1)
        return list_of(items, least, most)


_BOUNDS: dict[str, Callable[..., Any]] = {
    "minimum": max,
    "maximum": min,
    "minLength": max,
    "maxLength": min,
    "minItems": max,
    "maxItems": min,
}
"""Which of two bounds is the one that holds."""


def _shared_types(one: Any, other: Any) -> Any:
    """Return what is of both types, as ``type`` has it; None where nothing is. A whole number is a number too."""
    kinds = [[kind] if isinstance(kind, str) else kind for kind in (one, other)]
    if not all(isinstance(each, list) and all(isinstance(kind, str) for kind in each) for each in kinds):
        return None
    wide = [{*each, *(["integer"] if "number" in each else [])} for each in kinds]
    both = wide[0] & wide[1]
    if "number" in both:
        both.discard("integer")
    return next(iter(both)) if len(both) == 1 else sorted(both) or None


def _merged(one: Schema, other: Schema, path: str) -> Schema:
    """Return a schema of what fits both."""
    merged = dict(one)
    for name, value in other.items():
        if name in _REMARKS or name not in merged or merged[name] == value:
            merged.setdefault(name, value)
        elif name == "properties" and isinstance(value, dict) and isinstance(merged[name], dict):
            both = merged[name].keys() & value.keys()
            if any(
                merged[name][key] != value[key] and True not in (merged[name][key], value[key])
                for key in both
            ):
                raise ValueError(f"Expected '{path}' to describe each property once.")
            merged[name] = {**merged[name], **{key: part for key, part in value.items() if part is not True}}
            merged[name] |= {key: True for key in value if key not in merged[name]}
        elif name == "required" and isinstance(value, list) and isinstance(merged[name], list):
            merged[name] = [*merged[name], *(key for key in value if key not in merged[name])]
        elif name == "type" and (types := _shared_types(merged[name], value)):
            merged[name] = types
        elif name in _BOUNDS and all(type(bound) in (int, float) for bound in (merged[name], value)):
            merged[name] = _BOUNDS[name](merged[name], value)
        else:
            raise ValueError(
                f"Expected '{path}' to have one '{name}', and it has two that must hold at once."
            )
    return merged


def _either(options: Iterable[Schema]) -> Schema:
    whole = list(options)
    return whole[0] if len(whole) == 1 else {"anyOf": whole}


def _guessed(schema: Schema) -> str | None:
    """Return the type of a schema that tells none, by what else it tells."""
    return next(
        (
            kind
            for kind in ("object", "array", "string", "number")
            if (_OF_TYPE[kind] - {"format"}) & schema.keys()
        ),
        None,
    )


def _no_strangers(schema: Schema, path: str) -> None:
    for name in schema.keys() - _KNOWN:
        if not name.startswith("x-"):
            raise _unsupported(name, path)


def _description(properties: Any, name: str) -> str:
    part = properties.get(name) if isinstance(properties, dict) else None
    told = part.get("description", "") if isinstance(part, dict) else ""
    return told if isinstance(told, str) else ""


def _unsupported(name: str, path: str) -> ValueError:
    return ValueError(f"Expected a schema without '{short(name)}' at '{path}': it is not supported here.")
