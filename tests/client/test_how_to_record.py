"""What the documentation tells of recordings works as it stands, but for the address."""

import ast
import json
import re
from pathlib import Path

from typer.testing import CliRunner

from vivavoce.cli.app import app
from vivavoce.testing import Script, ScriptedEngine, Turn, serve_scripted

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "record-and-replay.md").read_text()
RECORD, CASSETTE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


async def run(source):
    code = compile(source, "example", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    await eval(code, {"__name__": "example"})


async def test_examples(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    async with serve_scripted(ScriptedEngine(Script(turns=[Turn(say="Splendid!")]))) as url:
        await run(RECORD.replace("http://127.0.0.1:8000/v1", url))
    await run(CASSETTE)
    assert capsys.readouterr().out == "Splendid!\n"


async def test_the_table_tells_what_is_in_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with serve_scripted(ScriptedEngine(Script(turns=[Turn(say="Splendid!")]))) as url:
        await run(RECORD.replace("http://127.0.0.1:8000/v1", url))
    table = PAGE[PAGE.index("| file |") : PAGE.index("Where the answers")]
    named = {
        name for row in table.strip().splitlines() for name in re.findall(r"`(\w+\.\w+)`", row.split("|")[1])
    }
    assert named == {path.name for path in (tmp_path / "monday").iterdir()}
    first = json.loads((tmp_path / "monday" / "events.jsonl").read_text().splitlines()[0])
    assert set(first) == {"dir", "event", "t"}


def test_the_options_exist():
    for command, options in re.findall(r"^vivavoce (\w+) (.*)$", PAGE, re.MULTILINE):
        told = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
        for option in re.findall(r"--[a-z-]+", options):
            assert option in told, (command, option)
