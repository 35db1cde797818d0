import asyncio
import itertools

import pytest

from tests.gateway.limits.places import places
from vivavoce.gateway.limits.store import DAY, LEASE_SECONDS, MINUTE, Level, MemoryStore

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(params=["memory", "redis"])
async def store(request, tmp_path):
    """Return each kind of store there is."""
    async with places(request.param, tmp_path) as store:
        yield store


class TestEverywhere:
    async def test_gives_out_what_there_is_and_no_more(self, store):
        assert [(await store.take("a", 4, 10, DAY)).granted for _ in range(4)] == [4, 4, 2, 0]
        assert (await store.take("b", 4, 10, DAY)).granted == 4
        level = await store.add("a", 0, DAY)
        assert (level.granted, level.used) == (0, 10)
        assert 0 < level.resets_in <= DAY

    async def test_counts_beyond_a_limit_what_was_had_already(self, store):
        assert (await store.add("a", 12, DAY)).used == 12
        assert (await store.add("a", 3, DAY)).used == 15
        assert (await store.take("a", 1, 10, DAY)).granted == 0
        assert (await store.take("a", 1, 10, MINUTE)).granted == 1, "another window, another count"

    async def test_is_exact_when_many_ask_at_once(self, store):
        levels = await asyncio.gather(*(store.take("a", 7, 1000, DAY) for _ in range(200)))
        assert sum(level.granted for level in levels) == 1000
        assert max(level.used for level in levels) == 1000

    async def test_holds_as_many_sessions_as_there_may_be(self, store):
        assert [await store.enter("ada", name, 2, 3) for name in "aabc"] == ["welcome"] * 3 + ["user_full"]
        assert [await store.enter("bob", name, 2, 3) for name in "de"] == ["welcome", "all_full"]
        await store.leave("ada", "a")
        await store.leave("ada", "never")
        assert [await store.enter("bob", name, 2, 3) for name in "ef"] == ["welcome", "user_full"]
        assert await store.enter("eve", "g", None, None) == "welcome"

    async def test_the_last_place_is_given_once(self, store):
        entries = await asyncio.gather(*(store.enter("ada", str(n), 5, None) for n in range(50)))
        assert entries.count("welcome") == 5


class TestMemory:
    async def test_each_window_begins_anew(self):
        now = 119.0
        store = MemoryStore(lambda: now)
        assert await store.take("a", 9, 10, MINUTE) == Level(9, 9, 1.0)
        now = 120.0
        assert await store.take("a", 9, 10, MINUTE) == Level(9, 9, 60.0)

    async def test_forgets_windows_that_are_over(self):
        times = itertools.count(0, 30)
        store = MemoryStore(lambda: next(times))
        for n in range(1000):
            await store.add(str(n), 1, MINUTE)
        assert len(store._used) < 10

    async def test_a_session_that_nobody_renews_counts_no_more(self):
        now = 0.0
        store = MemoryStore(lambda: now)
        assert await store.enter("ada", "a", 1, None) == "welcome"
        now = LEASE_SECONDS - 1.0
        assert await store.enter("ada", "b", 1, None) == "user_full"
        assert await store.enter("ada", "a", 1, None) == "welcome", "renewed"
        now += LEASE_SECONDS - 1.0
        assert await store.enter("ada", "b", 1, None) == "user_full"
        now += 1
        assert await store.enter("ada", "b", 1, None) == "welcome"
