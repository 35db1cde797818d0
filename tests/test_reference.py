"""The pages of the reference that are made from code say what the code says."""

import importlib.util
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "reference"


def _generator():
    spec = importlib.util.spec_from_file_location("generate", FOLDER / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", sorted(_generator().PAGES))
def test_is_up_to_date(name):
    expected = _generator().PAGES[name]()
    assert (FOLDER / name).read_text() == expected, "run docs/reference/generate.py"


def test_every_setting_and_every_error_says_something():
    rows = _generator().settings_page().splitlines()[8:]
    assert len(rows) > 10
    assert all(not row.endswith(("| None |", "|  |")) for row in rows)
    assert "None" not in _generator().errors_page().split("## ", 1)[1].split("ConnectionFailed")[0]
