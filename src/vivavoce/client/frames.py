"""Events as they are kept: who sent them, when, and without the secrets in them. Pure."""

import re
from typing import Any, Literal

import msgspec

__all__ = ["REDACTED", "Direction", "Frame", "redacted"]

REDACTED = "REDACTED"
"""What is kept in the place of a secret."""

Direction = Literal["C", "S"]
"""Who sent an event: the client, or the server."""

_SECRET_FIELDS = frozenset(
    {"authorization", "api_key", "client_secret", "password", "secret", "access_token"}
)
_KEY = re.compile(r"\b(?:sk|ek|rk|vv)[-_][\w-]{8,}|\bBearer\s+\S+")


class Frame(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One event on its way."""

    dir: Direction
    event: dict[str, Any]
    t: float | None = None
    """Seconds since the recording began, where they are known."""


def redacted(value: Any, name: str = "") -> Any:
    """Return an event, or a part of it that is called ``name``, without keys and passwords."""
    match value:
        case str() if name.lower().replace("-", "_") in _SECRET_FIELDS:
            return REDACTED
        case str():
            return _KEY.sub(REDACTED, _redacted_json(value))
        case dict() if name == "headers":
            return dict.fromkeys(value, REDACTED)
        case dict():
            return {key: redacted(inner, key) for key, inner in value.items()}
        case list():
            return [redacted(inner) for inner in value]
        case _:
            return value


def _redacted_json(text: str) -> str:
    """Return what a tool was called with, or answered, without secrets; as it is where there are none."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        value = msgspec.json.decode(text)
        kept = redacted(value)
    except (msgspec.DecodeError, RecursionError):
        return text
    return text if kept == value else msgspec.json.encode(kept).decode()
