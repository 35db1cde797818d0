"""Items and responses in the beta and in the protocol of today.

What the beta calls ``text`` and ``audio`` has two names today, by who said it; and items that call MCP servers are
nothing that a client of the beta could know. Whatever is neither is left as it came, for the endpoint to judge.
"""

from typing import Any

from msgspec import UNSET

from vivavoce.dialects.beta_session import RESPONSE_PLACES, found, value_to_beta

__all__ = [
    "ASSISTANT_CONTENT",
    "BETA_ITEMS",
    "OTHER_CONTENT",
    "item_to_beta",
    "item_to_ga",
    "response_to_beta",
]

Json = dict[str, Any]

ASSISTANT_CONTENT = {"text": "output_text", "audio": "output_audio"}
"""What the content of the assistant's messages is called, in the beta and today."""

OTHER_CONTENT = {"text": "input_text", "audio": "input_audio"}
"""What clients of the beta also called the content of other messages, and what it is called in both."""

BETA_ITEMS = frozenset({"message", "function_call", "function_call_output"})
"""The types of items that the beta knows."""

_TO_BETA = {today: beta for beta, today in ASSISTANT_CONTENT.items()}

_NO_PICTURE = {"type": "input_text", "text": ""}
"""What stands for a picture, which the beta cannot show: events count the parts of a message."""


def item_to_ga(item: Any) -> Any:
    """Return an item of a client as it is said today."""
    if not isinstance(item, dict) or not isinstance(item.get("content"), list):
        return item
    names = ASSISTANT_CONTENT if item.get("role") == "assistant" else OTHER_CONTENT
    return {**item, "content": [_renamed(part, names) for part in item["content"]]}


def item_to_beta(item: Json) -> Json | None:
    """Return an item of a server as the beta says it, or None where the beta has no such item."""
    if str(item.get("type")) not in BETA_ITEMS:
        return None
    told = {"id": item.get("id"), "object": "realtime.item", **item}
    told.pop("phase", None)
    if told["type"] == "function_call_output":
        told.setdefault("status", "completed")
    if isinstance(told.get("content"), list):
        told["content"] = [_renamed(_shown(part), _TO_BETA) for part in told["content"]]
    return told


def response_to_beta(response: Json, temperature: float) -> Json:
    """Return a response as the beta says it; ``temperature`` is what the beta shows and today has not."""
    told = {name: value for name, value in response.items() if name not in {"output_modalities", "audio"}}
    output = response.get("output")
    if isinstance(output, list):
        items = (item_to_beta(item) for item in output if isinstance(item, dict))
        told["output"] = [item for item in items if item is not None]
    for name, place in RESPONSE_PLACES.items():
        if (
            name != "max_response_output_tokens"
            and (value := value_to_beta(name, found(response, place))) is not UNSET
        ):
            told[name] = value
    return {**told, "temperature": temperature}


def _shown(part: Any) -> Any:
    return _NO_PICTURE if isinstance(part, dict) and part.get("type") == "input_image" else part


def _renamed(part: Any, names: dict[str, str]) -> Any:
    if isinstance(part, dict) and (name := names.get(str(part.get("type")))) is not None:
        return {**part, "type": name}
    return part
