"""Everything that differs between the releases of Home Assistant that are supported (2026.4 and later)."""

from collections.abc import Callable
from typing import Any

from homeassistant.components import conversation
from homeassistant.helpers import llm
from homeassistant.util.json import JsonObjectType

__all__ = ["ToolAnswer", "schema_of", "tool_answer", "tool_data", "tool_tag"]

ToolAnswer = Any
"""What a tool returns: `llm.ToolResult` since 2026.10, a dictionary before."""


def schema_of(parameters: Any, serializer: Callable[[Any], Any] | None) -> dict[str, Any]:
    """Return the JSON schema of a tool's parameters."""
    try:
        from probatio import to_openapi  # noqa: PLC0415 - since 2026.10
    except ImportError:
        from voluptuous_openapi import convert  # noqa: PLC0415

        schema: dict[str, Any] = convert(parameters, custom_serializer=serializer)
    else:
        schema = to_openapi(parameters, custom_serializer=serializer, openapi_version="3.1.0")
    # A function's parameters must be an object; endpoints refuse alternatives at the top.
    schema = {
        key: value for key, value in schema.items() if key not in {"oneOf", "anyOf", "allOf", "enum", "not"}
    }
    return {"type": "object", "properties": {}} | schema


def tool_answer(data: JsonObjectType, *, error: bool = False) -> ToolAnswer:
    """Return data as a tool's result."""
    if (result := getattr(llm, "ToolResult", None)) is None:
        return data
    return result(data=data, error=error)


def tool_data(content: conversation.ToolResultContent) -> JsonObjectType:
    """Return the data of a tool's result."""
    result = getattr(content, "result", None)
    data: JsonObjectType = content.tool_result if result is None else result.data
    return data


def tool_tag(domain: str) -> dict[str, Any]:
    """Return what a tool's class needs to say which integration it is of."""
    return {"integration": domain} if hasattr(llm.Tool, "integration") else {}
