"""What the browser loads: plain ES modules, served as they are."""

from pathlib import Path
from typing import Final

__all__ = ["FOLDER", "INDEX", "asset_paths"]

FOLDER: Final = Path(__file__).parent
"""Where the files are. ``INDEX`` goes to ``/``, each of ``asset_paths()`` to ``/web/<path>``."""

INDEX: Final = FOLDER / "index.html"
"""The page."""

_SERVED = frozenset({".css", ".html", ".js", ".json", ".svg"})


def asset_paths() -> list[str]:
    """Return the files that a browser may load, as sorted POSIX paths below ``FOLDER``.

    Types, notes and Python files stay at home.
    """
    found = (path for path in FOLDER.rglob("*") if path.suffix in _SERVED)
    return sorted(path.relative_to(FOLDER).as_posix() for path in found)
