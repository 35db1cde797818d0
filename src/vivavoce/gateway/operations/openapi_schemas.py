"""The schemas of what the gateway takes and answers in JSON."""

from typing import Any, Final, Literal

import msgspec

__all__ = ["ERROR", "SCHEMAS"]

ERROR: Final = "Error"
"""The name of the schema of every refusal."""


class ErrorDetails(msgspec.Struct):
    """Why not, in the shape of OpenAI."""

    message: str
    type: str
    code: str
    param: str | None


class Error(msgspec.Struct):
    """A refusal."""

    error: ErrorDetails


class ExpiresAfter(msgspec.Struct):
    """How long sessions may be begun with a key."""

    anchor: Literal["created_at"] = "created_at"
    seconds: int = 600


class ClientSecretParams(msgspec.Struct):
    """What is asked of an ephemeral key: all of it may be left out."""

    expires_after: ExpiresAfter | msgspec.UnsetType = msgspec.UNSET
    session: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    """A session, as in `session.update`."""


class ClientSecret(msgspec.Struct):
    """An ephemeral key, and the session that it opens."""

    value: str
    expires_at: int
    session: dict[str, Any]


class Session(msgspec.Struct):
    """A session of the history; lists leave out its sums."""

    id: str
    user: str
    model: str
    dialect: str
    state: Literal["open", "ended", "abandoned"]
    started_at: float
    ended_at: float | None
    close_code: int | None
    audio_in_ms: int
    audio_out_ms: int
    recording: str | None
    incomplete: bool
    object: Literal["session"] = "session"
    item_count: int | msgspec.UnsetType = msgspec.UNSET
    response_count: int | msgspec.UnsetType = msgspec.UNSET
    tokens: dict[str, int] | msgspec.UnsetType = msgspec.UNSET
    cost: float | msgspec.UnsetType | None = msgspec.UNSET
    mean_first_audio_ms: float | msgspec.UnsetType | None = msgspec.UNSET


class Item(msgspec.Struct):
    """An item of a conversation."""

    id: str
    type: str
    role: str | None
    status: str | None
    content: list[dict[str, Any]]
    created_at: float
    start_ms: int | None
    end_ms: int | None
    audio_end_ms: int | None
    deleted: bool


class Sessions(msgspec.Struct):
    """A page of sessions."""

    data: list[Session]
    has_more: bool
    next_cursor: str | None
    object: Literal["list"] = "list"


class Items(msgspec.Struct):
    """A page of items."""

    data: list[Item]
    has_more: bool
    next_cursor: str | None
    object: Literal["list"] = "list"


SCHEMAS: dict[str, Any] = msgspec.json.schema_components(
    [Error, ClientSecretParams, ClientSecret, Sessions, Items], ref_template="#/components/schemas/{name}"
)[1]
"""All of them, by their names."""
