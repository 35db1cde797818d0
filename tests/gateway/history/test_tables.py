from sqlalchemy import inspect

from vivavoce.client.usage import Tokens
from vivavoce.gateway.history.database import Database
from vivavoce.gateway.history.tables import METADATA, TABLES, TOKENS


def test_tokens_are_those_of_a_session():
    assert [name.removesuffix("_tokens") for name in TOKENS] == list(Tokens.__dataclass_fields__)


def test_sessions_are_written_before_what_belongs_to_them():
    assert next(iter(TABLES)) == "sessions"


async def test_are_what_the_migrations_make(url):
    database = Database(url)
    await database.prepare()
    async with database.read() as connection:
        made = await connection.run_sync(_describe)
    await database.close()
    expected = {
        table.name: (
            {column.name: column.nullable for column in table.columns},
            {index.name: [column.name for column in index.columns] for index in table.indexes},
            [column.name for column in table.primary_key],
        )
        for table in METADATA.sorted_tables
    }
    assert made == expected


def _describe(connection):
    inspector = inspect(connection)
    return {
        name: (
            {column["name"]: column["nullable"] for column in inspector.get_columns(name)},
            {index["name"]: index["column_names"] for index in inspector.get_indexes(name)},
            inspector.get_pk_constraint(name)["constrained_columns"],
        )
        for name in inspector.get_table_names()
        if name != "alembic_version"
    }
