"""Where a command's session is held: with the engine in this process, or with any endpoint at an address."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from vivavoce.client.line import Connect
from vivavoce.client.recording import Recorder
from vivavoce.client.transport import WebSocketTransport
from vivavoce.errors import VivaVoceError

__all__ = ["DEFAULT_MODEL", "Piece", "open_endpoint", "recording"]

DEFAULT_MODEL = "gpt-realtime"


@asynccontextmanager
async def open_endpoint(
    url: str | None,
    *,
    api_key: str | None = None,
    model: str = DEFAULT_MODEL,
    engine_profile: str = "default",
    console: Console | None = None,
) -> AsyncIterator[Connect]:
    """Give what opens a session.

    With a ``url`` the session is there, and ``api_key`` goes with it; without one it is with the engine of this
    process, whose weights are fetched first if they are missing, which ``console`` shows, and which ends with this.
    """
    if url is not None:
        yield partial(WebSocketTransport.connect, url, api_key=api_key, model=model)
        return
    try:
        from vivavoce.engine import Engine  # noqa: PLC0415 - heavy, and an extra
    except ModuleNotFoundError as missing:
        raise VivaVoceError(
            f"The engine needs the package {missing.name}: pip install 'vivavoce[engine]'; or give an endpoint "
            "with --url."
        ) from missing
    engine = Engine(engine_profile)
    try:
        with _Downloads(console or Console(stderr=True)) as downloads:
            await engine.start(downloads.show)
        yield partial(engine.connect, model=model)
    finally:
        await engine.close()


@contextmanager
def recording(folder: Path | None, url: str | None, model: str) -> Iterator[Recorder | None]:
    """Give what records a session into ``folder``, if there is to be a recording."""
    if folder is None:
        yield None
        return
    with Recorder(folder, endpoint=url or "", model=model) as recorder:
        yield recorder


class Piece(Protocol):
    """One set of weights on its way."""

    @property
    def name(self) -> str:
        """What it is."""
        ...

    @property
    def done(self) -> int:
        """Bytes that are here."""
        ...

    @property
    def total(self) -> int:
        """Bytes that there will be."""
        ...


class _Downloads:
    """Bars for the weights that are being fetched, and what is being done meanwhile."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, piece: Piece) -> None:
        if piece.name not in self._tasks:
            self._tasks[piece.name] = self._bars.add_task(f"Fetching {piece.name}", total=piece.total)
        self._bars.update(self._tasks[piece.name], completed=piece.done)
