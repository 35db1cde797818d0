"""Tools at work: functions are called for the model, and whatever happens becomes a result that it can speak about."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from vivavoce.client.functions import Function, result_text
from vivavoce.protocol.tools import FunctionTool

__all__ = ["TOOL_SECONDS", "Approval", "ToolCall", "Toolbox"]

TOOL_SECONDS = 30.0
"""How long a tool may take; a listener waits for the answer."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model made."""

    call_id: str
    name: str
    arguments: dict[str, Any]


Approval = Callable[[ToolCall], Awaitable[bool] | bool]
"""Says whether a call may be made: asked before every call of a tool that wants it."""


@dataclass(frozen=True, slots=True)
class _Tool:
    function: Function
    seconds: float
    approve: Approval | None


class Toolbox:
    """The tools of a client. Functions that are not asynchronous run in a thread."""

    def __init__(self) -> None:
        self._tools: dict[str, _Tool] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._tools

    def __len__(self) -> int:
        return len(self._tools)

    def add(
        self, function: Function, *, seconds: float = TOOL_SECONDS, approve: Approval | None = None
    ) -> None:
        """Add a tool; one of the same name gives way."""
        self._tools[function.name] = _Tool(function, seconds, approve)

    def remove(self, name: str) -> None:
        """Take a tool out; raises `KeyError` if there is none of this name."""
        del self._tools[name]

    @property
    def definitions(self) -> list[FunctionTool]:
        """What the session is told of the tools."""
        return [tool.function.tool for tool in self._tools.values()]

    async def run(self, call_id: str, name: str, arguments: str) -> str:
        """Call a tool and return its result as the model reads it; a failure is a result too."""
        tool = self._tools.get(name)
        if tool is None:
            return _failure(f"There is no tool {name}.")
        try:
            given = tool.function.arguments(arguments)
        except ValueError as error:
            return _failure(str(error))
        try:
            async with asyncio.timeout(tool.seconds):
                if tool.approve is not None and not await _called(
                    tool.approve, ToolCall(call_id, name, given)
                ):
                    return _failure("The user did not allow this.")
                return result_text(await _called(tool.function.call, **given))
        except TimeoutError:
            return _failure(f"{name} took longer than {tool.seconds:g} s and was given up.")
        except Exception as error:  # noqa: BLE001 - whatever a tool raises, the conversation goes on
            _log.warning("the tool %s failed", name, exc_info=error)
            return _failure(f"{type(error).__name__}: {error}")


async def _called(function: Callable[..., Any], *args: Any, **given: Any) -> Any:
    called = inspect.unwrap(function)
    if inspect.iscoroutinefunction(called) or inspect.iscoroutinefunction(getattr(called, "__call__", None)):  # noqa: B004
        return await function(*args, **given)
    result = await asyncio.to_thread(function, *args, **given)
    return await result if inspect.isawaitable(result) else result


def _failure(message: str) -> str:
    return result_text({"error": message})
