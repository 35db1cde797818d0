"""What the console knows of the protocol and of prices is what is kept there."""

import importlib.util
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "docs" / "reference" / "generate_web.py"


def test_is_up_to_date():
    spec = importlib.util.spec_from_file_location("generate_web", SCRIPT)
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    for target, module in generator.MODULES.items():
        assert target.read_text() == module(), f"{target.name}: run docs/reference/generate_web.py"
