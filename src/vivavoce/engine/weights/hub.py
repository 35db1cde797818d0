"""Weights from the model hub, over HTTP, going on where an earlier download stopped."""

import asyncio
import logging
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import aiohttp
import msgspec

from vivavoce.engine.weights._growing import Growing
from vivavoce.engine.weights._threads import in_thread
from vivavoce.engine.weights.cache import Shelf
from vivavoce.engine.weights.catalogue import Hub, WeightFile
from vivavoce.engine.weights.progress import Meter
from vivavoce.errors import WeightsCorrupt, WeightsUnavailable

__all__ = ["Listed", "Listing", "download", "listing"]

_log = logging.getLogger(__name__)

CONNECT_SECONDS = 3.0
"""How long to wait for a connection; a hub that takes longer is taken for unreachable."""

ANSWER_SECONDS = 10.0
"""How long to wait for the head of an answer: some walls let a call through and swallow what is said."""

READ_SECONDS = 30.0
"""How long a download may stand still."""

ATTEMPTS = 5
"""How often a file is asked for when its download breaks off."""

PAUSE_SECONDS = 0.5
"""How long to wait before the second attempt; later ones wait in proportion."""

CHUNK = 1 << 20
"""Bytes written in one go, at most."""

_UNREACHABLE = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)

_unreachable: dict[str, str] = {}
"""Hubs that did not answer in this process, and why: none is waited for twice."""


class _Large(msgspec.Struct):
    sha256: str


class Listed(msgspec.Struct, rename="camel"):
    """A file of a repository."""

    name: str = msgspec.field(name="rfilename")
    size: int = 0
    blob_id: str = ""
    """What git calls its content."""
    lfs: _Large | None = None
    """For a large file, which git only has a note of: its hash."""

    @property
    def digest(self) -> str:
        """What `WeightFile` calls its hash."""
        return self.lfs.sha256 if self.lfs else self.blob_id


class Listing(msgspec.Struct):
    """What a repository holds at one commit."""

    sha: str
    """The commit."""
    files: list[Listed] = msgspec.field(name="siblings", default_factory=list)


async def download(shelf: Shelf, hub: Hub, meter: Meter) -> None:
    """Fetch the files that are missing. Raises `WeightsUnavailable` or `WeightsCorrupt`."""
    folder = shelf.partial("hub")
    async with _session() as (session, endpoint):
        for file in shelf.missing():
            url = f"{endpoint}/{hub.repo}/resolve/{hub.revision}/{quote(file.name)}"
            growing = Growing(folder, file)
            await _persist(session, url, growing, file, meter)
            await shelf.accept(file, growing.path, url)


async def listing(repo: str, revision: str = "main") -> Listing:
    """Ask the hub what a repository holds. Raises `WeightsUnavailable`."""
    async with _session() as (session, endpoint):
        url = f"{endpoint}/api/models/{repo}/revision/{revision}?blobs=true"
        try:
            async with await _ask(session, url, {"Accept-Encoding": "identity"}) as response:
                if response.status in {401, 403, 404}:
                    raise WeightsUnavailable(
                        f"{repo} (revision {revision}) is not on {endpoint}, or not for everybody: it answered "
                        f"{response.status} {response.reason}"
                    )
                if response.status != 200:
                    raise WeightsUnavailable(f"{url} answered {response.status} {response.reason}")
                return msgspec.json.decode(await response.read(), type=Listing)
        except _UNREACHABLE:
            raise
        except (aiohttp.ClientError, TimeoutError) as error:
            raise WeightsUnavailable(f"{url}: {error or type(error).__name__}") from error
        except msgspec.MsgspecError as error:
            raise WeightsUnavailable(f"{url} is no listing of a repository: {error}") from error


@asynccontextmanager
async def _session() -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """Open a session with the hub, and say where that is; a hub that does not answer is not asked again."""
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co"
    if why := _unreachable.get(endpoint):
        raise WeightsUnavailable(why)
    timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS, sock_read=READ_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout, trust_env=True, auto_decompress=False) as session:
            yield session, endpoint
    except _UNREACHABLE as error:
        why = f"{endpoint} cannot be reached ({error or type(error).__name__})"
        _unreachable[endpoint] = why
        _log.info("the model hub is left out: %s", why)
        raise WeightsUnavailable(why) from error


async def _persist(
    session: aiohttp.ClientSession, url: str, growing: Growing, file: WeightFile, meter: Meter
) -> None:
    """Fetch one file, taking it up again where it breaks off."""
    for attempt in range(1, ATTEMPTS + 1):
        if growing.whole:
            return
        try:
            await _attempt(session, url, growing, file, meter)
        except _UNREACHABLE:
            raise
        except (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError, TimeoutError) as error:
            _log.info("%s broke off (attempt %d of %d): %s", url, attempt, ATTEMPTS, error)
            await asyncio.sleep(PAUSE_SECONDS * attempt)
        except aiohttp.ClientError as error:
            raise WeightsUnavailable(f"{url}: {error}") from error
        else:
            return
    raise WeightsUnavailable(f"{url} broke off {ATTEMPTS} times, at last after {growing.size} bytes")


async def _attempt(
    session: aiohttp.ClientSession, url: str, growing: Growing, file: WeightFile, meter: Meter
) -> None:
    """Ask for what is missing, and write what comes."""
    headers = {"Accept-Encoding": "identity"}
    if here := growing.size:
        headers["Range"] = f"bytes={here}-"
    async with await _ask(session, url, headers) as response:
        start, total = _extent(response, here)
        if total not in {None, file.size}:
            growing.cut(0)
            raise WeightsCorrupt(f"{url} has another size: expected {file.size} bytes, got {total}")
        growing.cut(start)
        async for chunk in response.content.iter_chunked(CHUNK):
            meter.set(file.name, await in_thread(growing.append, chunk, url), "the model hub")


async def _ask(session: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> aiohttp.ClientResponse:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await session.get(url, headers=headers)
    except TimeoutError as error:
        raise aiohttp.ConnectionTimeoutError(f"no answer within {ANSWER_SECONDS:g} s") from error


def _extent(response: aiohttp.ClientResponse, asked: int) -> tuple[int, int | None]:
    """Return where the answer begins in the file, and the length of the whole file where that is told.

    ``asked`` is where it should begin; a server may also send all of it.
    """
    if response.status == 200:
        return 0, response.content_length
    extent = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
    if response.status == 206 and extent and int(extent[1]) == asked:
        return asked, int(extent[2])
    raise WeightsUnavailable(f"{response.url} answered {response.status} {response.reason}")
