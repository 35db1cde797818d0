"""What the web package offers to a server."""

import re

from vivavoce.web import FOLDER, INDEX, asset_paths

LICENCES = (
    "BSD 3-Clause",
    "BSD 2-Clause",
    "Permission to use, copy, modify, and/or distribute this software",
)


def test_everything_that_is_imported_is_served():
    served = set(asset_paths())
    for path in served:
        if not path.endswith(".js"):
            continue
        file = FOLDER / path
        for found in re.findall(
            r"""(?:from\s*|import\s*|URL\()['"](\.[^'"]+\.js)['"]""", file.read_text("utf-8")
        ):
            target = (file.parent / found).resolve().relative_to(FOLDER).as_posix()
            assert target in served, f"{path} imports {found}"


def test_everything_that_the_page_names_is_served():
    served = set(asset_paths())
    named = re.findall(r"""(?:href|src)="/web/([^"]+)\"""", INDEX.read_text("utf-8"))
    assert {"icon.svg", "style.css", "page.js"} < set(named)
    assert set(named) <= served


def test_only_what_a_browser_needs_is_served():
    assert not [path for path in asset_paths() if path.endswith((".py", ".d.ts", ".md", "LICENSE"))]


def test_no_inline_script_and_no_style_attribute():
    page = INDEX.read_text("utf-8")
    assert "<style" not in page
    assert " style=" not in page
    assert re.findall(r"<script[^>]*>([^<]*)</script>", page) == [""]


def test_vendored_code_carries_its_licence():
    for folder in (FOLDER / "vendor").iterdir():
        if folder.is_dir():
            licence = (folder / "LICENSE").read_text("utf-8")
            assert any(words in licence for words in LICENCES), folder
            assert folder.name in (FOLDER / "vendor" / "README.md").read_text("utf-8")
