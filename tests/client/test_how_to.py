"""What the documentation tells to do with the client works as it stands, but for the address."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

from vivavoce.audio.wav import write_wav
from vivavoce.testing import FunctionCall, Script, ScriptedEngine, Turn, serve_scripted

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "use-the-client.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

WEATHER = FunctionCall(name="get_weather", arguments={"place": "Paris"})

TURNS = [
    ([Turn(expect="How are you?", say="Splendid!")], r"completed Splendid!\n"),
    (
        [Turn(expect="What is the weather in Paris?", call=WEATHER), Turn(say="It rains.")],
        r"It rains.\n",
    ),
    ([Turn(hear="What time is it?", say="Noon.")], r"user What time is it\?\nassistant Noon\.\n"),
    ([Turn(expect="Hello!", say="Hi.")], r"[1-9]\d* \d\.\d+(e-\d+)?\n"),
]


@pytest.fixture
def question(tmp_path, monkeypatch):
    """A folder with a question in it."""
    write_wav(tmp_path / "question.wav", np.full(8000, 0.2, np.float32), 16_000)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("question")
@pytest.mark.parametrize(
    ("example", "turns", "printed"),
    [(example, *played) for example, played in zip(EXAMPLES, TURNS, strict=True)],
)
async def test_examples(example, turns, printed, capsys):
    async with serve_scripted(ScriptedEngine(Script(turns=turns))) as url:
        source = example.replace("http://127.0.0.1:8000/v1", url)
        code = compile(source, "example", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        await eval(code, {"__name__": "example"})
    assert re.fullmatch(printed, capsys.readouterr().out)
