import asyncio
import os
import signal

import pytest

from vivavoce.cli import signals as module
from vivavoce.cli.signals import Signals


@pytest.fixture
def signals(monkeypatch):
    """Let nothing end the process, whatever comes."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(module, "SHUTDOWN_SECONDS", 1000)
    yield Signals
    for number, handler in before.items():
        signal.signal(number, handler)


async def _send(heard, number):
    os.kill(os.getpid(), number)
    await asyncio.wait_for(heard.wait(), 30)


async def test_a_first_sigterm_is_gentle_and_a_second_is_not(signals):
    told = signals()
    await _send(told.asked, signal.SIGTERM)
    assert not told.at_once.is_set()
    await _send(told.at_once, signal.SIGTERM)


async def test_sigint_is_not_gentle(signals):
    told = signals()
    await _send(told.asked, signal.SIGINT)
    assert told.at_once.is_set()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL


async def test_the_end_begins_once(signals, monkeypatch):
    timers = []

    class Timer:
        def __init__(self, seconds, call, arguments):
            timers.append(seconds)

        def start(self):
            pass

    monkeypatch.setattr(module.threading, "Timer", Timer)
    told = signals()
    told.stop_now()
    told.stop_now()
    assert told.asked.is_set()
    assert timers == [1000]
