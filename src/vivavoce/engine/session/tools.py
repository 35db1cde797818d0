"""The tools of a session or a response: checked, and made into what a model is told. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from vivavoce.engine.models.protocols import Function
from vivavoce.errors import ProtocolError
from vivavoce.protocol.errors import invalid_value
from vivavoce.protocol.tools import FunctionTool, Tool, ToolChoice, ToolChoiceFunction, ToolChoiceMcp

__all__ = ["Choice", "ToolLimits", "check_choice", "check_tools", "choice", "functions", "length"]

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")

Choice = tuple[Literal["auto", "none", "required"], str | None]
"""Whether something must be called, may be, or may not; and which function it must be."""


@dataclass(frozen=True, slots=True)
class ToolLimits:
    """What tools may be."""

    room: int
    """Characters that their names, descriptions and schemas may have together."""
    check: Callable[[Function], None] = lambda _: None
    """Raises `ValueError` for a function that the language model cannot call."""


def check_tools(tools: Sequence[Tool], param: str, limits: ToolLimits) -> None:
    """Raise `ProtocolError` for tools that the model could not call."""
    seen: set[str] = set()
    for index, tool in enumerate(tools):
        if not isinstance(tool, FunctionTool):
            why = "This endpoint calls no MCP servers; offer their tools as functions."
            raise _refused(f"{param}[{index}].type", why)
        _check_name(tool.name, f"{param}[{index}].name", seen)
        _check_parameters(tool, f"{param}[{index}].parameters", limits)
        seen.add(tool.name)
    if (total := sum(length(function) for function in functions(tools))) > limits.room:
        why = f"All tools together may have {limits.room} characters here, and these have {total}."
        raise _refused(param, why)


def check_choice(choice: ToolChoice, tools: Sequence[Tool], param: str) -> None:
    """Raise `ProtocolError` for a choice that cannot be followed."""
    if isinstance(choice, ToolChoiceMcp):
        raise invalid_value(f"{param}.type", "mcp", ("function",))
    if isinstance(choice, ToolChoiceFunction):
        names = [tool.name for tool in tools if isinstance(tool, FunctionTool)]
        if choice.name not in names:
            raise _refused(f"{param}.name", f"There is no tool '{choice.name}' in '{_tools(param)}'.")


def choice(wanted: ToolChoice) -> Choice:
    """Return what a choice that was checked means."""
    match wanted:
        case ToolChoiceFunction(name=name):
            return "required", name
        case ToolChoiceMcp():
            return "none", None
        case _:
            return wanted, None


def functions(tools: Sequence[Tool]) -> tuple[Function, ...]:
    """Return the functions among tools, as a model is told of them."""
    return tuple(
        Function(
            tool.name,
            tool.description or "",
            msgspec.json.encode(tool.parameters or {}).decode(),
        )
        for tool in tools
        if isinstance(tool, FunctionTool)
    )


def length(function: Function) -> int:
    """Return how many characters a model has to read to know a function."""
    return len(function.name) + len(function.description) + len(function.parameters)


def _check_name(name: str, param: str, seen: set[str]) -> None:
    if name in seen:
        raise _refused(param, f"Two tools are named '{name}'.")
    if not _NAME.fullmatch(name):
        raise _refused(param, "Expected 1 to 64 letters, digits, underscores and hyphens.")


def _check_parameters(tool: FunctionTool, param: str, limits: ToolLimits) -> None:
    kind = (tool.parameters or {"type": "object"}).get("type")
    if kind != "object":
        raise _bad_schema(tool.name, f'Expected a schema of type "object", and got {kind!r}.', param)
    try:
        limits.check(functions([tool])[0])
    except ValueError as error:
        raise _bad_schema(tool.name, str(error), param) from error


def _tools(param: str) -> str:
    return param.removesuffix("tool_choice") + "tools"


def _bad_schema(name: str, why: str, param: str) -> ProtocolError:
    message = f"Invalid schema for function '{name}'. {why}"
    return ProtocolError(message, code="invalid_function_parameters", param=param)


def _refused(param: str, why: str) -> ProtocolError:
    return ProtocolError(f"Invalid value for '{param}'. {why}", code="invalid_value", param=param)
