"""``vivavoce keys``: the API keys of a gateway that asks for them."""

import time
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from vivavoce.errors import VivaVoceError
from vivavoce.gateway.auth.keys import Key, make, read, write

__all__ = ["FAILED_EXIT", "NAME_EXIT", "app"]

FAILED_EXIT = 1
"""Exit code when the file cannot be read or written."""

NAME_EXIT = 2
"""Exit code when a name is taken, unknown or impossible."""

app = typer.Typer(
    help="Make, list and remove the keys that let others in.", no_args_is_help=True, add_completion=False
)

_console = Console(highlight=False, soft_wrap=True)
_errors = Console(highlight=False, soft_wrap=True, stderr=True)

_File = Annotated[
    Path,
    typer.Option("--file", envvar="VIVAVOCE_KEYS_FILE", help="The file of keys.", show_default=True),
]
_HERE = Path("vivavoce-keys.json")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What the key is called in lists and logs.")],
    *,
    user: Annotated[
        str, typer.Option(help="Whose sessions, limits and history it stands for.  [default: its name]")
    ] = "",
    group: Annotated[str, typer.Option(help="The group whose policy applies.")] = "",
    admin: Annotated[bool, typer.Option("--admin", help="It may see what belongs to others.")] = False,
    days: Annotated[float | None, typer.Option(help="For how many days it holds.", min=0)] = None,
    file: _File = _HERE,
) -> None:
    """Make a key, and print it: this once, for it is kept as a hash."""
    keys = _read(file)
    if any(key.name == name for key in keys):
        _refuse(
            f"There is a key {name!r} already in {file}: expected another name, or `vivavoce keys remove`."
        )
    try:
        value, key = make(name, user=user, group=group, admin=admin, now=time.time(), days=days)
    except VivaVoceError as error:
        _refuse(str(error))
    _write(file, [*keys, key])
    typer.echo(value)
    _errors.print(f"Kept as a hash in {file}. Serve with it: vivavoce serve --keys-file {file}", markup=False)


@app.command("list")
def list_(*, file: _File = _HERE) -> None:
    """Show all keys: their names, users and groups, and until when they hold."""
    table = Table("name", "user", "group", "admin", "made", "until", box=None, pad_edge=False)
    for key in _read(file):
        until = "" if key.expires_at is None else _day(key.expires_at)
        table.add_row(key.name, key.user, key.group, "yes" if key.admin else "", _day(key.created_at), until)
    _console.print(table)


@app.command()
def remove(name: Annotated[str, typer.Argument(help="The key's name.")], *, file: _File = _HERE) -> None:
    """Remove a key. Servers let nobody in with it from then on; sessions that are open go on."""
    keys = _read(file)
    left = [key for key in keys if key.name != name]
    if len(left) == len(keys):
        _refuse(f"There is no key {name!r} in {file}.")
    _write(file, left)


def _read(file: Path) -> list[Key]:
    try:
        return read(file)
    except VivaVoceError as error:
        _errors.print(str(error), markup=False)
        raise typer.Exit(FAILED_EXIT) from error


def _write(file: Path, keys: list[Key]) -> None:
    try:
        write(file, keys)
    except OSError as error:
        _errors.print(f"{file} cannot be written: {error.strerror or error}", markup=False)
        raise typer.Exit(FAILED_EXIT) from error


def _refuse(message: str) -> NoReturn:
    _errors.print(message, markup=False)
    raise typer.Exit(NAME_EXIT)


def _day(at: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at))
