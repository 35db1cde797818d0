"""The tables of the history, as the newest migration leaves them.

Times of day are seconds since 1970; times that end in ``_ms`` are on the session's clock, in milliseconds.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    false,
)

__all__ = ["METADATA", "TABLES", "TOKENS", "items", "processes", "responses", "sessions"]

METADATA = MetaData()

TOKENS = (
    "text_tokens",
    "audio_tokens",
    "image_tokens",
    "text_cached_tokens",
    "audio_cached_tokens",
    "image_cached_tokens",
    "text_output_tokens",
    "audio_output_tokens",
)
"""The columns with a response's tokens: those read, those of them that were cached, and those made."""

processes = Table(
    "processes",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("seen_at", Double, nullable=False),
)
"""The gateways that write here: a session that is open belongs to one that lives."""

sessions = Table(
    "sessions",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("user", Text),
    Column("key_name", Text),
    Column("group_name", Text),
    Column("model", Text),
    Column("dialect", Text),
    Column("upstream", Text),
    Column("type", Text),
    Column("endpoint_session_id", Text),
    Column("process", Text),
    Column("state", Text),
    Column("started_at", Double),
    Column("ended_at", Double),
    Column("close_code", Integer),
    Column("close_reason", Text),
    Column("audio_in_ms", Integer),
    Column("audio_out_ms", Integer),
    Column("recording", Text),
    Column("incomplete", Boolean, nullable=False, server_default=false()),
    Index("sessions_by_user", "user", "started_at", "id"),
    Index("sessions_by_start", "started_at", "id"),
    Index("sessions_by_state", "state"),
)

items = Table(
    "items",
    METADATA,
    Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("position", Double),
    Column("type", Text),
    Column("role", Text),
    Column("status", Text),
    Column("response_id", Text),
    Column("content", JSON),
    Column("name", Text),
    Column("call_id", Text),
    Column("arguments", Text),
    Column("output", Text),
    Column("audio_end_ms", Integer),
    Column("created_at", Double),
    Column("start_ms", Integer),
    Column("end_ms", Integer),
    Column("usage", JSON),
    Column("deleted", Boolean),
    Index("items_by_position", "session_id", "position", "id"),
)

responses = Table(
    "responses",
    METADATA,
    Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("status", Text),
    Column("reason", Text),
    Column("conversation_id", Text),
    Column("created_at", Double),
    Column("done_at", Double),
    Column("first_output_ms", Integer),
    Column("first_audio_ms", Integer),
    Column("usage", JSON),
    *(Column(name, Integer) for name in TOKENS),
    Column("cost", Double),
)

TABLES = {"sessions": sessions, "items": items, "responses": responses}
"""The tables that a session's rows are in, in the order in which they are written."""
