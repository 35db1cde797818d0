import asyncio
import stat

import pytest
from sqlalchemy import text

from vivavoce.errors import HistoryError
from vivavoce.gateway.history.database import Database, address

SECRET = "do-not-tell"  # not one


class TestAddress:
    @pytest.mark.parametrize(
        ("url", "driver"),
        [
            ("sqlite:////var/history.db", "sqlite+aiosqlite"),
            ("postgresql://u@h/d", "postgresql+asyncpg"),
            ("postgres://u@h/d", "postgresql+asyncpg"),
            ("postgresql+psycopg://u@h/d", "postgresql+asyncpg"),
        ],
    )
    def test_names_the_driver(self, url, driver):
        assert address(url).drivername == driver

    @pytest.mark.parametrize(
        "url", ["", "history.db", f"mysql://u:{SECRET}@h/d", "sqlite://", "sqlite:///:memory:"]
    )
    def test_others_are_refused_without_their_password(self, url):
        with pytest.raises(HistoryError, match="postgresql://USER") as refused:
            Database(url)
        assert SECRET not in str(refused.value)


async def test_a_file_is_for_nobody_else(tmp_path):
    path = tmp_path / "some" / "where" / "history.db"
    database = Database(f"sqlite:///{path}")
    await database.prepare()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    async with database.read() as connection:
        pragmas = [
            await connection.scalar(text(f"pragma {name}"))
            for name in ("journal_mode", "foreign_keys", "secure_delete", "busy_timeout")
        ]
    await database.close()
    assert pragmas == ["wal", 1, 1, 5000]


async def test_its_name_tells_no_password():
    database = Database(f"postgresql://ada:{SECRET}@127.0.0.1/voice")
    assert database.name == "postgresql+asyncpg://ada:***@127.0.0.1/voice"
    await database.close()


async def test_a_transaction_that_fails_changes_nothing(url):
    database = Database(url)
    await database.prepare()

    async def fail():
        async with database.write() as connection:
            await connection.execute(text("insert into sessions (id) values ('s')"))
            raise KeyError("s")

    with pytest.raises(KeyError):
        await fail()
    async with database.read() as connection:
        assert await connection.scalar(text("select count(*) from sessions")) == 0
    await database.close()


async def test_writers_of_a_file_wait_for_each_other_and_readers_for_nobody(tmp_path):
    url = f"sqlite:///{tmp_path / 'history.db'}"
    first, second, reading = (Database(url) for _ in range(3))
    await first.prepare()

    async def write(database, session_id):
        async with database.write() as connection:
            count = await connection.scalar(text("select count(*) from sessions"))
            await connection.execute(text("insert into sessions (id) values (:id)"), {"id": session_id})
            await asyncio.sleep(0)
            async with reading.read() as reader:
                assert await reader.scalar(text("select count(*) from sessions")) <= count

    await asyncio.gather(*(write(database, f"{turn}") for turn, database in enumerate([first, second] * 4)))
    async with first.read() as connection:
        assert await connection.scalar(text("select count(*) from sessions")) == 8
    for database in (first, second, reading):
        await database.close()


async def test_scrubbing_empties_the_log_and_gives_its_connection_back(tmp_path, caplog):
    path = tmp_path / "history.db"
    database = Database(f"sqlite:///{path}")
    await database.prepare()
    log = path.with_name("history.db-wal")
    async with database.write() as connection:
        await connection.execute(text("insert into sessions (id) values (:id)"), {"id": SECRET})
    assert SECRET.encode() in log.read_bytes()
    await database.scrub()
    assert log.read_bytes() == b""
    assert caplog.records == []
    await database.close()


class TestErrors:
    async def test_nobody_there(self, free_port):
        database = Database(f"postgresql://ada:{SECRET}@127.0.0.1:{free_port}/voice")
        with pytest.raises(HistoryError, match=str(free_port)) as error:
            await database.prepare()
        assert SECRET not in str(error.value)
        assert not error.value.lasting
        await database.close()

    async def test_no_place_for_the_file(self, tmp_path):
        (tmp_path / "file").touch()
        database = Database(f"sqlite:///{tmp_path / 'file' / 'history.db'}")
        with pytest.raises(HistoryError, match="Cannot make"):
            await database.prepare()
        await database.close()

    async def test_no_database(self, tmp_path):
        path = tmp_path / "history.db"
        path.write_bytes(b"This is a letter, and no database at all. " * 100)
        database = Database(f"sqlite:///{path}")
        with pytest.raises(HistoryError, match=r"history.db: .*"):
            await database.prepare()
        await database.close()

    async def test_nothing_of_the_database_there(self, tmp_path):
        database = Database(f"sqlite:///{tmp_path / 'history.db'}")
        with pytest.raises(HistoryError, match="no such table: sessions"):
            async with database.read() as connection:
                await connection.execute(text("select * from sessions"))
        await database.close()

    @pytest.mark.parametrize("statement", ["insert into items (session_id, id) values ('nobody', 'i')"])
    async def test_a_row_that_never_fits_is_told_apart(self, url, statement):
        database = Database(url)
        await database.prepare()
        with pytest.raises(HistoryError) as error:
            async with database.write() as connection:
                await connection.execute(text(statement))
        assert error.value.lasting
        assert "nobody" not in str(error.value)
        await database.close()
