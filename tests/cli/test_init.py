import subprocess
import sys

import pytest

from vivavoce import __version__
from vivavoce.cli import EXIT_CODES, exit_code, main
from vivavoce.errors import (
    AudioDeviceError,
    AudioError,
    AudioFileError,
    ConnectionFailed,
    ConnectionLost,
    WeightsCorrupt,
    WeightsUnavailable,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AudioError("x"), 1),
        (ConnectionLost(1006), 1),
        (AudioFileError("x"), 3),
        (ConnectionFailed("x"), 4),
        (AudioDeviceError("x"), 5),
        (WeightsUnavailable("x"), 6),
        (WeightsCorrupt("x"), 6),
    ],
)
def test_each_family_of_errors_has_its_code(error, code):
    assert exit_code(error) == code


def test_codes_are_told_apart():
    assert len(set(EXIT_CODES.values())) == len(EXIT_CODES)


def test_an_error_is_one_line(capsys, tmp_path):
    with pytest.raises(SystemExit) as ended:
        main(["ask", str(tmp_path / "missing.wav")])
    assert ended.value.code == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "missing.wav cannot be read" in err


def test_who_debugs_gets_the_traceback(monkeypatch, tmp_path):
    monkeypatch.setenv("VIVAVOCE_DEBUG", "1")
    with pytest.raises(AudioFileError):
        main(["ask", str(tmp_path / "missing.wav")])


def test_it_says_its_version(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"vivavoce {__version__}\n"


def test_without_the_extra_it_says_what_to_install():
    script = "import sys; sys.modules['typer'] = None; from vivavoce.cli import main; sys.argv = ['vivavoce']; main()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "The command line needs the package typer: pip install 'vivavoce[cli]'.\n"
