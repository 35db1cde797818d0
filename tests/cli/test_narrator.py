import io

from rich.console import Console

from tests.gateway.doubles import ScriptedProgress
from vivavoce.cli.narrator import Narrator


def _told(*pieces, terminal):
    out = io.StringIO()
    narrator = Narrator(Console(file=out, force_terminal=terminal, width=100))
    with narrator:
        for name, done in pieces:
            narrator.hear(ScriptedProgress(name, done, 42_000_000))
    return out.getvalue()


def test_one_line_for_each_piece():
    told = _told(("recogniser", 0), ("recogniser", 21_000_000), ("voice", 0), terminal=False)
    assert told == "Fetching recogniser, 42 MB.\nFetching voice, 42 MB.\n"


def test_bars_in_a_terminal():
    told = _told(("recogniser", 42_000_000), terminal=True)
    assert "Fetching recogniser" in told
    assert "42 MB" not in told, "the bar says how much there is"
