"""Python functions as tools: their JSON schema from type hints and docstring, their arguments from JSON."""

import functools
import inspect
import re
import typing
from collections.abc import Callable
from typing import Any

import msgspec

from vivavoce.client.tool import RESULT_CHARACTERS, Approval, Tool, ToolContext, called

__all__ = ["describe", "inlined"]

MOST_PARTS = 10_000
"""Parts of a schema without references: one that refers to itself in ever more ways would have no end."""

_SECTION = re.compile(r"^(Args|Arguments|Parameters|Returns?|Raises|Yields|Examples?|Notes?)\s*:?\s*$")
_SPHINX = re.compile(r"^:param\s+(?:[^:]*\s)?(\w+)\s*:\s*(.*)$")
_FIELD = re.compile(r"^\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")


def describe(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    description: str | None = None,
    background: bool = False,
    seconds: float | None = None,
    approve: Approval | None = None,
    characters: int = RESULT_CHARACTERS,
) -> Tool:
    """Make a tool of a function. One that is not asynchronous runs in a thread.

    Its parameters need type hints that JSON has a counterpart for: plain types, lists, dicts, literals, enums,
    optionals, dataclasses, TypedDicts, `msgspec.Struct`; `typing.Annotated` with `msgspec.Meta` adds limits and
    descriptions. What the docstring says of parameters (``Args:`` or ``:param x:``) describes them. A parameter of
    the type `ToolContext` is given the call's context, and the model does not know of it. All else is as in `Tool`.
    Raises `TypeError` for what cannot be told to a model.
    """
    title = str(name or getattr(function, "__name__", type(function).__name__))
    about, notes = _docstring(inspect.getdoc(function) or "")
    takes, context_name = _struct(title, function)
    schema = inlined(msgspec.json.schema(takes))
    for field, text in notes.items():
        if field in schema["properties"]:
            schema["properties"][field].setdefault("description", text)

    def read(written: str) -> dict[str, Any]:
        try:
            given = msgspec.json.decode(written or "{}", type=takes)
        except msgspec.DecodeError as error:
            raise ValueError(f"The arguments of {title} do not fit its parameters: {error}.") from error
        return {field: getattr(given, field) for field in takes.__struct_fields__}

    async def call(arguments: dict[str, Any], context: ToolContext) -> object:
        return await called(function, **arguments, **({context_name: context} if context_name else {}))

    return Tool(
        name=title,
        description=about if description is None else description,
        parameters=schema,
        call=call,
        read=read,
        background=background,
        seconds=seconds,
        approve=approve,
        characters=characters,
    )


def _struct(name: str, call: Callable[..., Any]) -> tuple[type[msgspec.Struct], str]:
    """Return the arguments as a struct, which checks and converts them, and the parameter for the context, if any."""
    hints = typing.get_type_hints(_annotated(call), include_extras=True)
    fields: list[Any] = []
    context = ""
    for parameter in inspect.signature(call).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise TypeError(
                f"{name}: a model calls by name, so *args, **kwargs and positional-only parameters "
                f"such as {parameter} cannot be."
            )
        if parameter.name not in hints:
            raise TypeError(f"{name}: the parameter {parameter.name!r} needs a type hint.")
        if hints[parameter.name] is ToolContext:
            context = parameter.name
            continue
        default = () if parameter.default is parameter.empty else (_default(parameter.default),)
        fields.append((parameter.name, hints[parameter.name], *default))
    takes = msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=True)
    try:
        msgspec.json.schema(takes)
    except TypeError as error:
        raise TypeError(f"{name}: a parameter's type has no counterpart in JSON: {error}") from error
    return takes, context


def _annotated(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return what carries the type hints of a callable."""
    while isinstance(call, functools.partial):
        call = call.func
    return call if inspect.isroutine(call) else type(call).__call__


def _default(value: object) -> Any:
    """Let every call have its own copy of a default that can be changed."""
    if isinstance(value, list | dict | set):
        return msgspec.field(default_factory=value.copy)
    return value


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with every definition where it is used: not every endpoint follows references.

    What refers to itself cannot be written out, and keeps its reference; what would become too large stays as it is.
    """
    definitions = {name: meant for name, meant in schema.get("$defs", {}).items() if isinstance(meant, dict)}
    kept = False
    parts = 0

    def inline(part: Any, inside: tuple[str, ...]) -> Any:
        nonlocal kept, parts
        parts += 1
        if parts > MOST_PARTS:
            return part
        match part:
            case {"$ref": str(reference)}:
                name = reference.removeprefix("#/$defs/")
                if name in inside or name not in definitions:
                    kept = True
                    return dict(part)
                rest = {key: value for key, value in part.items() if key not in ("$ref", "$defs")}
                meant = {key: value for key, value in definitions[name].items() if key != "title"}
                return inline(meant, (*inside, name)) | rest
            case dict():
                return {key: inline(value, inside) for key, value in part.items()}
            case list():
                return [inline(value, inside) for value in part]
            case _:
                return part

    made: dict[str, Any] = inline({key: value for key, value in schema.items() if key != "$defs"}, ())
    if parts > MOST_PARTS:
        return schema
    if kept and definitions:
        made["$defs"] = definitions
    return made


def _docstring(text: str) -> tuple[str, dict[str, str]]:
    """Return what a docstring says of the function, and what of its parameters."""
    about: list[str] = []
    parameters: dict[str, str] = {}
    section, current, margin = "", "", 0
    for line in text.splitlines():
        stripped = line.strip()
        indent = len(line) - len(line.lstrip())
        if match := _SECTION.match(stripped):
            section, current, margin = match[1], "", 0
        elif match := _SPHINX.match(stripped):
            section, current = "sphinx", match[1]
            parameters[current] = match[2]
        elif stripped.startswith((":return", ":rais", ":rtype", ":type")):
            section, current = "sphinx", ""
        elif section in ("Args", "Arguments", "Parameters"):
            margin = margin or indent
            if indent <= margin and (match := _FIELD.match(stripped)):
                current = match[1]
                parameters[current] = match[2]
            elif current and stripped:
                parameters[current] = f"{parameters[current]} {stripped}".strip()
        elif section == "sphinx":
            if current and stripped:
                parameters[current] = f"{parameters[current]} {stripped}".strip()
        elif not section:
            about.append(stripped)
    return " ".join(" ".join(about).split()), parameters
