"""What the console knows of the protocol is what the protocol says."""

import importlib.util
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "docs" / "reference" / "generate_web.py"


def test_is_up_to_date():
    spec = importlib.util.spec_from_file_location("generate_web", SCRIPT)
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    assert generator.TARGET.read_text() == generator.page(), "run docs/reference/generate_web.py"
