"""How much of it there is, and how many times a browser has to ask for the next: read from the imports themselves."""

import gzip
import re
from html.parser import HTMLParser

import pytest

from vivavoce.web import FOLDER, INDEX

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
IMPORT = re.compile(
    r"""(?:^|[;}\s])(?:import|export)\b(?:[^'"();]*?\bfrom)?\s*['"](\.[^'"]+)['"]""", re.MULTILINE
)
MOST_BYTES = 200_000
"""Of modules in gzip; 300 kB is the budget of all that is transferred, which tests/browser/test_budget.py weighs."""


class Loads(HTMLParser):
    """What a page loads as modules."""

    def __init__(self):
        super().__init__()
        self.modules = []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        address = found.get("src") if found.get("type") == "module" else found.get("href")
        if (tag, found.get("rel")) in {("script", None), ("link", "modulepreload")}:
            self.modules.append(FOLDER / address.removeprefix("/web/"))


def imports(module):
    """Return what a module imports when it is loaded."""
    return [(module.parent / path).resolve() for path in IMPORT.findall(COMMENT.sub("", module.read_text()))]


def levels(roots):
    """Return by module the round in which it is asked for."""
    found = dict.fromkeys((root.resolve() for root in roots), 1)
    todo = list(found)
    for module in todo:
        new = [one for one in imports(module) if one not in found]
        found.update(dict.fromkeys(new, found[module] + 1))
        todo += new
    return found


def page():
    """Return the modules that the console names."""
    loads = Loads()
    loads.feed(INDEX.read_text())
    return loads.modules


@pytest.mark.parametrize(
    ("roots", "rounds"), [(page(), 4), ([FOLDER / "realtime-voice.js"], 5)], ids=["console", "element"]
)
def test_the_modules_come_soon(roots, rounds):
    found = levels(roots)
    assert len(found) > 40, "the imports are found"
    assert all(module.is_file() for module in found)
    last = {module.name for module, level in found.items() if level > rounds}
    assert not last, "<link rel=modulepreload> in index.html brings them nearer"
    assert sum(len(gzip.compress(module.read_bytes(), 6)) for module in found) < MOST_BYTES


def test_the_map_waits_until_it_is_wanted():
    assert not [
        module for module in levels(page()) if "leaflet" in str(module) or "map" in module.parent.name
    ]
