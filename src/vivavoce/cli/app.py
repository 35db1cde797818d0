"""The commands, each imported when it is called for: ``ask`` needs no gateway, ``serve`` no sound device."""

import importlib
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from vivavoce import __version__
from vivavoce.errors import VivaVoceError

__all__ = ["app"]


@dataclass(frozen=True, slots=True)
class _Command:
    """Where a command is, and the extra that brings what it needs."""

    module: str
    extra: str


_COMMANDS = {
    "serve": _Command("vivavoce.cli.serve", "gateway"),
    "doctor": _Command("vivavoce.cli.doctor", "gateway"),
    "talk": _Command("vivavoce.cli.talk", "devices"),
    "ask": _Command("vivavoce.cli.ask", "cli"),
    "replay": _Command("vivavoce.cli.replay", "cli"),
    "models": _Command("vivavoce.cli.models", "engine"),
    "keys": _Command("vivavoce.cli.api_keys", "gateway"),
}


class _Commands(TyperGroup):
    """A group that knows the names of its commands, and imports what is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer's signature
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - typer's signature
        return _load(cmd_name, _COMMANDS[cmd_name]) if cmd_name in _COMMANDS else None


def _load(name: str, command: _Command) -> Any:
    try:
        module = importlib.import_module(command.module)
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] == "vivavoce":
            raise
        raise VivaVoceError(
            f"vivavoce {name} needs the package {missing.name}: pip install 'vivavoce[{command.extra}]'."
        ) from missing
    commands = getattr(module, "app", None)
    if commands is None:
        commands = typer.Typer(add_completion=False)
        commands.command(name)(getattr(module, name))
    loaded = get_command(commands)
    loaded.name = name
    return loaded


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        typer.echo(f"vivavoce {__version__}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Talk with machines: a speech engine of its own, a page, and any Realtime endpoint."""
