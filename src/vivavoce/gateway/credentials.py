"""The key that a client presents, wherever it may stand. Pure."""

from collections.abc import Sequence

__all__ = ["KEY_SUBPROTOCOL", "presented_key"]

KEY_SUBPROTOCOL = "openai-insecure-api-key."
"""A browser cannot set headers for a WebSocket, so its key follows this, as a subprotocol that it offers."""


def presented_key(authorization: str | None, offered: Sequence[str]) -> str | None:
    """Return the key of ``Authorization: Bearer KEY``, else the one among the subprotocols, else None."""
    scheme, _, key = (authorization or "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return key.strip()
    keys = (name.removeprefix(KEY_SUBPROTOCOL) for name in offered if name.startswith(KEY_SUBPROTOCOL))
    return next(keys, None)
