import asyncio
import os
import signal
import socket

import pytest

from vivavoce.errors import VivaVoceError
from vivavoce.gateway import GatewaySettings
from vivavoce.gateway.operations import workers as module
from vivavoce.gateway.operations.workers import Workers, check, reserve


class Double:
    """A process that runs until it is told its exit code."""

    def __init__(self, pid):
        self.pid = pid
        self.exitcode = None
        self.sentinel, self._end = os.pipe()
        self.started = self.joined = False

    def start(self):
        self.started = True

    def join(self):
        self.joined = True
        os.close(self.sentinel)

    def exit(self, code):
        self.exitcode = code
        os.close(self._end)


@pytest.fixture
def made(monkeypatch):
    """Return all processes that were made; a signal to one ends it."""
    made = []

    def kill(pid, number):
        made[pid].exit(-number)

    monkeypatch.setattr(module.os, "kill", kill)
    monkeypatch.setattr(module, "FIRST_SECONDS", 0.001)
    return made


def workers(made, many, **more):
    def make():
        made.append(Double(len(made)))
        return made[-1]

    return Workers(many, make, **more)


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what it waits for tells nobody
            await asyncio.sleep(0)


class TestWorkers:
    async def test_so_many_run_until_they_are_stopped(self, made):
        working = workers(made, 3)
        running = asyncio.create_task(working.run())
        await until(lambda: len(made) == 3)
        working.stop()
        assert await running == 0
        assert [process.exitcode for process in made] == [-signal.SIGTERM] * 3
        assert all(process.joined for process in made)

    async def test_one_that_dies_is_started_again(self, made):
        gone = []
        working = workers(made, 2, died=gone.append)
        running = asyncio.create_task(working.run())
        await until(lambda: len(made) == 2)
        made[0].exit(1)
        await until(lambda: len(made) == 3)
        assert gone == [0]
        working.stop()
        await running
        assert made[1].exitcode == made[2].exitcode == -signal.SIGTERM

    async def test_a_hopeless_one_ends_all(self, made):
        working = workers(made, 2, hopeless=frozenset({4}))
        running = asyncio.create_task(working.run())
        await until(lambda: len(made) == 2)
        made[1].exit(4)
        assert await running == 4
        assert made[0].exitcode == -signal.SIGTERM
        assert len(made) == 2

    async def test_one_that_dies_young_is_waited_for_longer_each_time(self, made, caplog):
        working = workers(made, 1)
        running = asyncio.create_task(working.run())
        for number in range(3):
            await until(lambda: len(made) == number + 1)  # noqa: B023 - it is over before the next
            made[number].exit(1)
        await until(lambda: len(made) == 4)
        pauses = [record.args[1] for record in caplog.records if "died" in record.msg]
        assert pauses == [0.002, 0.004, 0.008]
        working.stop()
        await running

    async def test_whoever_waits_to_be_started_is_not_waited_for(self, made, monkeypatch):
        monkeypatch.setattr(module, "FIRST_SECONDS", 10)
        working = workers(made, 1)
        running = asyncio.create_task(working.run())
        await until(lambda: len(made) == 1)
        made[0].exit(1)
        await until(lambda: made[0].joined)
        working.stop()
        await asyncio.wait_for(running, 5)


class TestCheck:
    def test_models_are_loaded_several_times_on_demand_only(self):
        with pytest.raises(VivaVoceError, match="WORKERS_LOAD_MODELS"):
            check(GatewaySettings(workers=2))
        check(GatewaySettings(workers=2, workers_load_models=True))

    @pytest.mark.parametrize("settings", [{"upstream": "openai"}, {"engine": "scripted"}])
    def test_where_there_are_none_it_is_fine(self, settings):
        check(GatewaySettings(workers=2, **settings))

    def test_a_fallback_has_models_too(self):
        with pytest.raises(VivaVoceError, match="WORKERS"):
            check(GatewaySettings(workers=2, upstream="openai", fallback_upstream="engine"))

    def test_calls_cannot_come_through_one_port(self):
        with pytest.raises(
            VivaVoceError, match=r"VIVAVOCE_CALL_PORT: expected none with 2 processes.* got 3479"
        ):
            check(GatewaySettings(workers=2, engine="scripted", call_port=3479))
        check(GatewaySettings(workers=2, engine="scripted", call_port=0))  # each takes another


class TestReserve:
    def test_processes_that_say_so_share_the_port_and_others_do_not(self):
        with reserve(GatewaySettings(port=0)) as reserved:
            port = reserved.getsockname()[1]
            with socket.socket() as ours:
                ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                ours.bind(("127.0.0.1", port))
                ours.listen()
                with pytest.raises(OSError, match="in use"), socket.create_server(("127.0.0.1", port)):
                    pass
                with socket.create_connection(("127.0.0.1", port)), ours.accept()[0] as accepted:
                    assert accepted.getsockname()[1] == port  # and not by the one that only reserves

    def test_a_port_that_is_taken_is_an_error(self):
        with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(OSError, match="in use"):
            reserve(GatewaySettings(port=other.getsockname()[1]))
