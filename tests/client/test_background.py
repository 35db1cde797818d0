import asyncio
import threading

import pytest

from vivavoce.client.background import Background
from vivavoce.errors import VivaVoceError


@pytest.fixture
def background():
    made = Background("test")
    made.start()
    yield made
    made.stop()


async def double(number):
    return 2 * number


def test_what_is_awaited_there_is_returned_here(background):
    assert background.run(double(21)) == 42
    assert background.call(threading.get_ident) != threading.get_ident()


def test_what_is_raised_there_is_raised_here(background):
    async def fail():
        raise KeyError("x")

    with pytest.raises(KeyError):
        background.run(fail())


def test_what_is_not_waited_for_any_longer_is_cancelled(background):
    ended = threading.Event()

    async def wait():
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(TimeoutError):
        background.run(wait(), 0.01)
    assert ended.wait(10)


def test_it_leaves_no_thread(background):
    background.start()  # begun already
    before = threading.active_count()
    background.stop()
    background.stop()
    assert threading.active_count() == before - 1
    assert not background.running


def test_what_does_not_run_can_do_nothing():
    with pytest.raises(VivaVoceError, match="with statement"):
        Background("test").run(double(1))


def test_it_cannot_wait_for_itself(background):
    with pytest.raises(VivaVoceError, match="cannot wait for itself"):
        background.call(lambda: background.call(lambda: None))
    with pytest.raises(VivaVoceError, match="cannot wait for itself"):
        background.call(background.stop)
    assert background.run(double(1)) == 2
