"""The options of ``vivavoce serve``: settings that can be said on the command line."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from vivavoce.errors import VivaVoceError
from vivavoce.gateway import GatewaySettings

__all__ = ["OPTIONS", "option", "settle", "takes_settings"]

_MODEL = "our name, http://host/v1#model, "

OPTIONS: dict[str, tuple[type, str]] = {
    "host": (str, "Address to listen on.  [default: 127.0.0.1]"),
    "port": (int, "Port; 0 takes any that is free.  [default: 8000]"),
    "upstream": (str, "Where sessions are held: engine, openai or an address.  [default: engine]"),
    "engine": (str, "What answers: builtin, with models, or scripted.  [default: builtin]"),
    "script": (str, "The file that the scripted engine plays."),
    "latency_ms": (float, "How far away the scripted engine is, in each direction."),
    "engine_profile": (str, "Which models to load: default, compact or small."),
    "language_model": (str, f"What thinks: {_MODEL}hub:org/repo/file or a path."),
    "recogniser": (str, f"What hears: {_MODEL}wyoming://host:port, hub:org/repo or a path."),
    "synthesiser": (str, f"What speaks: {_MODEL}wyoming://host:port, hub:org/repo or a path."),
    "max_sessions": (int, "Sessions at one time, at the most as many as this machine holds."),
    "allowed_origins": (str, "Other web origins that may connect, separated by commas."),
    "allowed_hosts": (str, "Other names of this server, separated by commas."),
    "insecure_open": (bool, "Let other machines in, without any key."),
    "keys_file": (str, "The file of API keys; with one, nobody is let in without a key."),
    "policy": (str, "The file that says who may do what, and how much."),
    "workers": (int, "Processes that share the port.  [default: 1]"),
    "tls_cert": (str, "The file with a certificate: then it speaks HTTPS."),
    "tls_key": (str, "The file with the key of the certificate, where it is another."),
    "log_level": (str, "debug, info (with an access log), warning or error.  [default: warning]"),
    "log_format": (str, "text, or json with one object in each line.  [default: text]"),
}
"""What each option takes and what its help says, by the name of its setting. Secrets have none: others could read them
in the list of processes."""


def takes_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command all `OPTIONS`, before those of its own.

    It gets those that were given as its first argument: a mapping, by the names of their settings.
    """

    @functools.wraps(command)
    def called(**values: Any) -> None:
        given = {name: values.pop(name) for name in OPTIONS}
        command({name: value for name, value in given.items() if value is not None}, **values)

    parameters = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[kind | None, typer.Option(_flag(name), help=text)],
        )
        for name, (kind, text) in OPTIONS.items()
    ]
    parameters += list(inspect.signature(command).parameters.values())[1:]
    vars(called)["__signature__"] = inspect.Signature(parameters)  # what typer reads
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return called


def settle(given: dict[str, Any]) -> GatewaySettings:
    """Settle the settings: what was given, else the environment, else the defaults.

    Raises `VivaVoceError` for what cannot be, and for what would let everybody in unasked.
    """
    try:
        settings = GatewaySettings(**given)
    except ValidationError as invalid:
        raise VivaVoceError(
            "\n".join(
                f"{option('.'.join(str(part) for part in error['loc']))}: {error['msg']}, "
                f"got {error['input']!r}."
                for error in invalid.errors()
            )
        ) from invalid
    if settings.open_to_others and not (settings.insecure_open or settings.asks_for_keys):
        raise VivaVoceError(
            f"Refused to listen on {settings.host}: other machines could reach it, and nobody is asked for "
            "a key. Leave --host at 127.0.0.1, make keys with `vivavoce keys add NAME` and name their file with "
            "--keys-file, or add --insecure-open to let everybody in."
        )
    return settings


def option(name: str) -> str:
    """Return what a setting is called on the command line and in the environment."""
    return f"{_flag(name)} (VIVAVOCE_{name.upper()})"


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
