import json

import pytest
import typer
from typer.testing import CliRunner

from vivavoce.cli import doctor as module
from vivavoce.cli.checks import Finding
from vivavoce.cli.doctor import ILL_EXIT, doctor


@pytest.fixture
def command(monkeypatch):
    app = typer.Typer()
    app.command()(doctor)

    def run(*arguments, findings=()):
        def make(finding):
            async def found(settings):
                return finding

            return found

        monkeypatch.setattr(module, "CHECKS", [make(finding) for finding in findings])
        return CliRunner().invoke(app, arguments)

    return run


GOOD = Finding("sound", "good", "All [bold] is well.")
NOTE = Finding("models", "note", "Some are missing.", "fetch them")
BAD = Finding("address", "bad", "Taken.", "Choose another.")


def test_one_line_each_with_what_to_do(command):
    result = command(findings=[GOOD, NOTE])
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "good  sound   All [bold] is well.",
        "note  models  Some are missing. → fetch them",
    ]


def test_what_would_not_work_is_in_the_exit_code(command):
    assert command(findings=[GOOD, BAD]).exit_code == ILL_EXIT


def test_for_programs(command):
    result = command("--json", findings=[BAD])
    assert json.loads(result.output) == {
        "ok": False,
        "findings": [{"name": "address", "verdict": "bad", "text": "Taken.", "advice": "Choose another."}],
    }
    assert result.exit_code == ILL_EXIT


def test_settings_that_are_wrong_are_all_there_is_to_tell(command):
    result = command("--port", "70000", findings=[GOOD])
    assert result.exit_code == ILL_EXIT
    assert result.output.startswith("bad   settings  --port (VIVAVOCE_PORT)")
