import asyncio
from itertools import chain

import pytest

from vivavoce.errors import HistoryError
from vivavoce.gateway.history.backlog import Backlog
from vivavoce.gateway.history.changes import Change
from vivavoce.gateway.history.writer import BATCH, FIRST_RETRY, LAST_RETRY, Writer


def item(number, session_id="s"):
    return Change("items", session_id, f"i{number}", {"number": number})


class Double:
    """A database that fails when it is told to."""

    def __init__(self):
        self.failures = []
        self.prepared = 0
        self.written = []
        self.waits = []
        self.let_through = asyncio.Event()
        self.let_through.set()
        self.asked = asyncio.Event()

    def refuses(self, changes):
        return False

    async def prepare(self):
        self._fail()
        self.prepared += 1

    async def write(self, changes):
        changes = list(changes)
        self.asked.set()
        await self.let_through.wait()
        self._fail()
        if self.refuses(changes):
            raise HistoryError("this never fits", lasting=True)
        self.written.append([change.id for change in changes])

    async def sleep(self, seconds):
        self.waits.append(seconds)
        await asyncio.sleep(0)

    def _fail(self):
        if self.failures:
            failure = self.failures.pop(0)
            if failure is not None:
                raise failure


AWAY = HistoryError("nobody there")


@pytest.fixture
async def database():
    return Double()


@pytest.fixture
async def writer(database):
    writer = Writer(database.prepare, database.write, sleep=database.sleep)
    yield writer
    await writer.stop(0)


async def test_what_comes_together_is_written_together(database, writer):
    writer.start()
    for number in range(3):
        writer(item(number))
    await writer.flush()
    assert database.written == [["i0", "i1", "i2"]]
    await writer.flush()


async def test_no_transaction_is_too_large(database, writer):
    for number in range(BATCH + 1):
        writer(item(number))
    writer.start()
    await writer.flush()
    assert [len(batch) for batch in database.written] == [BATCH, 1]


async def test_without_anybody_asking_it_writes_soon(database, writer):
    writer.start()
    writer(item(1))
    async with asyncio.timeout(20):
        await database.asked.wait()


class TestWhileItIsAway:
    async def test_everything_waits_and_is_written_afterwards_in_order(self, database, writer, caplog):
        database.failures = [None, AWAY, AWAY]
        writer.start()
        writer(item(1))
        writer(item(2))
        await writer.flush()
        assert database.written == [["i1", "i2"]]
        assert database.waits == [FIRST_RETRY, 2 * FIRST_RETRY]
        assert caplog.messages == [
            "the history cannot be written, and waits: nobody there",
            "the history can be written again",
        ]
        assert writer.failure is None

    async def test_at_the_start_too(self, database, writer):
        database.failures = [AWAY] * 9
        writer(item(1))
        writer.start()
        await writer.flush()
        assert (database.prepared, database.written) == (1, [["i1"]])
        assert writer.ready.is_set()
        assert max(database.waits) == LAST_RETRY

    async def test_what_changes_meanwhile_is_written_as_it_is_then(self, database, writer):
        database.let_through.clear()
        writer.start()
        writer(item(1))
        await database.asked.wait()
        database.failures = [AWAY]
        writer(item(2))
        database.let_through.set()
        await writer.flush()
        assert database.written == [["i1", "i2"]]

    async def test_what_is_too_much_is_lost_and_marked(self, database):
        writer = Writer(database.prepare, database.write, backlog=Backlog(max_bytes=0), sleep=database.sleep)
        writer(Change("sessions", "s", "s", {"started_at": 1.0}))
        writer(item(1))
        assert (len(writer.backlog), writer.backlog.lost) == (1, 1)


class TestWhatNeverFits:
    async def test_costs_only_the_session_that_it_belongs_to(self, database, writer, caplog):
        database.refuses = lambda changes: any(change.id == "i13" for change in changes)
        writer.start()
        for number, session_id in ((1, "a"), (13, "b"), (2, "b"), (3, "c")):
            writer(item(number, session_id))
        await writer.flush()
        assert database.written == [["i1"], ["i3"], ["b"]]
        assert writer.backlog.lost == 2
        assert "loses 2 rows of a session" in caplog.text

    async def test_a_mark_that_never_fits_is_not_tried_for_ever(self, database, writer):
        database.refuses = lambda _: True
        writer.start()
        writer(item(1))
        await writer.flush()
        assert database.written == []

    async def test_the_others_wait_when_it_goes_away_meanwhile(self, database, writer):
        writer.start()
        database.refuses = lambda changes: len(changes) > 1
        database.failures = [None, None, None, AWAY]
        for number, session_id in ((1, "a"), (2, "b"), (3, "c")):
            writer(item(number, session_id))
        await writer.flush()
        assert sorted(chain.from_iterable(database.written)) == ["i1", "i2", "i3"]
        assert len(database.waits) == 1


class TestStopping:
    async def test_writes_what_waits(self, database, writer):
        writer.start()
        writer(item(1))
        await writer.stop(20)
        assert database.written == [["i1"]]

    async def test_gives_up_after_its_time(self, database, writer, caplog):
        database.let_through.clear()
        writer.start()
        writer(item(1))
        await writer.stop(0.01)
        assert database.written == []
        assert "loses" in caplog.text

    async def test_before_it_was_started_does_nothing(self, writer):
        await writer.stop(1)
