"""Tools that come with the package, and those of MCP servers (`vivavoce.tools.mcp`, an extra).

A `Toolbox` has the ``definitions`` of its tools, and can ``run`` them, for whoever holds the session: a client, or a
gateway.
"""

from vivavoce.client.functions import describe
from vivavoce.client.tool import Tool, ToolCall, ToolContext, ToolProgress, ToolSource
from vivavoce.client.toolbox import Toolbox
from vivavoce.errors import ToolError
from vivavoce.tools.weather import Weather, weather_tools

__all__ = [
    "Tool",
    "ToolCall",
    "ToolContext",
    "ToolError",
    "ToolProgress",
    "ToolSource",
    "Toolbox",
    "Weather",
    "describe",
    "weather_tools",
]
