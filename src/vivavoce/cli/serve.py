"""``vivavoce serve``: the page and the Realtime endpoint, on this machine."""

import asyncio
import errno
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from vivavoce.cli.narrator import Narrator
from vivavoce.cli.serve_options import settle, takes_settings
from vivavoce.cli.serve_upstream import upstream_of
from vivavoce.cli.serve_workers import serve_with_workers
from vivavoce.cli.signals import Signals
from vivavoce.errors import HistoryError, VivaVoceError
from vivavoce.gateway import GatewaySettings, create_app, listen
from vivavoce.gateway.history.settings import HistorySettings
from vivavoce.gateway.loading import Loading
from vivavoce.gateway.operations.logs import configure
from vivavoce.gateway.operations.tls import Certificate, certificate_of
from vivavoce.gateway.operations.workers import check
from vivavoce.gateway.state import GATEWAY, Gateway
from vivavoce.gateway.upstream import Upstream

if TYPE_CHECKING:
    from vivavoce.gateway.history.history import History

__all__ = ["ADDRESS_EXIT", "LOADING_EXIT", "SETTINGS_EXIT", "run", "serve", "serve_quietly"]

LOADING_EXIT = 1
"""Exit code when the models cannot be loaded."""

SETTINGS_EXIT = 2
"""Exit code when a setting is wrong, or would let strangers in."""

ADDRESS_EXIT = 4
"""Exit code when the address cannot be listened at."""

_log = logging.getLogger(__name__)

_console = Console(highlight=False, soft_wrap=True)
_errors = Console(highlight=False, soft_wrap=True, stderr=True)


@takes_settings
def serve(given: dict[str, Any]) -> None:
    """Serve the page and the Realtime endpoint, with the engine of this machine.

    Every option can also be set in the environment: --max-sessions is VIVAVOCE_MAX_SESSIONS.
    """
    try:
        settings = settle(given)
        upstream = upstream_of(settings)
        if settings.workers > 1:
            check(settings)
    except VivaVoceError as error:
        _errors.print(str(error), markup=False)
        raise typer.Exit(SETTINGS_EXIT) from error
    configure(settings)
    if settings.workers > 1:
        raise typer.Exit(_serve_together(settings))
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        code = runner.run(run(settings, upstream))
    raise typer.Exit(code)


def _serve_together(settings: GatewaySettings) -> int:
    """Serve with several processes, of which this one is the parent."""
    hopeless = frozenset({SETTINGS_EXIT, ADDRESS_EXIT})
    try:
        return serve_with_workers(settings, serve_quietly, _console, hopeless=hopeless)
    except OSError as error:
        _errors.print(_why_not_listening(settings, error))
        return ADDRESS_EXIT


def serve_quietly(settings: GatewaySettings) -> int:
    """Serve as one of several processes: it says only what is wrong."""
    configure(settings)
    _console.quiet = True
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(run(settings, upstream_of(settings)))


async def run(settings: GatewaySettings, upstream: Upstream) -> int:
    """Serve until a signal ends it, and return the exit code."""
    signals = Signals()
    narrator = Narrator(_console)
    try:
        certificate = certificate_of(settings)
        history = _history(settings)
        stages = () if history is None else (history.stage,)
        app = create_app(settings, upstream, progress=narrator.hear, stages=stages, history=history)
    except VivaVoceError as error:
        _errors.print(str(error), markup=False)
        return SETTINGS_EXIT
    async with AsyncExitStack() as stack:
        try:
            listening = await stack.enter_async_context(listen(app, certificate=certificate))
        except OSError as error:
            _errors.print(_why_not_listening(settings, error))
            return ADDRESS_EXIT
        if certificate is not None:
            signals.on_hangup(lambda: _read_again(certificate))
        address = listening.address(app[GATEWAY].door.token)
        _console.print(f"Viva Voce listens. Open [bold]{address}[/bold] in a browser; Ctrl-C stops it.")
        if settings.open_to_others and not settings.asks_for_keys and not _console.quiet:
            _errors.print("Everybody who can reach this machine can use it: nobody is asked for a key.")
        if history is not None:
            _console.print(_what_is_kept(settings, history), markup=False)
        with narrator:
            failure = await _load(app[GATEWAY].loading, signals.asked)
        if failure is not None:
            _errors.print(f"The models could not be loaded: {failure}", markup=False)
            return LOADING_EXIT
        if not signals.asked.is_set():
            _console.print(await _readiness(upstream))
        await signals.asked.wait()
        await _drain(app[GATEWAY], signals)
        _console.print("Stopping.")
    return 0


def _read_again(certificate: Certificate) -> None:
    try:
        certificate.read()
    except VivaVoceError as error:
        _log.error("the certificate stays as it was: %s", error)
    else:
        _log.info("the certificate was read again")


async def _drain(gateway: Gateway, signals: Signals) -> None:
    """Let sessions end by themselves, unless it has to be quick."""
    seconds = gateway.settings.drain_seconds
    if seconds and not signals.at_once.is_set():
        if many := len(gateway.sessions):
            _console.print(f"No new sessions. Those that are open, {many}, have {seconds:g} seconds.")
        draining = asyncio.create_task(gateway.drain.run())
        await _first(draining, asyncio.create_task(signals.at_once.wait()))
    signals.stop_now()


def _history(settings: GatewaySettings) -> "History | None":
    """Return what keeps the sessions, if they are to be kept. Raises `VivaVoceError` where that cannot be."""
    if settings.history == "off":
        return None
    try:
        from vivavoce.gateway.history.history import History  # noqa: PLC0415 - an extra
    except ImportError as missing:
        if settings.model_fields_set & HistorySettings.model_fields.keys():
            raise HistoryError("A history needs more: pip install 'vivavoce[history]'.") from missing
        return None
    return History(settings, upstream=settings.upstream.partition("?")[0])


def _what_is_kept(settings: GatewaySettings, history: "History") -> str:
    kept = "recorded, and kept" if settings.history == "audio" else "kept in writing"
    days = f"for {settings.history_days:g} days" if settings.history_days else "until somebody deletes them"
    return f"Sessions are {kept} {days} in {history.database.name}; VIVAVOCE_HISTORY=off keeps none."


async def _readiness(upstream: Upstream) -> str:
    """Say what answers now, and where."""
    told = [
        f"{there.address} {'answers' if there.reachable else 'does not answer yet'}."
        for there in await upstream.reach()
    ]
    if models := upstream.status.models:
        told.append(f"Ready after {upstream.status.seconds:.1f} s: {', '.join(models.values())}.")
        if upstream.capacity:
            told.append(f"It holds {upstream.capacity} sessions in real time.")
    return " ".join(told)


async def _load(loading: Loading, stop: asyncio.Event) -> BaseException | None:
    """Wait until the models answer or somebody stops the server; return what went wrong."""
    loaded = asyncio.create_task(loading.finished())
    await _first(loaded, asyncio.create_task(stop.wait()))
    return loaded.exception() if loaded.done() and not loaded.cancelled() else None


async def _first(*tasks: asyncio.Task[Any]) -> None:
    """Wait until one of them is done, and cancel the others."""
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _why_not_listening(settings: GatewaySettings, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {settings.port} of {settings.host} is taken by another program. "
            "Choose another with --port, or stop that one."
        )
    return f"Cannot listen on {settings.host}, port {settings.port}: {error.strerror or error}."


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop
