"""Where a command's session is held: with the engine in this process, or with any endpoint at an address."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

from rich.console import Console

from vivavoce.cli.narrator import Narrator
from vivavoce.client.line import Connect
from vivavoce.client.recording import Recorder
from vivavoce.client.transport import WebSocketTransport
from vivavoce.errors import VivaVoceError

__all__ = ["DEFAULT_MODEL", "open_endpoint", "recording"]

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
        with Narrator(console or Console(stderr=True)) as narrator:
            await engine.start(narrator.hear)
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
