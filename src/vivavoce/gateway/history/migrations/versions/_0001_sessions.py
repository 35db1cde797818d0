"""Sessions, their items and their responses."""

from typing import Any

import sqlalchemy as sa
from alembic import op

__all__ = ["branch_labels", "depends_on", "down_revision", "downgrade", "revision", "upgrade"]

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "processes",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("seen_at", sa.Double, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text, primary_key=True),
        *_columns(
            sa.Text, "user key_name group_name model dialect upstream type endpoint_session_id process state"
        ),
        *_columns(sa.Double, "started_at ended_at"),
        sa.Column("close_code", sa.Integer),
        sa.Column("close_reason", sa.Text),
        *_columns(sa.Integer, "audio_in_ms audio_out_ms"),
        sa.Column("recording", sa.Text),
        sa.Column("incomplete", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.create_index("sessions_by_user", "sessions", ["user", "started_at", "id"])
    op.create_index("sessions_by_start", "sessions", ["started_at", "id"])
    op.create_index("sessions_by_state", "sessions", ["state"])
    op.create_table(
        "items",
        *_key(),
        sa.Column("position", sa.Double),
        *_columns(sa.Text, "type role status response_id"),
        sa.Column("content", sa.JSON),
        *_columns(sa.Text, "name call_id arguments output"),
        sa.Column("audio_end_ms", sa.Integer),
        sa.Column("created_at", sa.Double),
        *_columns(sa.Integer, "start_ms end_ms"),
        sa.Column("usage", sa.JSON),
        sa.Column("deleted", sa.Boolean),
    )
    op.create_index("items_by_position", "items", ["session_id", "position", "id"])
    op.create_table(
        "responses",
        *_key(),
        *_columns(sa.Text, "status reason conversation_id"),
        *_columns(sa.Double, "created_at done_at"),
        *_columns(sa.Integer, "first_output_ms first_audio_ms"),
        sa.Column("usage", sa.JSON),
        *_columns(sa.Integer, "text_tokens audio_tokens image_tokens"),
        *_columns(sa.Integer, "text_cached_tokens audio_cached_tokens image_cached_tokens"),
        *_columns(sa.Integer, "text_output_tokens audio_output_tokens"),
        sa.Column("cost", sa.Double),
    )


def downgrade() -> None:
    """Take them away, with all that is in them."""
    for name in ("responses", "items", "sessions", "processes"):
        op.drop_table(name)


def _columns(kind: type[sa.types.TypeEngine[Any]], names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind) for name in names.split()]


def _key() -> list[sa.Column[str]]:
    return [
        sa.Column("session_id", sa.Text, sa.ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
    ]
