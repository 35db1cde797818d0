"""Work in a thread: order, cancellation, failures and the end."""

import asyncio
import gc
import threading

import pytest

from vivavoce.engine.models.workers import Worker
from vivavoce.errors import ModelError


class Gate:
    """Work that lasts until it is told to end."""

    def __init__(self):
        self.begun = threading.Event()
        self.end = threading.Event()

    def __call__(self):
        self.begun.set()
        assert self.end.wait(5)


@pytest.fixture
async def worker():
    worker = Worker("tester")
    yield worker
    await worker.close()


@pytest.fixture
async def gate(worker):
    """The worker is busy until the gate's end."""
    gate = Gate()
    held = asyncio.create_task(worker.do(gate))
    await asyncio.to_thread(gate.begun.wait, 5)
    yield gate
    gate.end.set()
    await asyncio.gather(held, return_exceptions=True)


async def waiting(*works):
    """Start tasks, and let each hand in its work."""
    tasks = [asyncio.create_task(work) for work in works]
    await asyncio.sleep(0)
    return tasks


async def test_works_in_a_thread_of_its_own(worker):
    thread = await worker.do(threading.current_thread)
    assert thread.name == "tester"
    assert thread is not threading.current_thread()
    assert await worker.do(threading.current_thread) is thread


async def test_does_the_urgent_first_and_equals_in_turn(worker, gate):
    done = []
    tasks = await waiting(
        *(worker.do(lambda name=name: done.append(name)) for name in ("partial 1", "partial 2")),
        *(worker.do(lambda name=name: done.append(name), urgency=1) for name in ("final 1", "final 2")),
    )
    gate.end.set()
    await asyncio.gather(*tasks)
    assert done == ["final 1", "final 2", "partial 1", "partial 2"]


async def test_drops_work_that_nobody_awaits_any_more(worker, gate):
    done = []
    stale, fresh = await waiting(
        worker.do(lambda: done.append("stale")), worker.do(lambda: done.append("fresh"))
    )
    stale.cancel()
    gate.end.set()
    await fresh
    assert done == ["fresh"]
    with pytest.raises(asyncio.CancelledError):
        await stale


async def test_goes_on_after_work_that_was_cancelled_while_it_ran(worker):
    gate = Gate()
    (task,) = await waiting(worker.do(gate))
    await asyncio.to_thread(gate.begun.wait, 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.end.set()
    assert await worker.do(lambda: "next") == "next"


async def test_tells_failures_with_their_cause(worker):
    with pytest.raises(ModelError, match=r"^tester: division by zero$") as caught:
        await worker.do(lambda: 1 / 0)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert await worker.do(lambda: 1) == 1


async def test_leaves_the_errors_of_a_model_as_they_are(worker):
    problem = ModelError("tester: said so itself")

    def fail():
        raise problem

    with pytest.raises(ModelError) as caught:
        await worker.do(fail)
    assert caught.value is problem


async def test_a_failure_that_nobody_awaits_is_no_unhandled_error(worker):
    unhandled = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    gate = Gate()

    def fail():
        gate()
        raise ValueError("too late")

    (task,) = await waiting(worker.do(fail))
    await asyncio.to_thread(gate.begun.wait, 5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    gate.end.set()
    await worker.do(gc.collect)
    await asyncio.sleep(0)
    assert unhandled == []


async def test_closing_ends_the_thread_and_tells_those_who_wait():
    worker, gate = Worker("closing"), Gate()
    running, left = await waiting(worker.do(gate), worker.do(lambda: "never done"))
    await asyncio.to_thread(gate.begun.wait, 5)
    (closing,) = await waiting(worker.close())
    gate.end.set()
    await closing
    assert await running is None
    with pytest.raises(ModelError, match="closing was closed"):
        await left
    assert "closing" not in {thread.name for thread in threading.enumerate()}


async def test_a_closed_worker_takes_no_work_and_closes_again():
    worker = Worker("closed")
    await worker.close()
    await worker.close()
    with pytest.raises(ModelError, match="closed is closed"):
        await worker.do(lambda: 1)


def test_serves_one_loop_after_another_and_survives_the_end_of_one():
    worker, gate = Worker("loops"), Gate()

    async def abandon():
        await waiting(worker.do(gate))
        await asyncio.to_thread(gate.begun.wait, 5)

    asyncio.run(abandon())
    gate.end.set()
    assert asyncio.run(worker.do(lambda: "still here")) == "still here"
    asyncio.run(worker.close())


async def test_keeps_nothing_of_what_is_done(worker):
    class Result:
        pass

    import weakref

    kept = weakref.ref(await worker.do(Result))
    await worker.do(lambda: None)  # the thread is past the first work
    gc.collect()
    assert kept() is None
