"""The programs of the tutorial run as they stand, but for the address."""

import asyncio
import re
from pathlib import Path

import numpy as np
import pytest

from tests.audio.doubles import FakeSoundDevice
from vivavoce.audio import devices
from vivavoce.audio.wav import read_wav, write_wav
from vivavoce.testing import FunctionCall, Script, ScriptedEngine, Turn, serve_scripted

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "first-voice-app.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
TIMER = FunctionCall(name="set_timer", arguments={"minutes": 4, "label": "eggs"})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the programs run, with a question in it."""
    write_wav(tmp_path / "question.wav", np.full(8000, 0.2, np.float32), 16_000)
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def run(program, *turns, speech="tone"):
    """Run a program in a thread, as a process of its own would be."""
    async with serve_scripted(ScriptedEngine(Script(turns=list(turns), speech=speech))) as url:
        code = compile(program.replace("http://127.0.0.1:8000/v1", url), "program", "exec")
        await asyncio.to_thread(exec, code, {"__name__": "__main__"})


async def test_ask_in_writing(capsys):
    await run(PROGRAMS[0], Turn(expect="What is a fugue?", say="A chase of voices."))
    assert capsys.readouterr().out == "A chase of voices.\n"


async def test_ask_aloud(folder, capsys):
    await run(PROGRAMS[1], Turn(hear="What is a fugue?", say="A chase of voices."))
    assert capsys.readouterr().out == "You: What is a fugue?\nAnswer: A chase of voices.\n"
    samples, rate = read_wav(folder / "answer.wav")
    assert (rate, bool(samples.any())) == (24_000, True)


async def test_let_it_call_your_code(capsys):
    question = "Set a timer for the eggs, four minutes."
    await run(PROGRAMS[2], Turn(expect=question, call=TIMER), Turn(say="It is set."))
    assert capsys.readouterr().out == "[eggs: 4 min]\nIt is set.\n"


async def test_talk(monkeypatch, capsys):
    sound = FakeSoundDevice(24_000)
    monkeypatch.setattr(devices, "load_sounddevice", lambda: sound)
    running = asyncio.create_task(run(PROGRAMS[3], Turn(hear="So, good bye.", say="Good bye!")))
    loud = np.random.default_rng(1).uniform(-0.5, 0.5, 12_000).astype(np.float32)
    while not running.done():  # somebody speaks, and is silent, until the program has had enough
        if sound.input is not None and sound.input.state == "running":
            sound.input.hear(np.concatenate([loud, np.zeros(24_000, np.float32)]))
        await asyncio.sleep(0.5)
    await running
    assert capsys.readouterr().out.endswith("assistant Good bye!\n")


def test_every_program_is_run():
    assert len(PROGRAMS) == 4
