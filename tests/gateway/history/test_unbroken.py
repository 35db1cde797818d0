import asyncio

import pytest

from vivavoce.gateway.history.unbroken import unbroken

PATIENCE = 30.0


class Work:
    """Work that is done once it is let through."""

    def __init__(self, failure=None):
        self.failure = failure
        self.begun, self.let_through = asyncio.Event(), asyncio.Event()
        self.end = None

    async def __call__(self):
        self.begun.set()
        try:
            await self.let_through.wait()
        except asyncio.CancelledError:
            self.end = "broken off"
            raise
        self.end = "done"
        if self.failure is not None:
            raise self.failure
        return 7


async def cancelled(work, seconds):
    """Return a task that does the work, and was cancelled in the middle of it."""
    task = asyncio.create_task(unbroken(work(), seconds=seconds))
    await work.begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    return task


async def test_returns_what_the_work_does_and_raises_what_it_raises():
    done, failing = Work(), Work(ValueError("no"))
    for work in (done, failing):
        work.let_through.set()
    assert await unbroken(done(), seconds=PATIENCE) == 7
    with pytest.raises(ValueError, match="no"):
        await unbroken(failing(), seconds=PATIENCE)


@pytest.mark.parametrize("failure", [None, ValueError("no")])
async def test_who_is_cancelled_waits_for_the_end(failure):
    work = Work(failure)
    task = await cancelled(work, PATIENCE)
    assert (task.done(), work.end) == (False, None)
    work.let_through.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.end == "done"


async def test_but_not_for_ever():
    work = Work()
    with pytest.raises(asyncio.CancelledError):
        await (await cancelled(work, 0.01))
    assert work.end == "broken off"
