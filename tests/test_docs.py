"""The documentation hangs together: what it links to is there, and what it names exists."""

import re
from pathlib import Path

import pytest

from vivavoce.gateway import GatewaySettings

ROOT = Path(__file__).parents[1]
CODE = "".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
class TestPages:
    def test_links_lead_somewhere(self, page):
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text()):
            assert (page.parent / target).exists(), target

    def test_settings_that_are_named_exist(self, page):
        for name in re.findall(r"\bVIVAVOCE_([A-Z_]+)\b", page.read_text()):
            assert name.lower() in GatewaySettings.model_fields or f'"VIVAVOCE_{name}"' in CODE, name


def test_every_page_can_be_found_from_the_index():
    seen, waiting = set(), [ROOT / "docs" / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text())
        waiting.extend(page.parent / target for target in targets)
    assert {page for page in PAGES if page.is_relative_to(ROOT / "docs")} <= seen
