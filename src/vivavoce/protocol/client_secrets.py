"""Ephemeral keys: the body of ``POST /v1/realtime/client_secrets``, and of its answer."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct

from ._struct import Maybe
from .session import Session
from .session_params import SessionParams

__all__ = [
    "DEFAULT_SECONDS",
    "KEY_PREFIX",
    "MAX_SECONDS",
    "MIN_SECONDS",
    "ClientSecret",
    "ClientSecretParams",
    "ExpiresAfter",
]

KEY_PREFIX = "ek_"
"""What ephemeral keys begin with, and no other."""

DEFAULT_SECONDS = 600
MIN_SECONDS, MAX_SECONDS = 10, 7200


class ExpiresAfter(Struct, kw_only=True, forbid_unknown_fields=True):
    """How long sessions may be begun with a key; those that have begun go on."""

    anchor: Literal["created_at"] = "created_at"
    seconds: Annotated[int, Meta(ge=MIN_SECONDS, le=MAX_SECONDS)] = DEFAULT_SECONDS


class ClientSecretParams(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is asked of a key."""

    expires_after: Maybe[ExpiresAfter] = UNSET
    session: Maybe[SessionParams] = UNSET
    """What sessions begin with that this key opens."""


class ClientSecret(Struct, kw_only=True):
    """A key, which may open several sessions until it expires."""

    value: str
    expires_at: int
    """Seconds since 1970."""
    session: Session
    """The whole session that it opens; ``expires_at`` in it is 0."""
