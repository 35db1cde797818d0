"""What the documentation tells to do with the client works as it stands, but for the address."""

import ast
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.audio.doubles import FakeSoundDevice
from vivavoce.audio.wav import write_wav
from vivavoce.testing import FunctionCall, Script, ScriptedEngine, Turn, serve_scripted

FOLDER = Path(__file__).parents[2] / "docs" / "how-to"

WEATHER = FunctionCall(name="get_weather", arguments={"place": "Paris"})

QUESTION, STORY = Turn(hear="What time is it?", say="Noon."), Turn(say="Once upon a time.")

USE_THE_CLIENT = [
    ([Turn(expect="How are you?", say="Splendid!")], r"completed Splendid!\n"),
    (
        [Turn(expect="What is the weather in Paris?", call=WEATHER), Turn(say="It rains.")],
        r"It rains.\n",
    ),
    ([QUESTION], r"user What time is it\?\nassistant Noon\.\n"),
    ([Turn(expect="Hello!", say="Hi.")], r"[1-9]\d* \d\.\d+(e-\d+)?\n"),
    ([Turn(expect="Hello!", say="Hi.")], r"user Hello!\nassistant Hi.\n"),
]

SEND_AND_HEAR = [
    ([QUESTION], r"Noon.\n"),
    ([QUESTION], r"What time is it\?\n"),
    ([], r"Hold the key while you talk.\n"),
]

INTERRUPT = [([STORY], r"(cancelled|completed)\n"), ([STORY], r"40\n"), ([STORY], r"40\n")]


def examples():
    """Yield the examples of the pages, with what is played and what they print."""
    pages = {
        "use-the-client": USE_THE_CLIENT,
        "send-and-hear-audio": SEND_AND_HEAR,
        "interrupt-an-answer": INTERRUPT,
    }
    for page, turns in pages.items():
        sources = re.findall(r"```python\n(.*?)```", (FOLDER / f"{page}.md").read_text(), re.DOTALL)
        for number, (source, (played, printed)) in enumerate(zip(sources, turns, strict=True), 1):
            yield pytest.param(source, played, printed, id=f"{page} {number}")


@pytest.fixture
def question(tmp_path, monkeypatch):
    """A folder with a question in it, on a machine with a microphone in a quiet room."""
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSoundDevice())
    write_wav(tmp_path / "question.wav", np.full(8000, 0.2, np.float32), 16_000)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("question")
@pytest.mark.parametrize(("example", "turns", "printed"), [*examples()])
async def test_examples(example, turns, printed, capsys):
    async with serve_scripted(ScriptedEngine(Script(turns=turns))) as url:
        source = example.replace("http://127.0.0.1:8000/v1", url)
        code = compile(source, "example", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        await eval(code, {"__name__": "example"})
    assert re.fullmatch(printed, capsys.readouterr().out)
