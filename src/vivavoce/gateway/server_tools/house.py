"""The gateway's tools, and which of them a session gets."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Protocol

import msgspec

from vivavoce.client.tool import ToolContext
from vivavoce.errors import VivaVoceError
from vivavoce.gateway.opening import Opening
from vivavoce.gateway.policy import Policy, ToolRules
from vivavoce.gateway.server_tools.settings import ServerToolSettings
from vivavoce.gateway.server_tools.stage import ServerToolStage, joined
from vivavoce.protocol.session_params import RealtimeSessionParams
from vivavoce.protocol.tools import FunctionTool

__all__ = ["ServerTools", "Tools", "open_tools"]


class Tools(Protocol):
    """What runs tools: `vivavoce.tools.Toolbox`, or a double."""

    @property
    def definitions(self) -> list[FunctionTool]:
        """What a session is told of them."""
        ...

    async def run(self, call_id: str, name: str, arguments: str, context: ToolContext = ...) -> str:
        """Call one, and return its result, or in words why there is none."""
        ...


@dataclass(frozen=True, slots=True)
class ServerTools:
    """The tools of one gateway, for whom its policy says."""

    tools: Tools
    policy: Policy

    def begin(self, opening: Opening) -> Opening:
        """Return the opening with the tools that its session has beside the client's own."""
        own = self._definitions(opening)
        if not own or not isinstance(opening.params, RealtimeSessionParams):
            return opening
        params = msgspec.structs.replace(opening.params, tools=joined(opening.params.tools or [], own))
        return replace(opening, params=params)

    def stage(self, opening: Opening) -> ServerToolStage | None:
        """Make the stage that runs them, where the session has any."""
        own = self._definitions(opening)
        if not own or not isinstance(opening.params, RealtimeSessionParams):
            return None
        rules, context = self._rules(opening), ToolContext(user=opening.caller.user)

        async def run(call_id: str, name: str, arguments: str) -> str:
            return await self.tools.run(call_id, name, arguments, context)

        names = [tool.name for tool in own]
        approval = rules.approval or []
        return ServerToolStage(
            own,
            run,
            show=rules.show is True,
            approval=frozenset(names if "*" in approval else approval),
        )

    def _rules(self, opening: Opening) -> ToolRules:
        return self.policy.rules(opening.caller).tools or ToolRules()

    def _definitions(self, opening: Opening) -> list[FunctionTool]:
        served = self._rules(opening).serve or []
        if opening.call_id is not None:
            return []
        return [tool for tool in self.tools.definitions if tool.name in served or "*" in served]


async def open_tools(settings: ServerToolSettings, add: Callable[..., None]) -> AsyncIterator[None]:
    """Give ``add`` the tools of the settings, with connections to MCP servers until it is resumed.

    Raises `VivaVoceError` where an extra is missing.
    """
    if "weather" in settings.tools:
        from vivavoce.tools.weather import weather_tools  # noqa: PLC0415 - only who serves it loads it

        add(*weather_tools())
    if "memory" in settings.tools:
        from vivavoce.tools.memory import SqliteMemory, memory_tools  # noqa: PLC0415

        add(*memory_tools(SqliteMemory(settings.memory_file)))
    if not settings.mcp_servers:
        yield
        return
    try:
        from vivavoce.tools.mcp import McpServer, McpServers  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as missing:
        raise VivaVoceError(
            f"VIVAVOCE_MCP_SERVERS needs the package {missing.name}: pip install 'vivavoce[tools]'."
        ) from missing
    parts = (server.partition("=") for server in settings.mcp_servers)
    # Whether a call needs a yes is for the policy to say, and the client to be asked.
    servers = [McpServer(name=name, url=url, require_approval="never") for name, _, url in parts]
    async with McpServers(*servers) as connected:
        add(connected)
        yield
