import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.gateway.history.changes import Change
from vivavoce.gateway.history.database import Database
from vivavoce.gateway.history.reader import Filter, Reader, _read_cursor, _write_cursor
from vivavoce.gateway.history.store import Store


@pytest.fixture
async def database(url):
    opened = Database(url)
    await opened.prepare()
    yield opened
    await opened.close()


def session(number, **values):
    values = {"user": "ada", "model": "m", "state": "ended", "started_at": float(number), **values}
    return Change("sessions", f"s{number:02}", f"s{number:02}", values)


async def all_ids(ask, limit):
    found, cursor = [], None
    while True:
        page = await ask(limit=limit, cursor=cursor)
        found += [row["id"] for row in page.data]
        assert len(page.data) <= limit
        if (cursor := page.next_cursor) is None:
            return found


class TestSessions:
    @pytest.mark.parametrize("limit", [1, 3, 10, 100])
    async def test_come_page_by_page_the_newest_first(self, database, limit):
        await Store(database, "p").write(
            [session(number, started_at=float(number // 2)) for number in range(10)]
        )
        reader = Reader(database)
        found = await all_ids(lambda **page: reader.sessions(Filter(), **page), limit)
        assert found == [f"s{number:02}" for number in range(9, -1, -1)]

    async def test_new_ones_do_not_disturb_the_pages(self, database):
        store, reader = Store(database, "p"), Reader(database)
        await store.write([session(number) for number in range(4)])
        first = await reader.sessions(Filter(), limit=2)
        await store.write([session(9)])
        second = await reader.sessions(Filter(), limit=2, cursor=first.next_cursor)
        assert [row["id"] for row in second.data] == ["s01", "s00"]
        assert second.next_cursor is None

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            (Filter(user="bob"), ["s01"]),
            (Filter(model="other"), ["s02"]),
            (Filter(state="open"), ["s03"]),
            (Filter(since=3.0), ["s04", "s03"]),
            (Filter(until=1.0), ["s00"]),
            (Filter(user="ada", since=1.0, until=4.0), ["s03", "s02"]),
        ],
    )
    async def test_are_chosen(self, database, wanted, found):
        await Store(database, "p").write(
            [
                session(0),
                session(1, user="bob"),
                session(2, model="other"),
                session(3, state="open"),
                session(4),
            ]
        )
        page = await Reader(database).sessions(wanted, limit=10)
        assert [row["id"] for row in page.data] == found

    async def test_tell_nothing_of_the_process(self, database):
        await Store(database, "p").write([session(1, process="p")])
        assert "process" not in (await Reader(database).session("s01"))


class TestSums:
    async def test_are_those_of_the_responses(self, database):
        one = {"text_tokens": 10, "audio_output_tokens": 7, "cost": 0.25, "first_audio_ms": 400}
        two = {"text_tokens": 5, "audio_output_tokens": 1, "cost": 0.5, "first_audio_ms": 601}
        columns = (one, two, {"status": "cancelled"})
        rows = [Change("responses", "s01", f"r{number}", values) for number, values in enumerate(columns, 1)]
        item = Change("items", "s01", "i", {"position": 1.0})
        await Store(database, "p").write([session(1), session(2), *rows[:2], item])
        await Store(database, "p").write(rows[2:])
        found = await Reader(database).session("s01")
        assert (found["response_count"], found["item_count"]) == (3, 1)
        assert (found["tokens"]["text"], found["tokens"]["audio_output"], found["cost"]) == (15, 8, 0.75)
        assert found["mean_first_audio_ms"] in {500, 501}
        assert [row["id"] for row in await Reader(database).responses("s01")] == ["r1", "r2", "r3"]

    async def test_of_nothing_are_nothing(self, database):
        await Store(database, "p").write([session(1)])
        found = await Reader(database).session("s01")
        assert (found["cost"], found["mean_first_audio_ms"], found["tokens"]["text"]) == (None, None, 0)


class TestOneUser:
    async def test_finds_only_their_own(self, database):
        await Store(database, "p").write([session(1)])
        reader = Reader(database)
        assert (await reader.session("s01", user="ada"))["id"] == "s01"
        assert await reader.session("s01", user="bob") is None
        assert await reader.session("s99") is None


class TestItems:
    @pytest.mark.parametrize("limit", [1, 4, 100])
    async def test_come_in_their_order(self, database, limit):
        items = [Change("items", "s01", f"i{n}", {"position": n / 2}) for n in (3, 1, 2, 0)]
        await Store(database, "p").write([session(1), session(2), *items])
        reader = Reader(database)
        assert await all_ids(lambda **page: reader.items("s01", **page), limit) == ["i0", "i1", "i2", "i3"]
        assert [row["id"] for row in await reader.all_items("s01")] == ["i0", "i1", "i2", "i3"]
        assert "position" not in (await reader.all_items("s01"))[0]


class TestCursor:
    @settings(deadline=None)
    @given(
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=200).filter(lambda text: "\0" not in text),
    )
    def test_is_read_as_it_was_written(self, number, key):
        assert _read_cursor(_write_cursor([number, key])) == (number, key)

    @settings(deadline=None)
    @given(st.text(max_size=40))
    def test_any_other_is_refused_in_words(self, text):
        with pytest.raises(ValueError, match="Expected a next_cursor"):
            _read_cursor(text)
