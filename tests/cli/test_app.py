import subprocess
import sys

import pytest
from typer.testing import CliRunner

from vivavoce.cli.app import app


def test_it_lists_its_commands():
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    for command in ("ask", "talk", "serve", "replay", "models"):
        assert command in result.output


@pytest.mark.parametrize("command", ["ask", "talk", "serve", "replay", "models"])
def test_each_command_explains_itself(command):
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert command in result.output


def test_a_command_that_is_not_there_is_wrong_usage():
    result = CliRunner().invoke(app, ["sing"])
    assert result.exit_code == 2
    assert "sing" in result.output


def run(script):
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


def test_asking_loads_no_gateway_and_no_engine():
    done = run(
        "import sys\n"
        "from vivavoce.cli import main\n"
        "try: main(['ask', '--help'])\n"
        "except SystemExit: pass\n"
        "rooms = {name.split('.')[1] for name in sys.modules if name.startswith('vivavoce.')}\n"
        "assert rooms == {'audio', 'cli', 'client', 'errors', 'protocol'}, rooms"
    )
    assert done.returncode == 0, done.stderr


def test_a_command_whose_extra_is_missing_says_what_to_install():
    done = run(
        "import sys\nsys.modules['pydantic_settings'] = None\nfrom vivavoce.cli import main\nmain(['serve'])"
    )
    assert done.returncode == 1
    expected = "vivavoce serve needs the package pydantic_settings: pip install 'vivavoce[gateway]'.\n"
    assert done.stderr == expected
