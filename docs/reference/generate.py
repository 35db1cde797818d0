"""Write the pages of the reference that are made from code. A test compares them with the code.

Run it from anywhere: ``.venv/bin/python docs/reference/generate.py``.
"""

import inspect
from collections.abc import Iterable
from pathlib import Path

from vivavoce import errors
from vivavoce.engine import compatibility
from vivavoce.gateway.settings import GatewaySettings

FOLDER = Path(__file__).parent

SETTINGS = """\
# Settings of the gateway

<!-- Made by generate.py from GatewaySettings: change it there. -->

`vivavoce serve` reads each setting from its option, else from the environment, else takes the default.

| variable | default | what it does |
|---|---|---|
"""

ERRORS = """\
# Errors

<!-- Made by generate.py from vivavoce/errors.py: change it there. -->

Everything that the package raises on purpose is a `VivaVoceError` (module `vivavoce.errors`).

```
{tree}
```
"""

COMPATIBILITY = """\
# Compatibility

<!-- Made by generate.py from vivavoce/engine/compatibility.py: change it there. -->

What the engine makes of every event of the [Realtime protocol](../glossary.md), and of every field of its objects.

- **served**: as the protocol has it.
- **approximated**: accepted, and done as the note says.
- **refused**: answered with an `error` that names it, after which the session goes on.
- **unsent**: for a server to send, but never sent by this one.

Recorded sessions with OpenAI are replayed against the engine in its tests
(`tests/conformance/test_recordings.py`); in what the two differ, and why, is listed there. How much of everything
there may be is told in [the engine's limits](engine.md#limits).

"""


def settings_page() -> str:
    """Return the page with a row for each setting."""
    rows = []
    for name, field in GatewaySettings.model_fields.items():
        default = "" if field.default in ((), None) else f"`{field.default}`"
        rows.append(f"| `VIVAVOCE_{name.upper()}` | {default} | {field.description} |\n")
    return SETTINGS + "".join(rows)


def errors_page() -> str:
    """Return the page with the tree of errors and what each of them says of itself."""
    tree = inspect.getdoc(errors).split("::\n\n")[1].split("\n\n")[0]  # type: ignore[union-attr]
    parts = [ERRORS.format(tree=inspect.cleandoc(tree))]
    for name in errors.__all__:
        kind = getattr(errors, name)
        parts.append(f"\n## {name}\n\n{inspect.getdoc(kind)}\n")
    return "".join(parts)


def compatibility_page() -> str:
    """Return the page with a table for the client's events, the server's, and each object inside of them."""
    parts = [
        COMPATIBILITY,
        _table("## Events of the client", "event", compatibility.CLIENT_EVENTS),
        _table("## Events of the server", "event", compatibility.SERVER_EVENTS),
    ]
    for title, sections in compatibility.OBJECTS:
        parts.append(f"## {title}\n\n")
        parts += [_table(f"### {section.title}", "field", section.rows) for section in sections]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _table(heading: str, what: str, rows: Iterable[compatibility.Row]) -> str:
    lines = [f"{heading}\n\n| {what} | | |\n|---|---|---|\n"]
    for row in rows:
        names = ", ".join(f"`{name}`" for name in row.names)
        lines.append(f"| {names} | {row.status} | {row.note} |\n")
    return "".join(lines)


PAGES = {"settings.md": settings_page, "errors.md": errors_page, "compatibility.md": compatibility_page}

if __name__ == "__main__":
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make())
