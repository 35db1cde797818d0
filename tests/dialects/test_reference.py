"""The page of the reference says what the code does."""

import re
from pathlib import Path
from typing import get_args

from vivavoce.dialects import beta, beta_items, beta_session, voice, voice_messages

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "dialects.md").read_text()


def rows(heading):
    """Return the cells of the first table below a heading."""
    section = PAGE.split(f"# {heading}\n", 1)[1].split("\n#", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def named(cell):
    return re.findall(r"`([^`]+)`", cell)


def test_events_of_the_server():
    told = {}
    for today, then in rows("Events of the server"):
        (name,) = named(today)
        told[name] = then
    for name, then in beta.RENAMED.items():
        assert named(told.pop(name)) == [then]
    for name, then in beta.CHANGED.items():
        what = told.pop(name)
        assert what.startswith("the same" if name == then else f"`{then}`")
    for name in beta.SAME:
        assert told.pop(name) == "the same"
    assert set(told.values()) == {"not sent"}


def test_the_session():
    told = {named(then)[0]: today.strip("`") for then, today in rows("The session")}
    places = {name: ".".join(place) for name, place in beta_session.SESSION_PLACES.items()}
    assert told == places | dict.fromkeys(beta_session.SESSION_GONE, "none")


def test_items():
    told = {(who, named(then)[0]): named(today)[0] for who, then, today in rows("Items")}
    assert told == {
        ("the assistant", then): today for then, today in beta_items.ASSISTANT_CONTENT.items()
    } | {("others", then): today for then, today in beta_items.OTHER_CONTENT.items()}


def test_messages_of_the_voice_api():
    sent = {named(message)[0] for message, _ in rows("What a client sends") if named(message)}
    assert sent == {message.__struct_config__.tag for message in get_args(voice_messages.Message)}
    got = {named(message)[0] for message, _ in rows("What a client gets")}
    source = Path(voice.__file__).read_text()
    assert got == set(re.findall(r'_tell\(\s*"([\w.]+)"', source)) | set(
        re.findall(r'_message\(\{"type": "([\w.]+)"', source)
    )


def test_the_session_of_the_voice_api():
    told = {named(name)[0]: default.strip("`") for name, default, _ in rows("The session of a client")}
    defaults = {name: getattr(voice.DEFAULTS, name) for name in voice_messages.Changes.__struct_fields__}
    assert told == {name: "none" if value is None else str(value) for name, value in defaults.items()}
