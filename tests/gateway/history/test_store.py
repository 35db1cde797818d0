import os
import socket
import subprocess
import sys

import pytest
from sqlalchemy import text

from vivavoce.errors import HistoryError
from vivavoce.gateway.history.changes import Change
from vivavoce.gateway.history.database import Database
from vivavoce.gateway.history.reader import Filter, Reader
from vivavoce.gateway.history.store import DEAD_SECONDS, Store


@pytest.fixture
async def database(url):
    opened = Database(url)
    await opened.prepare()
    yield opened
    await opened.close()


@pytest.fixture
def gone():
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def began(session_id="s", process="me", **values):
    values = {"user": "ada", "started_at": 100.0, "state": "open", "process": process, **values}
    return Change("sessions", session_id, session_id, values)


def session(session_id="s", **values):
    return Change("sessions", session_id, session_id, values)


def item(item_id, session_id="s", **values):
    return Change("items", session_id, item_id, {"type": "message", "position": 1.0, **values})


async def states(database):
    page = await Reader(database).sessions(Filter(), limit=100)
    return {row["id"]: (row["state"], row["ended_at"], row["incomplete"]) for row in page.data}


class TestWriting:
    async def test_rows_in_any_order(self, database):
        store = Store(database, "me")
        await store.write(
            [item("i", content=[{"type": "input_text", "text": "Grüß dich \N{WAVING HAND SIGN}"}]), began()]
        )
        await store.write([])
        found = await Reader(database).all_items("s")
        assert found[0]["content"][0]["text"] == "Grüß dich \N{WAVING HAND SIGN}"

    async def test_a_later_change_leaves_other_columns_alone(self, database):
        store = Store(database, "me")
        await store.write([began(), item("i", role="user", status="in_progress")])
        await store.write([session(state="ended", close_code=1000), item("i", status="completed")])
        found = await Reader(database).session("s")
        assert (found["user"], found["state"], found["close_code"]) == ("ada", "ended", 1000)
        (row,) = await Reader(database).all_items("s")
        assert (row["role"], row["status"]) == ("user", "completed")

    async def test_nothing_is_kept_of_a_session_whose_beginning_was_lost(self, database):
        store = Store(database, "me")
        await store.write([session("lost", incomplete=True)])
        assert await states(database) == {}

    async def test_nothing_is_kept_of_an_item_whose_beginning_was_lost(self, database):
        store = Store(database, "me")
        await store.write([began(), item("i", deleted=False)])
        await store.write([Change("items", "s", item_id, {"deleted": True}) for item_id in ("i", "lost")])
        assert [(row["id"], row["deleted"]) for row in await Reader(database).all_items("s")] == [("i", True)]

    async def test_all_or_nothing(self, database):
        with pytest.raises(HistoryError) as error:
            await Store(database, "me").write([began(), item("i", session_id="nobody")])
        assert error.value.lasting
        assert await states(database) == {}


class TestProcesses:
    async def test_sessions_of_the_living_stay_open(self, database):
        store, other = Store(database, "me"), Store(database, "other")
        await store.show(1000.0)
        async with database.write() as connection:
            await connection.execute(
                text("insert into processes values ('other', 'elsewhere', 1, :seen)"),
                {"seen": 1000.0 - DEAD_SECONDS},
            )
        await store.write([began("mine"), began("others", process="other")])
        assert await store.abandon(1000.0) == 0
        assert await other.abandon(1000.0) == 1, "another process with my number has my number no more"
        assert (await states(database))["mine"] == ("abandoned", 1000.0, True)

    async def test_those_of_a_process_that_was_not_seen_for_long_are_over(self, database):
        store = Store(database, "me")
        await store.show(1000.0)
        async with database.write() as connection:
            await connection.execute(text("insert into processes values ('other', 'elsewhere', 1, 500)"))
        await store.write([began("others", process="other"), began("done", process="other", state="ended")])
        assert await store.abandon(500.0 + DEAD_SECONDS) == 0
        assert await store.abandon(501.0 + DEAD_SECONDS) == 1
        assert await states(database) == {
            "others": ("abandoned", 500.0, True),
            "done": ("ended", None, False),
        }

    async def test_those_of_a_process_of_this_machine_that_is_gone_are_over_at_once(self, database, gone):
        async with database.write() as connection:
            await connection.execute(
                text("insert into processes values (:id, :host, :pid, 999)"),
                [
                    {"id": "gone", "host": socket.gethostname(), "pid": gone},
                    {"id": "parent", "host": socket.gethostname(), "pid": os.getppid()},
                ],
            )
        store = Store(database, "me")
        await store.write([began("a", process="gone"), began("b", process="parent")])
        assert await store.abandon(1000.0) == 1
        assert {name: state for name, (state, *_) in (await states(database)).items()} == {
            "a": "abandoned",
            "b": "open",
        }

    async def test_silence_alone_may_not_count(self, database):
        store = Store(database, "me")
        async with database.write() as connection:
            await connection.execute(text("insert into processes values ('silent', 'elsewhere', 1, 1)"))
            host = {"host": socket.gethostname()}
            await connection.execute(
                text("insert into processes values ('gone', :host, 2147483647, 999)"), host
            )
        await store.write([began(name, process=name) for name in ("silent", "gone", "unknown")])
        assert await store.abandon(1000.0, by_silence=False) == 1
        assert {name for name, (state, *_) in (await states(database)).items() if state == "open"} == {
            "silent",
            "unknown",
        }
        assert await store.abandon(1000.0) == 2

    async def test_those_of_nobody_are_over(self, database):
        store = Store(database, "me")
        await store.write([began("s", process="never seen")])
        assert await store.abandon(1000.0) == 1
        assert (await states(database))["s"] == ("abandoned", 100.0, True)

    async def test_one_that_was_given_up_too_early_ends_nevertheless(self, database):
        store = Store(database, "me")
        await store.write([began()])
        await Store(database, "hasty").abandon(1000.0)
        await store.write([session(state="ended", ended_at=2000.0)])
        assert (await states(database))["s"][:2] == ("ended", 2000.0)


class TestForgetting:
    async def test_what_belongs_to_a_session_goes_with_it(self, database):
        store = Store(database, "me")
        answer = Change("responses", "s", "r", {"status": "completed"})
        await store.write([began(state="ended"), item("i"), answer, began("other", state="ended")])
        assert await store.forget(["s"]) == 1
        assert list(await states(database)) == ["other"]
        async with database.read() as connection:
            for table in ("items", "responses"):
                assert await connection.scalar(text(f"select count(*) from {table}")) == 0

    async def test_nothing_of_it_is_left_in_the_files(self, tmp_path):
        database = Database(f"sqlite:///{tmp_path / 'history.db'}")
        await database.prepare()
        store, secret = Store(database, "me"), "what nobody else should know"
        content = [{"type": "input_text", "text": secret}]
        await store.write([began(state="ended"), item("i", content=content)])

        def written():
            return [path.name for path in tmp_path.iterdir() if secret.encode() in path.read_bytes()]

        assert written() != []
        await store.forget(["s"])
        assert written() == []
        await database.close()

    async def test_one_that_is_open_stays(self, database):
        store = Store(database, "me")
        await store.write([began()])
        assert await store.forget(["s", "nobody"]) == 0
        assert list(await states(database)) == ["s"]

    async def test_those_that_are_too_old_are_found(self, database):
        store = Store(database, "me")
        await store.write(
            [
                began("old", state="ended", started_at=10.0, recording="old.wav"),
                began("old and open", started_at=10.0),
                began("new", state="ended", started_at=30.0),
            ]
        )
        assert await store.expired(20.0) == [("old", "old.wav")]
