import asyncio
import logging
import signal
from contextlib import AsyncExitStack

import pytest

from tests.gateway.limits.places import redis_server
from vivavoce.gateway.limits import redis_store
from vivavoce.gateway.limits.redis_store import PREFIX, RedisStore
from vivavoce.gateway.limits.store import DAY, LEASE_SECONDS, MINUTE


async def test_processes_count_together(tmp_path):
    async with redis_server(tmp_path) as (url, _), AsyncExitStack() as stack:
        stores = [RedisStore(url) for _ in range(4)]
        for store in stores:
            stack.push_async_callback(store.close)
        levels = await asyncio.gather(*(store.take("a", 3, 100, DAY) for store in stores for _ in range(20)))
        assert sum(level.granted for level in levels) == 100
        entries = await asyncio.gather(
            *(store.enter("ada", f"{n}.{m}", 7, None) for n, store in enumerate(stores) for m in range(10))
        )
        assert entries.count("welcome") == 7


async def test_nothing_is_kept_for_ever(tmp_path):
    async with redis_server(tmp_path) as (url, _), AsyncExitStack() as stack:
        store = RedisStore(url)
        stack.push_async_callback(store.close)
        await store.take("a", 1, 10, MINUTE)
        await store.add("b", 0, DAY)
        await store.enter("ada", "s", 1, 1)
        names = [name async for name in store._redis.scan_iter()]
        assert len(names) == 3, "a question alone leaves nothing"
        for name in names:
            assert name.startswith(PREFIX)
            assert 0 < await store._redis.ttl(name) <= max(2 * MINUTE, LEASE_SECONDS + 60)
        await store._redis.zadd(f"{PREFIX}sessions:ada", {"s": 1})
        await store._redis.zadd(f"{PREFIX}sessions", {"s": 1})
        assert await store.enter("ada", "t", 1, 1) == "welcome", "the process of the first is gone"


async def test_while_the_server_is_gone_each_process_counts_for_itself(tmp_path, caplog):
    async with redis_server(tmp_path) as (url, process), AsyncExitStack() as stack:
        store = RedisStore(url)
        stack.push_async_callback(store.close)
        await store.take("a", 8, 10, DAY)
        process.terminate()
        await process.wait()
        with caplog.at_level(logging.WARNING):
            assert [(await store.take("a", 8, 10, DAY)).granted for _ in range(2)] == [8, 2]
            assert (await store.add("b", 3, DAY)).used == 3
            assert [await store.enter("ada", name, 1, None) for name in "ab"] == ["welcome", "user_full"]
            await store.leave("ada", "a")
            assert await store.enter("ada", "b", 1, None) == "welcome"
        assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
            "limits are counted by this process alone"
        ]


async def test_a_server_that_does_not_answer_is_left_alone_for_a_while(tmp_path, monkeypatch):
    monkeypatch.setattr(redis_store, "TIMEOUT", 0.1)
    monkeypatch.setattr(redis_store, "REST_SECONDS", 1000)
    async with redis_server(tmp_path) as (url, process), AsyncExitStack() as stack:
        store = RedisStore(url)
        stack.push_async_callback(store.close)
        await store.take("a", 8, 10, DAY)
        process.send_signal(signal.SIGSTOP)
        assert (await store.take("a", 8, 10, DAY)).granted == 8
        process.send_signal(signal.SIGCONT)
        assert (await store.take("a", 8, 10, DAY)).granted == 2, "it is not asked"
        store._rests_until = 0
        assert (await store.take("a", 8, 10, DAY)).used == 10, "and now it is"


@pytest.mark.parametrize("url", ["http://a.example", "redis", "", "redis://host:port"])
def test_an_address_that_is_none(url):
    with pytest.raises(ValueError, match=r"."):
        RedisStore(url)
