"""The reference of ``<realtime-voice>`` names what the element has, and nothing else."""

import re
from pathlib import Path

import pytest

from vivavoce.web import FOLDER

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "realtime-voice.md").read_text()
ELEMENT = (FOLDER / "realtime-voice.js").read_text()
STYLES = (FOLDER / "realtime-voice-styles.js").read_text()
TOLD = (FOLDER / "told.js").read_text()
BUTTON = (FOLDER / "elements" / "voice-button.js").read_text().split("export const talkButton", 1)[1]


def section(title):
    """Return the first column of the tables of a section, without that of properties."""
    text = PAGE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}


def attributes():
    listed = re.search(r"static properties = \{(.*?)\n  \};", ELEMENT, re.DOTALL)[1]
    for name, options in re.findall(r"(\w+): \{(.*?)\}", listed):
        if "false" not in options and "state" not in options:
            named = re.search(r"attribute: '([^']+)'", options)
            yield named[1] if named else name


def parts():
    for names in re.findall(r'(?:export)?part(?:s)?="([^"]+)"', ELEMENT + BUTTON):
        yield from re.split(r"[, ]+", names)


def methods():
    for name, rest in re.findall(r"\n  (?:async )?(\w+)\(([^)]*)\) \{", ELEMENT):
        if name not in {
            "constructor",
            "connectedCallback",
            "disconnectedCallback",
            "willUpdate",
            "render",
            "muted",
        }:
            yield f"{name}({rest})"


@pytest.mark.parametrize(
    ("title", "has"),
    [
        ("Attributes and properties", {*attributes(), "state", "problem", "transcript", "muted"}),
        ("Methods", set(methods())),
        ("Events", set(re.findall(r"'(voice-\w+)'", ELEMENT + TOLD))),
        ("Custom properties", set(re.findall(r"(--realtime-voice-[a-z-]*[a-z])", STYLES))),
        ("Parts and slot", set(parts())),
    ],
)
def test_what_the_element_has_is_listed(title, has):
    assert section(title) == has
