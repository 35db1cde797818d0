"""Everything that differs between the releases of Home Assistant that are supported (2026.4 and later)."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import voluptuous as vol
from homeassistant.components import conversation
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import chat_session, llm, target
from homeassistant.util.json import JsonObjectType

__all__ = [
    "ToolAnswer",
    "annotated",
    "answer_data",
    "chat_session_of",
    "native_schema",
    "object_schema",
    "parameters_of",
    "schema_of",
    "targets_of",
    "tool_answer",
    "tool_data",
]

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
    return object_schema(schema)


def object_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema as endpoints take it: a function's parameters are an object, without alternatives at the top."""
    kept = {
        key: value for key, value in schema.items() if key not in {"oneOf", "anyOf", "allOf", "enum", "not"}
    }
    return {"properties": {}} | kept | {"type": "object"}


def tool_answer(data: JsonObjectType, *, error: bool = False) -> ToolAnswer:
    """Return data as a tool's result."""
    if (result := getattr(llm, "ToolResult", None)) is None:
        return data
    return result(data=data, error=error)


def answer_data(answer: ToolAnswer) -> JsonObjectType:
    """Return the data of what a tool has returned."""
    data: JsonObjectType = answer if isinstance(answer, dict) else answer.data
    return data


def tool_data(content: conversation.ToolResultContent) -> JsonObjectType:
    """Return the data of a tool's result."""
    result = getattr(content, "result", None)
    data: JsonObjectType = content.tool_result if result is None else result.data
    return data


def parameters_of(schema: dict[str, Any]) -> Any:
    """Return a JSON schema as Home Assistant's tools carry it; what cannot be said in it accepts anything."""
    try:
        try:
            from probatio import from_openapi  # noqa: PLC0415 - since 2026.10
        except ImportError:
            from voluptuous_openapi import convert_to_voluptuous  # noqa: PLC0415

            return convert_to_voluptuous(schema)
        return from_openapi(schema)
    except Exception:  # noqa: BLE001 - whatever a server may have written
        return vol.Schema({}, extra=vol.ALLOW_EXTRA)


def native_schema(tool: llm.Tool) -> dict[str, Any] | None:
    """Return the JSON schema that a tool was described with, also where another tool gives it its name."""
    while (inner := getattr(tool, "tool", None)) is not None:
        tool = inner
    return getattr(tool, "json_schema", None)


def annotated(*, read_only: bool) -> Any:
    """Return what a tool says of itself (since 2026.10)."""
    annotations = getattr(llm, "ToolAnnotations", None)
    if annotations is None:
        return None
    return annotations(read_only=read_only, destructive=not read_only, idempotent=True, open_world=False)


def targets_of(hass: HomeAssistant, data: Mapping[str, Any]) -> set[str] | None:
    """Return the entities that an action is called for, by whatever they are named; None where nothing is named."""
    if not any(data.get(f"{kind}_id") for kind in ("entity", "device", "area", "floor", "label")):
        return None
    # It has this name since 2026.6, and the other one warns.
    selection: Any = getattr(target, "TargetSelection", None) or target.TargetSelectorData
    found = target.async_extract_referenced_entity_ids(hass, selection(dict(data)))
    return found.referenced | found.indirectly_referenced


def chat_session_of(hass: HomeAssistant, conversation_id: str, context: Context) -> Any:
    """Enter a chat session; since 2026.11 they have owners."""
    if "context" in inspect.signature(chat_session.async_get_chat_session).parameters:
        owned: Any = chat_session.async_get_chat_session
        return owned(hass, conversation_id, context=context)
    return chat_session.async_get_chat_session(hass, conversation_id)
