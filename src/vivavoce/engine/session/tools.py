"""The tools of a session or a response: checked, and made into what a model is told. Pure."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from vivavoce.engine.models.protocols import Function
from vivavoce.errors import ProtocolError
from vivavoce.protocol.errors import invalid_value
from vivavoce.protocol.tools import FunctionTool, Tool, ToolChoice, ToolChoiceFunction, ToolChoiceMcp

__all__ = ["Choice", "check_choice", "check_tools", "choice", "functions", "length"]

Choice = tuple[Literal["auto", "none", "required"], str | None]
"""Whether something must be called, may be, or may not; and which function it must be."""


def check_tools(tools: Sequence[Tool], param: str, *, room: int) -> None:
    """Raise `ProtocolError` for tools that the model could not call.

    ``room`` is how many characters their names, descriptions and schemas may have together.
    """
    seen: set[str] = set()
    for index, tool in enumerate(tools):
        if not isinstance(tool, FunctionTool):
            why = "This endpoint calls no MCP servers; offer their tools as functions."
            raise _refused(f"{param}[{index}].type", why)
        _check_name(tool.name, f"{param}[{index}].name", seen)
        seen.add(tool.name)
    if (total := sum(length(function) for function in functions(tools))) > room:
        why = f"All tools together may have {room} characters here, and these have {total}."
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


def _tools(param: str) -> str:
    return param.removesuffix("tool_choice") + "tools"


def _refused(param: str, why: str) -> ProtocolError:
    return ProtocolError(f"Invalid value for '{param}'. {why}", code="invalid_value", param=param)
