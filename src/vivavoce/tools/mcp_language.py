"""What MCP servers say, in the words of the Realtime protocol: names, schemas and results. Pure.

All of it was written elsewhere, and is not to be trusted: what is too long is cut, what does not fit is left out.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from mcp_types import (
    AudioContent,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from vivavoce.client.functions import inlined
from vivavoce.client.tool import result_text, shortened

__all__ = ["DESCRIPTION_CHARACTERS", "SCHEMA_BYTES", "parameters", "told_names", "told_result"]

DESCRIPTION_CHARACTERS = 1_000
"""How much of a description the model is told; it reads all of them before each answer."""

SCHEMA_BYTES = 16_000
"""How long the schema of a tool may be; a tool with a longer one is left out."""

NAME_CHARACTERS = 64
"""What the protocol allows."""


def told_names(offered: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], str]:
    """Return what each tool is called, by its server and its name there.

    A name stays as it is, but for characters that the protocol does not allow. Where several servers have a tool of
    the same name, each is told with its server's name before it; what is still the same gets a number.
    """
    plain = {(server, name): _allowed(name) for server, names in offered.items() for name in names}
    often = Counter(plain.values())
    told: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    for (server, name), wanted in plain.items():
        title = wanted if often[wanted] == 1 else _allowed(f"{server}_{name}")
        unique, number = title, 2
        while unique in taken or (unique != wanted and often[unique]):
            unique = f"{title[: NAME_CHARACTERS - len(str(number)) - 1]}_{number}"
            number += 1
        taken.add(unique)
        told[server, name] = unique
    return told


def _allowed(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:NAME_CHARACTERS] or "_"


def parameters(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a tool's arguments without references; raises `ValueError` for one that is too long."""
    if (size := len(msgspec.json.encode(schema))) > SCHEMA_BYTES:
        raise ValueError(f"Expected a schema of up to {SCHEMA_BYTES} bytes, and got {size}.")
    made: dict[str, Any] = {"type": "object", "properties": {}} | inlined(dict(schema))
    made.pop("$schema", None)
    return made if len(msgspec.json.encode(made)) <= SCHEMA_BYTES else dict(schema)


def told_result(result: CallToolResult) -> str:
    """Return what a model is told of a result: its texts, and of all that is no text, that it is there."""
    parts = [_part(part) for part in result.content]
    if (
        not any(isinstance(part, TextContent) for part in result.content)
        and result.structured_content is not None
    ):
        parts.append(result_text(result.structured_content))
    return "\n".join(part for part in parts if part)


def _part(part: object) -> str:
    match part:
        case TextContent(text=text):
            return text
        case ImageContent(mime_type=kind):
            return f"[An image ({kind}), which cannot be told in words.]"
        case AudioContent(mime_type=kind):
            return f"[A recording ({kind}), which cannot be told in words.]"
        case ResourceLink(name=name, uri=uri, description=description):
            return shortened(f"{name}: {uri} {description or ''}".strip(), DESCRIPTION_CHARACTERS)
        case EmbeddedResource(resource=TextResourceContents(text=text)):
            return text
        case EmbeddedResource(resource=resource):
            return f"[A file ({resource.mime_type or 'of an unknown kind'}): {resource.uri}]"
        case _:
            return ""
