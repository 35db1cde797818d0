"""``vivavoce models``: which weights there are, which are here, and whether they are whole."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from vivavoce.cli.narrator import Narrator
from vivavoce.engine.profiles import PROFILES
from vivavoce.engine.weights import CATALOGUE, ensure, present
from vivavoce.engine.weights import verify as verify_weights
from vivavoce.errors import WeightsError

__all__ = ["FAILED_EXIT", "NAME_EXIT", "app"]

FAILED_EXIT = 1
"""Exit code when weights cannot be had, or are damaged."""

NAME_EXIT = 2
"""Exit code when there is nothing of the name that was given."""

app = typer.Typer(
    help="List, fetch and verify the weights of the models.", no_args_is_help=True, add_completion=False
)

_console = Console(highlight=False, soft_wrap=True)
_errors = Console(highlight=False, soft_wrap=True, stderr=True)

_Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Weights, as listed.")]


@app.command("list")
def list_() -> None:
    """Show all weights: their size, their licence, and whether they are here."""
    table = Table("name", "size", "licence", "here", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    for weights in CATALOGUE.values():
        here = "present" if present(weights.name) else "absent"
        table.add_row(weights.name, _megabytes(weights.size), weights.licence, here)
    _console.print(table)


@app.command()
def fetch(
    names: _Names = None,
    *,
    profile: Annotated[
        str | None, typer.Option(help="All that an engine profile needs: default, compact or small.")
    ] = None,
) -> None:
    """Fetch weights, or go on with a download that was interrupted. Without names: the default profile's."""
    wanted = _known(names or [])
    if profile is not None or not wanted:
        wanted += [name for name in _of_profile(profile or "default") if name not in wanted]
    try:
        asyncio.run(_fetch(wanted))
    except WeightsError as error:
        _errors.print(str(error), markup=False)
        raise typer.Exit(FAILED_EXIT) from error
    except KeyboardInterrupt:
        _errors.print("Stopped. What has come is kept: the same command goes on from there.")
        raise


@app.command()
def verify(names: _Names = None) -> None:
    """Hash weights again; what is damaged is removed. Without names: all that are here."""
    wanted = _known(names or []) or [name for name in CATALOGUE if present(name)]
    if not wanted:
        _console.print("There are no weights here.")
    failed = False
    for name in wanted:
        try:
            asyncio.run(verify_weights(name))
        except WeightsError as error:
            failed = True
            _errors.print(str(error), markup=False)
        else:
            _console.print(f"{name} is good.")
    if failed:
        raise typer.Exit(FAILED_EXIT)


async def _fetch(names: list[str]) -> None:
    """Fetch one after the other, with a bar for each where there is a terminal."""
    with Narrator(_console) as narrator:
        for name in names:
            folder = await ensure(name, progress=narrator.hear)
            _console.print(f"{name} is in {folder}", markup=False)


def _known(names: list[str]) -> list[str]:
    """Return the names once each, or end with a message when there is nothing of a name."""
    for name in names:
        if name not in CATALOGUE:
            _errors.print(f"There are no weights '{name}'; there are {', '.join(CATALOGUE)}.", markup=False)
            raise typer.Exit(NAME_EXIT)
    return list(dict.fromkeys(names))


def _of_profile(name: str) -> list[str]:
    if name not in PROFILES:
        _errors.print(f"There is no engine profile '{name}'; there are {', '.join(PROFILES)}.", markup=False)
        raise typer.Exit(NAME_EXIT)
    return list(PROFILES[name].weights)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
