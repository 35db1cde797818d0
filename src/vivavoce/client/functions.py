"""Python functions as tools: their JSON schema from type hints and docstring, their arguments from JSON. Pure."""

import functools
import inspect
import re
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from vivavoce.protocol.tools import FunctionTool

__all__ = ["Function", "describe", "result_text"]

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""What the protocol allows as the name of a function."""

_SECTION = re.compile(r"^(Args|Arguments|Parameters|Returns?|Raises|Yields|Examples?|Notes?)\s*:?\s*$")
_SPHINX = re.compile(r"^:param\s+(?:[^:]*\s)?(\w+)\s*:\s*(.*)$")
_FIELD = re.compile(r"^\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")


@dataclass(frozen=True, slots=True)
class Function:
    """A function that a model may call."""

    name: str
    description: str
    parameters: dict[str, Any]
    """JSON schema of the arguments, an object."""
    call: Callable[..., Any]
    takes: type[msgspec.Struct]
    """The arguments as a struct, which checks and converts them."""

    @property
    def tool(self) -> FunctionTool:
        """What the session is told of it."""
        return FunctionTool(name=self.name, description=self.description, parameters=self.parameters)

    def arguments(self, written: str) -> dict[str, Any]:
        """Return what to call it with; raises `ValueError`, which a model can read, for arguments that do not fit."""
        try:
            given = msgspec.json.decode(written or "{}", type=self.takes)
        except msgspec.DecodeError as error:
            raise ValueError(f"The arguments of {self.name} do not fit its parameters: {error}.") from error
        return {name: getattr(given, name) for name in self.takes.__struct_fields__}


def describe(
    call: Callable[..., Any], *, name: str | None = None, description: str | None = None
) -> Function:
    """Make a tool of a function.

    Its parameters need type hints that JSON has a counterpart for: plain types, lists, dicts, literals, enums,
    optionals, dataclasses, TypedDicts, `msgspec.Struct`; `typing.Annotated` with `msgspec.Meta` adds limits and
    descriptions. What the docstring says of parameters (``Args:`` or ``:param x:``) describes them. Raises
    `TypeError` for what cannot be told to a model.
    """
    called = str(name or getattr(call, "__name__", type(call).__name__))
    if not NAME.fullmatch(called):
        raise TypeError(
            f"Expected a name of up to 64 letters, digits, underscores and hyphens, and got {called!r}."
        )
    about, parameters = _docstring(inspect.getdoc(call) or "")
    takes = _struct(called, call)
    schema = _inlined(msgspec.json.schema(takes))
    for field, text in parameters.items():
        if field in schema["properties"]:
            schema["properties"][field].setdefault("description", text)
    return Function(called, description if description is not None else about, schema, call, takes)


def result_text(result: object) -> str:
    """Return a result as a model reads it: text as it stands, anything else as JSON, or as Python shows it."""
    if isinstance(result, str):
        return result
    return msgspec.json.encode(result, enc_hook=repr).decode()


def _struct(name: str, call: Callable[..., Any]) -> type[msgspec.Struct]:
    hints = typing.get_type_hints(_annotated(call), include_extras=True)
    fields: list[Any] = []
    for parameter in inspect.signature(call).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise TypeError(
                f"{name}: a model calls by name, so *args, **kwargs and positional-only parameters "
                f"such as {parameter} cannot be."
            )
        if parameter.name not in hints:
            raise TypeError(f"{name}: the parameter {parameter.name!r} needs a type hint.")
        default = () if parameter.default is parameter.empty else (_default(parameter.default),)
        fields.append((parameter.name, hints[parameter.name], *default))
    takes = msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=True)
    try:
        msgspec.json.schema(takes)
    except TypeError as error:
        raise TypeError(f"{name}: a parameter's type has no counterpart in JSON: {error}") from error
    return takes


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


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """Put every definition where it is used: not every endpoint follows references.

    What refers to itself cannot be written out, and keeps its reference.
    """
    definitions: dict[str, Any] = schema.get("$defs", {})
    recursive = False

    def inline(part: Any, inside: tuple[str, ...]) -> Any:
        nonlocal recursive
        match part:
            case {"$ref": str(reference)}:
                name = reference.rpartition("/")[2]
                if name in inside:
                    recursive = True
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

    made: dict[str, Any] = inline(schema, ())
    if recursive:
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
