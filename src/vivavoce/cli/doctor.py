"""``vivavoce doctor``: whether the gateway could serve as it is set, and what to do where it could not."""

import asyncio
import json
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console

from vivavoce.cli.checks import CHECKS, Finding, examine
from vivavoce.cli.serve_options import settle, takes_settings
from vivavoce.errors import VivaVoceError

__all__ = ["ILL_EXIT", "doctor"]

ILL_EXIT = 1
"""Exit code when something keeps the gateway from serving."""

_MARKS = {"good": "[green]good[/green]", "note": "[yellow]note[/yellow]", "bad": "[red]bad [/red]"}


@takes_settings
def doctor(
    given: dict[str, Any],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")] = False,
) -> None:
    """Check what `vivavoce serve` needs, with the same options, and say what is wrong.

    Nothing is served and no model is loaded. The exit code is 1 where something would not work.
    """
    found = asyncio.run(_examine_all(given))
    ill = any(finding.verdict == "bad" for finding in found)
    if as_json:
        typer.echo(json.dumps({"ok": not ill, "findings": [asdict(finding) for finding in found]}, indent=2))
    else:
        _tell(found)
    raise typer.Exit(ILL_EXIT if ill else 0)


async def _examine_all(given: dict[str, Any]) -> list[Finding]:
    try:
        settings = settle(given)
    except VivaVoceError as error:
        return [Finding("settings", "bad", str(error))]
    return [await examine(check, settings) for check in CHECKS]


def _tell(found: list[Finding]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    width = max(len(finding.name) for finding in found)
    for finding in found:
        console.print(f"{_MARKS[finding.verdict]}  {finding.name:{width}}  ", end="")
        console.print(finding.text, markup=False, end="")
        console.print(f" → {finding.advice}" if finding.advice else "", markup=False)
