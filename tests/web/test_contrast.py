"""What is read, and where one writes, can be seen: WCAG 2.2, 1.4.3 and 1.4.11."""

import re

import pytest

from vivavoce.web import FOLDER

STYLE = (FOLDER / "style.css").read_text()
ELEMENT = (FOLDER / "realtime-voice-styles.js").read_text()
GROUNDS = ("page", "surface", "raised")


def tokens(text):
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", text))


def schemes():
    light, dark = STYLE.split("@media (prefers-color-scheme: dark)")
    yield tokens(light)
    yield tokens(light) | tokens(dark.split("@media")[0])
    both = re.findall(r"--([a-z-]+): [^;]*light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", ELEMENT)
    yield {name: light for name, light, _ in both}
    yield {name: dark for name, _, dark in both}


def luminance(colour):
    """Return the relative luminance, as WCAG defines it."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", list(schemes()), ids=["light", "dark", "element, light", "element, dark"])
@pytest.mark.parametrize(
    ("least", "names"), [(4.5, ("ink", "ink-soft")), (3.0, ("edge", "voice", "focus"))], ids=["text", "edges"]
)
def test_can_be_seen_on_every_ground(scheme, least, names):
    for name in names:
        for ground in GROUNDS:
            assert contrast(scheme[name], scheme[ground]) >= least, (name, ground)
    assert contrast(scheme["on-voice"], scheme["voice"]) >= 4.5
