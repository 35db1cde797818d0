"""Build the folder that Home Assistant loads: the integration, its card, and the rooms of ``vivavoce`` beneath them.

``python custom_components/build.py DIRECTORY`` makes ``DIRECTORY/custom_components/openai_realtime`` and, beside it,
what HACS wants to see in a repository. Copying the first into the configuration of a Home Assistant installs it;
nothing has to be on a package index. The imports of ``vivavoce`` become relative: another copy of it in the same Python
does no harm.
"""

import os
import re
import shutil
import sys
from pathlib import Path

__all__ = ["build", "modules", "relative"]

ROOT = Path(__file__).resolve().parents[1]
DOMAIN = "openai_realtime"
ROOMS = ("protocol", "audio", "client")
"""The floors below the integration; each stands on those before it alone."""
CARD = "homeassistant/card.js"
"""The browser's module that the card begins with."""

_FROM = re.compile(r"^(\s*)from vivavoce(?:\.([\w.]+))? import ", re.MULTILINE)


def relative(code: str, depth: int) -> str:
    """Make the imports of ``vivavoce`` relative, in a module that lies so many packages below it."""
    return _FROM.sub(lambda found: f"{found[1]}from {'.' * (depth + 1)}{found[2] or ''} import ", code)


_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_IMPORTED = re.compile(r"""(?:\bfrom|\bimport|\bimport\(|\bnew URL\() *['"](\.[^'"]+\.js)['"]""")


def modules(web: Path, first: str) -> set[str]:
    """Return a browser's module and all that it needs: what it imports, and the worklets that it loads by address."""
    found, open_ = {first}, [first]
    while open_:
        module = open_.pop()
        for imported in _IMPORTED.findall(_COMMENT.sub("", (web / module).read_text("utf-8"))):
            name = os.path.normpath(os.path.join(os.path.dirname(module), imported))  # noqa: PTH118, PTH120 - of a URL
            if name not in found:
                found.add(name)
                open_.append(name)
    return found


def build(target: Path) -> Path:
    """Build everything below ``target``, and return the integration's folder."""
    folder = target / "custom_components" / DOMAIN
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "custom_components" / DOMAIN, folder, ignore=shutil.ignore_patterns("__pycache__"))
    source = ROOT / "src" / "vivavoce"
    python = [source / "__init__.py", source / "errors.py"]
    python += [module for room in ROOMS for module in (source / room).rglob("*.py")]
    for module in python:
        place = module.relative_to(source)
        copied = folder / "vivavoce" / place
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_text(relative(module.read_text("utf-8"), len(place.parts) - 1), "utf-8")
    (folder / "vivavoce" / "py.typed").touch()
    for name in modules(source / "web", CARD):
        copied = folder / "frontend" / name
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / "web" / name, copied)
    shutil.copy(ROOT / "LICENSE", folder / "LICENSE")
    for about in (
        ROOT / "LICENSE",
        ROOT / "custom_components" / "README.md",
        ROOT / "custom_components" / "hacs.json",
    ):
        shutil.copy(about, target / about.name)
    return folder


if __name__ == "__main__":
    print(build(Path(sys.argv[1])))  # noqa: T201 - that is what it is asked for
