"""The key that a client presents, wherever it may stand. Pure."""

from collections.abc import Sequence

__all__ = ["KEY_SUBPROTOCOL", "NO_KEYS", "presented_key"]

KEY_SUBPROTOCOL = "openai-insecure-api-key."
"""A browser cannot set headers for a WebSocket, so its key follows this, as a subprotocol that it offers."""

NO_KEYS = frozenset({"null", "undefined"})
"""What programs in JavaScript write where they have no key, such as a console in front of a relay."""


def presented_key(authorization: str | None, offered: Sequence[str]) -> str | None:
    """Return the key of ``Authorization: Bearer KEY``, else the one among the subprotocols, else None."""
    scheme, _, key = (authorization or "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return _key(key.strip())
    keys = (name.removeprefix(KEY_SUBPROTOCOL) for name in offered if name.startswith(KEY_SUBPROTOCOL))
    return _key(next(keys, None))


def _key(presented: str | None) -> str | None:
    return None if presented in NO_KEYS else presented
