"""Write the pages of the reference that are made from code. A test compares them with the code.

Run it from anywhere: ``.venv/bin/python docs/reference/generate.py``.
"""

import inspect
from pathlib import Path

from vivavoce import errors
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


PAGES = {"settings.md": settings_page, "errors.md": errors_page}

if __name__ == "__main__":
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make())
