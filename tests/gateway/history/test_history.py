import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vivavoce.errors import HistoryError
from vivavoce.gateway.history.changes import Change
from vivavoce.gateway.history.history import DAY, PATIENCE, History
from vivavoce.gateway.history.reader import Filter
from vivavoce.gateway.history.settings import HistorySettings

from .doubles import frame, opening, session

ROOT = Path(__file__).parents[3]


def settings(folder, **given):
    return HistorySettings(**{"history": "text", "history_folder": folder, **given})


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


def row(session_id, started_at, state="ended", **values):
    return Change("sessions", session_id, session_id, {"started_at": started_at, "state": state, **values})


async def states(history):
    page = await history.reader.sessions(Filter(), limit=100)
    return {one["id"]: one["state"] for one in page.data}


@pytest.fixture
async def start():
    running = []

    async def begin(*args, **kwargs):
        history = History(*args, **kwargs)
        await history.start()
        running.append(history)
        await history.writer.ready.wait()
        return history

    yield begin
    for history in running:
        await history.stop()


def test_none_can_be_made_of_nothing(tmp_path):
    with pytest.raises(ValueError, match="off"):
        History(settings(tmp_path, history="off"))


async def test_a_session_is_kept_as_it_goes(tmp_path, start):
    history = await start(settings(tmp_path), upstream="openai")
    stage = history.stage(opening("sess_1"))
    stage.down(frame("session.created", session=session()), 0.0)
    await history.writer.flush()
    found = await history.reader.session("sess_1")
    assert (found["state"], found["upstream"], found["recording"]) == ("open", "openai", None)


async def test_audio_is_only_kept_when_it_is_asked_for(tmp_path, start):
    assert (await start(settings(tmp_path))).stage(opening())._recording is None
    stage = (await start(settings(tmp_path, history="audio"))).stage(opening())
    assert stage._recording.name == "sess_1.wav"


async def test_a_recording_that_breaks_off_marks_its_session(tmp_path, start):
    (tmp_path / "recordings").touch()
    history = await start(settings(tmp_path, history="audio"))
    stage = history.stage(opening("sess_1"))
    stage.saw_up(frame("input_audio_buffer.append", audio="AAAA").data, 0.0)
    await history.recorder.write()
    await history.writer.flush()
    assert (await history.reader.session("sess_1"))["incomplete"] is True


class TestForgetting:
    async def test_takes_the_recording_along(self, tmp_path, start):
        history = await start(settings(tmp_path))
        await history.store.write([row("s", 1.0)])
        (tmp_path / "recordings").mkdir()
        (tmp_path / "recordings" / "s.wav").touch()
        assert await history.forget("s", "s.wav") is True
        assert await history.forget("s", "s.wav") is False
        assert list((tmp_path / "recordings").iterdir()) == []

    async def test_a_recording_that_cannot_be_deleted_keeps_its_session(self, tmp_path, start):
        history = await start(settings(tmp_path, history_days=0))
        await history.store.write([row("s", 1.0)])
        (tmp_path / "recordings" / "s.wav").mkdir(parents=True)
        with pytest.raises(HistoryError, match="cannot be deleted"):
            await history.forget("s", "s.wav")
        assert list(await states(history)) == ["s"]

    async def test_what_is_too_old_goes(self, tmp_path, start):
        clock = Clock(100 * DAY)
        history = await start(settings(tmp_path, history_days=7), clock=clock)
        ages = {"old": 8, "new": 6, "open": 8}
        await history.store.write(
            [
                row(name, (100 - days) * DAY, "open" if name == "open" else "ended", process=history.process)
                for name, days in ages.items()
            ]
            + [row(f"old{number}", DAY) for number in range(250)]
        )
        await history.sweep()
        assert set(await states(history)) == {"new", "open"}

    async def test_what_cannot_go_does_not_keep_the_rest(self, tmp_path, start):
        history = await start(settings(tmp_path))
        (tmp_path / "recordings" / "stuck.wav").mkdir(parents=True)
        await history.store.write([row("stuck", 1.0, recording="stuck.wav"), row("old", 2.0)])
        await history.sweep()
        assert list(await states(history)) == ["stuck"]

    async def test_zero_days_keep_everything(self, tmp_path, start):
        history = await start(settings(tmp_path, history_days=0))
        await history.store.write([row("s", 1.0)])
        assert await history.sweep() == 0
        assert list(await states(history)) == ["s"]

    async def test_happens_by_itself(self, tmp_path, start):
        first = await start(settings(tmp_path, history_days=0))
        await first.store.write([row("s", 1.0)])
        second = await start(settings(tmp_path))
        while await states(second):  # noqa: ASYNC110 - it is in a database
            await asyncio.sleep(0.01)


class TestUpkeep:
    async def test_a_process_shows_itself_and_ends_what_the_dead_left(self, tmp_path, start):
        pauses: asyncio.Queue[float] = asyncio.Queue()
        goes_on = asyncio.Event()

        async def sleep(seconds):
            pauses.put_nowait(seconds)
            await goes_on.wait()
            goes_on.clear()

        clock = Clock(1000.0)
        history = await start(settings(tmp_path, history_days=0), clock=clock, sleep=sleep)
        await pauses.get()
        await history.store.write(
            [row("left", 900.0, "open", process="dead"), row("mine", 900.0, "open", process=history.process)]
        )
        clock.now = 1100.0
        for _ in range(PATIENCE + 1):
            assert (await states(history))["left"] == "open"
            goes_on.set()
            await pauses.get()
        assert await states(history) == {"left": "abandoned", "mine": "open"}

    async def test_goes_on_after_a_failure(self, tmp_path, start, monkeypatch, caplog):
        pauses: asyncio.Queue[float] = asyncio.Queue()

        async def sleep(seconds):
            pauses.put_nowait(seconds)
            await asyncio.sleep(0)

        history = await start(settings(tmp_path), sleep=sleep)

        async def fail(_):
            raise HistoryError("nobody there")

        monkeypatch.setattr(history.store, "show", fail)
        while "cannot be kept up: nobody there" not in caplog.text:
            await pauses.get()
        monkeypatch.undo()
        for _ in range(3):
            await pauses.get()
        assert not history._upkeep.done()


KEEPER = """
import asyncio, sys
from tests.gateway.history.doubles import frame, opening, session, message
from vivavoce.gateway.history.history import History
from vivavoce.gateway.history.settings import HistorySettings
from vivavoce.gateway.passage import End

async def main(folder, url, name):
    settings = HistorySettings(history="text", history_folder=folder, history_database=url)
    history = History(settings)
    await history.start()
    for number in range(20):
        stage = history.stage(opening(f"{name}_{number}"))
        stage.down(frame("session.created", session=session()), 0.0)
        for turn in range(5):
            stage.down(frame("conversation.item.added", item=message(f"item_{turn}", "user")), 0.0)
            stage.tick(0.0)
            await asyncio.sleep(0)
        stage.ended(End(1000), 1.0)
        if number % 5 == 0:
            await history.writer.flush()
    await history.stop()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_processes_write_side_by_side(tmp_path, url, start):
    command = [sys.executable, "-c", KEEPER, str(tmp_path), url]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = [
        await asyncio.create_subprocess_exec(*command, name, env=environment, stderr=subprocess.PIPE)
        for name in ("a", "b", "c")
    ]
    for process in running:
        _, errors = await process.communicate()
        assert (process.returncode, errors) == (0, b"")
    history = await start(settings(tmp_path, history_database=url, history_days=0))
    found = await states(history)
    assert len(found) == 60
    assert set(found.values()) == {"ended"}
    assert [len(await history.reader.all_items(name)) for name in found] == [5] * 60
    assert not any(one["incomplete"] for one in (await history.reader.sessions(Filter(), limit=100)).data)
