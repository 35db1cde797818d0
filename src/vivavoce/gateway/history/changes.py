"""What changes in the history: rows of three tables, each named by its key. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from vivavoce.client.conversation import ConversationItem

__all__ = ["MAX_NAME", "MAX_TEXT", "Change", "Sink", "TableName", "clean", "item_values", "name", "whole"]

TableName = Literal["sessions", "items", "responses"]

MAX_TEXT = 100_000
"""Characters that are kept of one text; the longest answer that a model may give has fewer."""


MAX_NAME = 200
"""Characters that are kept of an id or the name of a model, a key or a user."""

ROW_BYTES = 2000
"""What a row takes in memory beside its texts."""

MAX_NUMBER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Change:
    """Some columns of one row, which may be there or not. A later change of the same row goes over it."""

    table: TableName
    session_id: str
    id: str
    values: dict[str, Any]

    @property
    def size(self) -> int:
        """About how many bytes it takes in memory."""
        texts = sum(len(value) for value in self.values.values() if isinstance(value, str))
        parts = self.values.get("content") or ()
        return ROW_BYTES + texts + sum(len(text) for part in parts for text in part.values())

    def over(self, earlier: "Change") -> "Change":
        """Return both changes of one row as one."""
        return Change(self.table, self.session_id, self.id, earlier.values | self.values)


Sink = Callable[[Change], None]
"""Takes a change, at once and without failing."""


def clean(text: str, most: int = MAX_TEXT) -> str:
    """Return a text as databases take it: not too long, without zeros, which PostgreSQL refuses, and in UTF-8."""
    return text[:most].replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def name(text: str) -> str:
    """Return a name, such as an id, as databases take it into an index."""
    return clean(text, MAX_NAME)


def whole(number: int) -> int:
    """Return a number that fits into four bytes, as all but a faulty endpoint's do."""
    return max(-MAX_NUMBER, min(number, MAX_NUMBER))


def item_values(item: ConversationItem) -> dict[str, Any]:
    """Return the columns of an item that say what it is."""
    side = "output" if item.role == "assistant" else "input"
    content = [
        {"type": f"{side}_audio", "transcript": clean(part.text)}
        if part.spoken
        else {"type": f"{side}_text", "text": clean(part.text)}
        for part in item.content
        if part.spoken or part.text
    ]
    return {
        "type": item.type,
        "role": item.role,
        "status": item.status,
        "response_id": None if item.response_id is None else name(item.response_id),
        "content": content,
        "name": name(item.name),
        "call_id": name(item.call_id),
        "arguments": clean(item.arguments),
        "output": clean(item.output),
        "audio_end_ms": None if item.audio_end_ms is None else whole(item.audio_end_ms),
    }
