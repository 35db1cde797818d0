import asyncio
import logging

from vivavoce.client.tasks import Tasks


async def test_all_end_together():
    tasks, ended = Tasks(), []

    async def work(name):
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    for name in ("one", "two"):
        tasks.spawn(work(name), name)
    await asyncio.sleep(0)
    await tasks.cancel()
    assert sorted(ended) == ["one", "two"]


async def test_who_ends_them_is_not_ended():
    tasks, reached = Tasks(), asyncio.Event()

    async def work():
        await tasks.cancel()
        reached.set()

    tasks.spawn(work(), "one")
    await reached.wait()


async def test_a_failure_is_told(caplog):
    tasks = Tasks()

    async def work():
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR):
        await asyncio.gather(tasks.spawn(work(), "sums"), return_exceptions=True)
        await asyncio.sleep(0)
    assert "realtime client: sums failed" in caplog.text
