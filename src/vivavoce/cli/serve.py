"""``vivavoce serve``: the page and the Realtime endpoint, on this machine."""

import asyncio
import errno
import logging
import os
import signal
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import SecretStr, ValidationError
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from vivavoce.errors import HistoryError, VivaVoceError
from vivavoce.gateway import GatewaySettings, create_app, listen
from vivavoce.gateway.history.settings import HistorySettings
from vivavoce.gateway.loading import Loading
from vivavoce.gateway.state import GATEWAY
from vivavoce.gateway.upstream import Progress as Piece
from vivavoce.gateway.upstream import Upstream
from vivavoce.gateway.upstreams.choosing import choose_upstream
from vivavoce.gateway.upstreams.local import Endpoint

if TYPE_CHECKING:
    from vivavoce.gateway.history.history import History

__all__ = ["ADDRESS_EXIT", "LOADING_EXIT", "SETTINGS_EXIT", "run", "serve"]

LOADING_EXIT = 1
"""Exit code when the models cannot be loaded."""

SETTINGS_EXIT = 2
"""Exit code when a setting is wrong, or would let strangers in."""

ADDRESS_EXIT = 4
"""Exit code when the address cannot be listened at."""

SHUTDOWN_SECONDS = 5.0
"""From the signal to the end of the process, whatever a model or a download is doing."""

_console = Console(highlight=False, soft_wrap=True)
_errors = Console(highlight=False, soft_wrap=True, stderr=True)


def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on.  [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes any that is free.  [default: 8000]")] = None,
    upstream: Annotated[
        str | None,
        typer.Option(help="Where sessions are held: engine, openai or an address.  [default: engine]"),
    ] = None,
    engine: Annotated[
        str | None, typer.Option(help="What answers: builtin, with models, or scripted.  [default: builtin]")
    ] = None,
    script: Annotated[str | None, typer.Option(help="The file that the scripted engine plays.")] = None,
    latency_ms: Annotated[
        float | None, typer.Option(help="How far away the scripted engine is, in each direction.")
    ] = None,
    engine_profile: Annotated[
        str | None, typer.Option(help="Which models to load: default, compact or small.")
    ] = None,
    language_model: Annotated[
        str | None,
        typer.Option(help="What thinks: our name, http://host/v1#model, hub:org/repo/file or a path."),
    ] = None,
    recogniser: Annotated[
        str | None,
        typer.Option(
            help="What hears: our name, http://host/v1#model, wyoming://host:port, hub:org/repo or a path."
        ),
    ] = None,
    synthesiser: Annotated[
        str | None,
        typer.Option(
            help="What speaks: our name, http://host/v1#model, wyoming://host:port, hub:org/repo or a path."
        ),
    ] = None,
    max_sessions: Annotated[
        int | None, typer.Option(help="Sessions at one time, at the most as many as this machine holds.")
    ] = None,
    allowed_origins: Annotated[
        str | None, typer.Option(help="Other web origins that may connect, separated by commas.")
    ] = None,
    allowed_hosts: Annotated[
        str | None, typer.Option(help="Other names of this server, separated by commas.")
    ] = None,
    insecure_open: Annotated[
        bool | None, typer.Option("--insecure-open", help="Let other machines in, without any key.")
    ] = None,
    keys_file: Annotated[
        str | None, typer.Option(help="The file of API keys; with one, nobody is let in without a key.")
    ] = None,
    policy: Annotated[
        str | None, typer.Option(help="The file that says who may do what, and how much.")
    ] = None,
    log_level: Annotated[
        str, typer.Option(help="debug, info (with an access log), warning or error.")
    ] = "warning",
) -> None:
    """Serve the page and the Realtime endpoint, with the engine of this machine.

    Every option can also be set in the environment: --max-sessions is VIVAVOCE_MAX_SESSIONS.
    """
    settings = _settings(
        host=host,
        port=port,
        upstream=upstream,
        engine=engine,
        script=script,
        latency_ms=latency_ms,
        engine_profile=engine_profile,
        language_model=language_model,
        recogniser=recogniser,
        synthesiser=synthesiser,
        max_sessions=max_sessions,
        allowed_origins=allowed_origins,
        allowed_hosts=allowed_hosts,
        insecure_open=insecure_open,
        keys_file=keys_file,
        policy=policy,
    )
    logging.basicConfig(level=_level(log_level), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        code = runner.run(run(settings, _upstream(settings)))
    raise typer.Exit(code)


def _upstream(settings: GatewaySettings) -> Upstream:
    """Return what the settings name, or end with a message when that cannot be."""
    try:
        return choose_upstream(
            settings, lambda: _scripted(settings) if settings.engine == "scripted" else _engine(settings)
        )
    except VivaVoceError as error:
        _errors.print(str(error), markup=False)
        raise typer.Exit(SETTINGS_EXIT) from error


def _engine(settings: GatewaySettings) -> Endpoint:
    """Return the engine with the models of the settings, or end with a message when one of them is wrong."""
    for name in ("script", "latency_ms"):
        if getattr(settings, name) is not None:
            _errors.print(f"{_option(name)}: expected only with {_option('engine')} scripted.", markup=False)
            raise typer.Exit(SETTINGS_EXIT)
    # Heavy, and an extra: only who serves it loads it.
    from vivavoce.engine.choices import Choice, Part, parse  # noqa: PLC0415
    from vivavoce.engine.engine import Engine  # noqa: PLC0415
    from vivavoce.engine.profiles import PROFILES  # noqa: PLC0415

    wanted: list[tuple[Part, str | None, SecretStr | None]] = [
        ("language_model", settings.language_model, settings.language_model_key),
        ("recogniser", settings.recogniser, settings.recogniser_key),
        ("synthesiser", settings.synthesiser, settings.synthesiser_key),
    ]
    chosen: dict[Part, Choice] = {}
    for part, text, key in wanted:
        if text:
            try:
                chosen[part] = parse(part, text, key.get_secret_value() if key else "")
            except VivaVoceError as error:
                _errors.print(f"{_option(part)}: {error}.", markup=False)
                raise typer.Exit(SETTINGS_EXIT) from error
    profile = PROFILES[settings.engine_profile].with_parts(chosen)
    return Engine(settings.engine_profile, load=profile.load)


def _scripted(settings: GatewaySettings) -> Endpoint:
    """Return the engine that plays the script of the settings, or end with a message when that cannot be."""
    from vivavoce.testing.engine import ScriptedEngine  # noqa: PLC0415 - an extra: only who serves it loads it
    from vivavoce.testing.script import Latency  # noqa: PLC0415

    if settings.script is None:
        _errors.print(
            f"{_option('script')}: expected the file that the scripted engine plays, got none.", markup=False
        )
        raise typer.Exit(SETTINGS_EXIT)
    latency = None if settings.latency_ms is None else Latency(settings.latency_ms, settings.latency_ms)
    try:
        return ScriptedEngine(settings.script, latency=latency)
    except VivaVoceError as error:
        _errors.print(f"{_option('script')}: {error}", markup=False)
        raise typer.Exit(SETTINGS_EXIT) from error


async def run(settings: GatewaySettings, upstream: Upstream) -> int:
    """Serve until a signal ends it, and return the exit code."""
    stop = asyncio.Event()
    _heed_signals(stop)
    narrator = _Narrator()
    try:
        history = _history(settings)
        stages = () if history is None else (history.stage,)
        app = create_app(settings, upstream, progress=narrator.hear, stages=stages, history=history)
    except VivaVoceError as error:
        _errors.print(str(error), markup=False)
        return SETTINGS_EXIT
    async with AsyncExitStack() as stack:
        try:
            listening = await stack.enter_async_context(listen(app))
        except OSError as error:
            _errors.print(_why_not_listening(settings, error))
            return ADDRESS_EXIT
        address = listening.address(app[GATEWAY].door.token)
        _console.print(f"Viva Voce listens. Open [bold]{address}[/bold] in a browser; Ctrl-C stops it.")
        if settings.open_to_others and not settings.asks_for_keys:
            _errors.print("Everybody who can reach this machine can use it: nobody is asked for a key.")
        if history is not None:
            _console.print(_what_is_kept(settings, history), markup=False)
        with narrator:
            failure = await _load(app[GATEWAY].loading, stop)
        if failure is not None:
            _errors.print(f"The models could not be loaded: {failure}", markup=False)
            return LOADING_EXIT
        if not stop.is_set():
            _console.print(await _readiness(upstream))
        await stop.wait()
        _console.print("Stopping.")
    return 0


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
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({loaded, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return loaded.exception() if loaded.done() else None
    finally:
        loaded.cancel()
        stopped.cancel()


class _Narrator:
    """Shows downloads as they go: bars in a terminal, one line for each piece elsewhere."""

    def __init__(self) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=_console,
            transient=True,
        )
        self._pieces: dict[str, TaskID] = {}

    def __enter__(self) -> None:
        if _console.is_terminal:
            self._bars.start()

    def __exit__(self, *_: object) -> None:
        if _console.is_terminal:
            self._bars.stop()

    def hear(self, piece: Piece) -> None:
        if piece.name not in self._pieces:
            self._pieces[piece.name] = self._bars.add_task(piece.name, total=piece.total)
            if not _console.is_terminal:
                _console.print(f"Fetching {piece.name}, {piece.total / 1e6:.0f} MB.")
        self._bars.update(self._pieces[piece.name], completed=piece.done)


def _settings(**given: Any) -> GatewaySettings:
    """Settle the settings: what was given, else the environment, else the defaults."""
    try:
        settings = GatewaySettings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as invalid:
        for error in invalid.errors():
            name = ".".join(str(part) for part in error["loc"])
            _errors.print(f"{_option(name)}: {error['msg']}, got {error['input']!r}.", markup=False)
        raise typer.Exit(SETTINGS_EXIT) from invalid
    if settings.open_to_others and not (settings.insecure_open or settings.asks_for_keys):
        _errors.print(
            f"Refused to listen on {settings.host}: other machines could reach it, and nobody is asked for "
            "a key. Leave --host at 127.0.0.1, make keys with `vivavoce keys add NAME` and name their file with "
            "--keys-file, or add --insecure-open to let everybody in."
        )
        raise typer.Exit(SETTINGS_EXIT)
    return settings


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')} (VIVAVOCE_{name.upper()})"


def _level(name: str) -> int:
    levels = logging.getLevelNamesMapping()
    if name.upper() not in levels:
        _errors.print(f"--log-level: expected debug, info, warning or error, got {name!r}.", markup=False)
        raise typer.Exit(SETTINGS_EXIT)
    return levels[name.upper()]


def _why_not_listening(settings: GatewaySettings, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {settings.port} of {settings.host} is taken by another program. "
            "Choose another with --port, or stop that one."
        )
    return f"Cannot listen on {settings.host}, port {settings.port}: {error.strerror or error}."


def _heed_signals(stop: asyncio.Event) -> None:
    """Let SIGINT and SIGTERM stop the server once, and end the process at once when they come again."""
    loop = asyncio.get_running_loop()

    def heed() -> None:
        stop.set()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        # A thread that computes or downloads cannot be interrupted, and the interpreter would wait for it.
        deadline = threading.Timer(SHUTDOWN_SECONDS, os._exit, (0,))
        deadline.daemon = True
        deadline.start()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, heed)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop
