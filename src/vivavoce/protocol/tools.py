"""Tools: what a session or a response offers the model, and how the model should choose."""

from typing import Any, Literal

from msgspec import UNSET, Struct

from ._struct import Maybe, Tagged

__all__ = [
    "FunctionTool",
    "McpApprovalFilter",
    "McpServerTool",
    "McpToolFilter",
    "Tool",
    "ToolChoice",
    "ToolChoiceFunction",
    "ToolChoiceMcp",
]


class FunctionTool(Tagged, kw_only=True, tag="function"):
    """A function that the client runs."""

    name: str
    description: Maybe[str] = UNSET
    parameters: Maybe[dict[str, Any]] = UNSET
    """JSON schema of the arguments, an object."""


class McpToolFilter(Struct, kw_only=True):
    """Some of an MCP server's tools."""

    tool_names: Maybe[list[str]] = UNSET
    read_only: Maybe[bool] = UNSET


class McpApprovalFilter(Struct, kw_only=True):
    """Which tools of an MCP server need approval, always or never."""

    always: Maybe[McpToolFilter] = UNSET
    never: Maybe[McpToolFilter] = UNSET


class McpServerTool(Tagged, kw_only=True, tag="mcp"):
    """An MCP server, whose tools the endpoint itself calls."""

    server_label: str
    server_url: Maybe[str] = UNSET
    connector_id: Maybe[str] = UNSET
    tunnel_id: Maybe[str] = UNSET
    server_description: Maybe[str] = UNSET
    authorization: Maybe[str] = UNSET
    headers: Maybe[dict[str, str]] = UNSET
    allowed_tools: Maybe[list[str] | McpToolFilter] = UNSET
    require_approval: Maybe[Literal["always", "never"] | McpApprovalFilter] = UNSET
    allowed_callers: Maybe[list[Literal["direct", "programmatic"]]] = UNSET
    defer_loading: Maybe[bool] = UNSET


Tool = FunctionTool | McpServerTool


class ToolChoiceFunction(Tagged, kw_only=True, tag="function"):
    """The model must call this function."""

    name: str


class ToolChoiceMcp(Tagged, kw_only=True, tag="mcp"):
    """The model must call a tool of this MCP server."""

    server_label: str
    name: Maybe[str] = UNSET


ToolChoice = Literal["none", "auto", "required"] | ToolChoiceFunction | ToolChoiceMcp
