"""The browser's modules under Node: their own tests, and the type checker."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NODE = shutil.which("node")
CHECKER = ROOT / "node_modules" / ".bin" / "tsc"


def run(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.skipif(NODE is None, reason="needs node")
@pytest.mark.parametrize("module", sorted(path.name for path in Path(__file__).parent.glob("*.test.js")))
def test_module(module):
    done = run(NODE, "--test", f"tests/web/{module}")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not CHECKER.exists(), reason="needs `npm install` for the type checker")
def test_types():
    done = run(str(CHECKER))
    assert done.returncode == 0, done.stdout + done.stderr
