"""Tools at work: they are called for the model, and whatever happens becomes a result that it can speak about."""

import asyncio
import logging
from collections.abc import Callable, Iterator

from vivavoce.client.tool import (
    APPROVAL_SECONDS,
    Tool,
    ToolCall,
    ToolContext,
    ToolSource,
    called,
    result_text,
    shortened,
)
from vivavoce.errors import ToolError
from vivavoce.protocol.tools import FunctionTool

__all__ = ["NOBODY", "Toolbox"]

NOBODY = ToolContext()
"""The context of a call that is nobody's in particular."""

_log = logging.getLogger(__name__)


class Toolbox:
    """Tools, and sources of tools, by name. It keeps nothing of a call, so that many sessions may share one.

    Where two have the same name, what was added as a tool comes before what a source has, and of two sources
    the first. It is a source of tools itself.
    """

    def __init__(self, *tools: Tool | ToolSource, approval_seconds: float = APPROVAL_SECONDS) -> None:
        self._tools: dict[str, Tool] = {}
        self._sources: dict[ToolSource, Callable[[], None]] = {}
        self._watchers: list[Callable[[], None]] = []
        self._approval_seconds = approval_seconds
        self.add(*tools)

    def __contains__(self, name: object) -> bool:
        return any(tool.name == name for tool in self._all())

    def __len__(self) -> int:
        return len(self.tools)

    def add(self, *tools: Tool | ToolSource) -> None:
        """Add tools, or what has some; a tool gives way to another of the same name."""
        for tool in tools:
            if isinstance(tool, Tool):
                self._tools[tool.name] = tool
            elif tool not in self._sources:
                self._sources[tool] = tool.watch(self._changed)
        if tools:
            self._changed()

    def remove(self, tool: str | ToolSource) -> None:
        """Take a tool out, or a source; raises `KeyError` if there is none such."""
        if isinstance(tool, str):
            del self._tools[tool]
        else:
            self._sources.pop(tool)()
        self._changed()

    @property
    def tools(self) -> list[Tool]:
        """All tools, one of each name."""
        unique: dict[str, Tool] = {}
        for tool in self._all():
            unique.setdefault(tool.name, tool)
        return list(unique.values())

    def detach(self) -> None:
        """Let go of all sources: they may live longer than this, and would keep it."""
        for end in self._sources.values():
            end()
        self._sources.clear()

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed`` whenever the tools are others; what this returns ends it."""
        self._watchers.append(changed)
        return lambda: self._watchers.remove(changed)

    @property
    def definitions(self) -> list[FunctionTool]:
        """What a session is told of the tools."""
        return [tool.definition for tool in self.tools]

    def find(self, name: str) -> Tool:
        """Return the tool of this name; raises `ToolError` if there is none."""
        for tool in self._all():
            if tool.name == name:
                return tool
        raise ToolError(f"There is no tool {name}.")

    def in_background(self, name: str, arguments: str) -> bool:
        """Whether the conversation may go on during a call: the tool wants it, and the arguments fit."""
        try:
            tool = self.find(name)
            return tool.background and _arguments(tool, arguments) is not None
        except ToolError:
            return False

    async def run(self, call_id: str, name: str, arguments: str, context: ToolContext = NOBODY) -> str:
        """Call a tool and return its result as the model reads it; a failure is a result too.

        ``arguments`` are JSON, as the model wrote it. A tool that works in the background is waited for like any
        other: to talk meanwhile is up to who calls this.
        """
        try:
            tool = self.find(name)
            call = ToolCall(call_id, name, _arguments(tool, arguments))
            await self._approve(tool, call)
            text = await _result(tool, call, context)
        except ToolError as error:
            return result_text({"error": str(error)})
        return shortened(text, tool.characters)

    def _all(self) -> Iterator[Tool]:
        yield from self._tools.values()
        for source in self._sources:
            yield from source.tools

    def _changed(self) -> None:
        for watcher in list(self._watchers):
            watcher()

    async def _approve(self, tool: Tool, call: ToolCall) -> None:
        if tool.approve is None:
            return
        try:
            async with asyncio.timeout(self._approval_seconds) as limit:
                allowed = await called(tool.approve, call)
        except Exception as error:
            if limit.expired():
                raise ToolError("The user was asked whether to allow this, and did not answer.") from error
            _log.exception("it cannot be known whether %s may be called", tool.name)
            raise ToolError("The user could not be asked whether to allow this.") from error
        if not allowed:
            raise ToolError("The user did not allow this.")


def _arguments(tool: Tool, written: str) -> dict[str, object]:
    try:
        return tool.read(written)
    except ValueError as error:
        raise ToolError(str(error)) from error


async def _result(tool: Tool, call: ToolCall, context: ToolContext) -> str:
    try:
        async with asyncio.timeout(tool.timeout) as limit:
            return result_text(await tool.call(call.arguments, context.at(call)))
    except ToolError:
        raise
    except asyncio.CancelledError as cancelled:
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise  # it is we who are to end
        raise ToolError(f"{tool.name} was given up.") from cancelled
    except Exception as error:
        if limit.expired():
            raise ToolError(f"{tool.name} took longer than {tool.timeout:g} s and was given up.") from error
        _log.warning("the tool %s failed", tool.name, exc_info=error)
        raise ToolError(f"{type(error).__name__}: {error}") from error
