"""The tools of MCP servers, as tools of a session."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

from mcp_types import Tool as McpTool

from vivavoce.client.tool import Tool, ToolContext, shortened
from vivavoce.tools.mcp_connection import FIRST_WAIT, McpConnection, McpServer
from vivavoce.tools.mcp_language import DESCRIPTION_CHARACTERS, parameters, told_names

__all__ = ["McpServer", "McpServers", "McpStatus"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class McpStatus:
    """How a server is doing."""

    connected: bool
    error: str
    """Why there is no connection; empty where there is one."""
    tools: tuple[str, ...]
    """What its tools are called for the model."""


class McpServers:
    """Servers, and the tools of all of them: a source of tools for any number of clients.

    ``async with`` connects, and waits until each server has answered or is known not to. One that does not answer, or
    goes away later, is tried again and again; the others do not notice. ``first_wait`` is how many seconds pass
    before the first of these attempts, at the most.
    """

    def __init__(self, *servers: McpServer, first_wait: float = FIRST_WAIT) -> None:
        self._servers = {server.name: server for server in servers}
        if len(self._servers) < len(servers):
            raise ValueError(
                f"Expected MCP servers of different names, and got {[one.name for one in servers]}."
            )
        self._first_wait = first_wait
        self._connections: dict[str, McpConnection] = {}
        self._tools: dict[str, list[Tool]] = {}
        self._watchers: list[Callable[[], None]] = []

    async def __aenter__(self) -> Self:
        await asyncio.gather(*(self._open(server) for server in self._servers.values()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End all connections; servers that were started end too."""
        connections = list(self._connections.values())
        self._connections.clear()
        await asyncio.gather(*(connection.close() for connection in connections))
        self._compose()

    async def add(self, server: McpServer) -> None:
        """Take a further server, and wait until it has answered or is known not to. Raises `ValueError`."""
        if server.name in self._connections:
            raise ValueError(
                f"Expected MCP servers of different names, and there is a {server.name} already."
            )
        await self._open(server)

    async def remove(self, name: str) -> None:
        """Do without a server; raises `KeyError` if there is none of this name."""
        connection = self._connections.pop(name)
        self._compose()
        await connection.close()

    @property
    def tools(self) -> list[Tool]:
        """The tools of all servers."""
        return [tool for tools in self._tools.values() for tool in tools]

    @property
    def status(self) -> dict[str, McpStatus]:
        """How each server is doing, by its name."""
        return {
            name: McpStatus(
                connection.connected,
                connection.error,
                tuple(tool.name for tool in self._tools.get(name, ())),
            )
            for name, connection in self._connections.items()
        }

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed`` whenever the tools are others; what this returns ends it."""
        self._watchers.append(changed)
        return lambda: self._watchers.remove(changed)

    async def _open(self, server: McpServer) -> None:
        connection = McpConnection(server, self._compose, first_wait=self._first_wait)
        self._connections[server.name] = connection
        await connection.tried()

    def _compose(self) -> None:
        """Make tools of what the servers offer now."""
        names = told_names(
            {name: [tool.name for tool in one.offered] for name, one in self._connections.items()}
        )
        self._tools = {
            name: [
                tool
                for offered in connection.offered
                if (tool := _tool(connection, offered, names[name, offered.name])) is not None
            ]
            for name, connection in self._connections.items()
        }
        for watcher in list(self._watchers):
            watcher()


def _tool(connection: McpConnection, offered: McpTool, title: str) -> Tool | None:
    server = connection.server
    try:
        schema = parameters(offered.input_schema)
    except ValueError as error:
        _log.warning("the tool %s of %s is left out: %s", offered.name, server.name, error)
        return None
    return Tool(
        name=title,
        description=shortened(offered.description or offered.title or "", DESCRIPTION_CHARACTERS),
        parameters=schema,
        call=partial(_call, connection, offered.name),
        background=offered.name in server.background_tools,
        seconds=server.seconds,
        approve=server.approval(offered.name),
        characters=server.characters,
    )


async def _call(connection: McpConnection, name: str, arguments: dict[str, Any], context: ToolContext) -> str:
    return await connection.call(name, arguments, context)
