import asyncio
from contextlib import asynccontextmanager

from tests.gateway.limits.places import redis_server
from vivavoce.gateway.shared.directory import Directory, Entry
from vivavoce.gateway.shared.link import Link

NAME = b"digest"


@asynccontextmanager
async def directories(folder, *names):
    """Yield the directories of processes of these names."""
    async with redis_server(folder) as (url, _):
        links = [Link(url) for _ in names]
        yield [Directory(link, name) for link, name in zip(links, names, strict=True)]
        for link in links:
            await link.close()


async def test_an_entry_is_there_for_a_while(tmp_path):
    async with directories(tmp_path, "one", "other") as (one, other):
        assert await other.look(NAME) is None
        assert await one.write(NAME, b"sealed", 10)
        assert await other.look(NAME) == Entry("one", b"sealed")
        assert 0 < await one._link.redis.pttl(f"vivavoce:session:{NAME.hex()}") <= 10_000


async def test_one_of_all_who_try_takes_it_and_the_holder_learns_of_it(tmp_path):
    async with directories(tmp_path, "one", *"abcdefgh") as (one, *others):
        await one.write(NAME, b"sealed", 10)
        taken = await asyncio.gather(*(other.take(NAME) for other in others))
        assert sorted(taken, key=bool) == [None] * 7 + [b"sealed"]
        assert await others[0].look(NAME) is None
        assert not await one.write(NAME, b"later", 10)
        assert await others[0].take(NAME) is None


async def test_who_leaves_it_has_it_no_more_and_anybody_may_take_it(tmp_path):
    async with directories(tmp_path, "one", "other") as (one, other):
        await one.write(NAME, b"first", 10)
        assert await one.write(NAME, b"last", 10, leaves=True)
        assert await other.look(NAME) == Entry("", b"last")
        assert await other.take(NAME) == b"last"
        await other.put_back(NAME, b"last", 10)
        assert await one.take(NAME) == b"last"


async def test_what_redis_lost_is_written_anew(tmp_path):
    async with directories(tmp_path, "one", "other") as (one, other):
        await one.write(NAME, b"sealed", 10)
        await one._link.redis.flushall()
        assert await one.write(NAME, b"sealed", 10)
        assert await other.take(NAME) == b"sealed"


async def test_only_who_holds_it_can_say_that_it_is_over(tmp_path):
    async with directories(tmp_path, "one", "other") as (one, other):
        await one.write(NAME, b"sealed", 10)
        await other.forget(NAME)
        assert await other.look(NAME) is not None
        await one.forget(NAME)
        assert await other.look(NAME) is None


async def test_calls(tmp_path):
    async with directories(tmp_path, "one", "other") as (one, other):
        await one.write_call("rtc_1", "ada")
        assert await other.find_call("rtc_1") == ("one", "ada")
        assert 0 < await one._link.redis.ttl("vivavoce:call:rtc_1") <= 60
        await one.forget_call("rtc_1")
        assert await other.find_call("rtc_1") is None
