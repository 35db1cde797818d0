import asyncio
import subprocess
import sys

import pytest
from alembic.migration import MigrationContext
from sqlalchemy import text

from vivavoce.errors import HistoryError
from vivavoce.gateway.history.database import Database

PREPARE = """
import asyncio, sys
from vivavoce.gateway.history.database import Database

async def main():
    database = Database(sys.argv[1])
    await database.prepare()
    await database.close()

asyncio.run(main())
"""


async def version(database):
    async with database.read() as connection:
        return await connection.run_sync(lambda one: MigrationContext.configure(one).get_current_revision())


async def test_an_empty_database_gets_the_newest_version_and_keeps_it(url):
    database = Database(url)
    await database.prepare()
    assert await version(database) == "0001"
    await database.prepare()
    assert await version(database) == "0001"
    await database.close()


async def test_two_in_one_process_wait_for_each_other(url):
    both = [Database(url), Database(url)]
    await asyncio.gather(*(database.prepare() for database in both))
    assert [await version(database) for database in both] == ["0001", "0001"]
    for database in both:
        await database.close()


def test_processes_wait_for_each_other(url):
    running = [
        subprocess.Popen([sys.executable, "-c", PREPARE, url], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [(one.communicate()[1], one.returncode) for one in running] == [("", 0)] * 3


async def test_a_database_of_a_newer_version_is_left_alone(url):
    database = Database(url)
    await database.prepare()
    async with database.write() as connection:
        await connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(HistoryError, match="another version"):
        await database.prepare()
    assert await version(database) == "9999"
    await database.close()
