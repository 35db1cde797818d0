"""Bringing a database's tables to the newest version, one process at a time."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

__all__ = ["LOCK", "migrate"]

LOCK = 0x76697661  # "viva"
"""The number of PostgreSQL's advisory lock."""


def migrate(connection: Connection) -> None:
    """Bring the tables to the newest version, in the transaction that ``connection`` has begun.

    Others that want to do the same wait for the end of the transaction: SQLite's own lock does that if the
    transaction was begun to write, and PostgreSQL has one for it.

    Raises `alembic.util.CommandError` for a database that a newer version of this package has changed.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
