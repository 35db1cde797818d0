"""``GET /`` and ``GET /web/…``: the page, and the modules that it loads."""

import gzip
from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

from aiohttp import hdrs, web

from vivavoce.gateway.state import GATEWAY

__all__ = ["CONTENT_TYPES", "SQUEEZED", "page", "page_headers", "web_file"]

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""What is served, and as what; a table of our own, because the system's differs from one to the next."""

SQUEEZED = frozenset({".css", ".html", ".js", ".json", ".mjs", ".svg", ".txt", ".webmanifest"})
"""What is sent in gzip to those who take it: a third of its size. All else is dense already."""

WEATHER = "https://api.open-meteo.com https://geocoding-api.open-meteo.com"
TILES = "https://tile.openstreetmap.org"


def page_headers(direct_origins: Sequence[str] = ()) -> dict[str, str]:
    """Return the headers of what is sent to browsers.

    The policy lets in nothing inline, and nothing from elsewhere but what the user has to ask for: the weather, the
    pictures of its map, and a session with one of ``direct_origins``. The console may hold a key of its user's,
    so it is kept from all others, whatever runs in it.
    """
    connect = " ".join(("'self'", *direct_origins, WEATHER))
    policy = (
        f"default-src 'self'; connect-src {connect}; img-src 'self' data: {TILES}; media-src 'self' blob:; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
    return {
        hdrs.CACHE_CONTROL: "no-cache",  # kept, but asked about each time, by ETag
        "Content-Security-Policy": policy,
        "Permissions-Policy": "microphone=(self)",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


async def page(request: web.Request) -> web.StreamResponse:
    """Send the page."""
    return _send(request, "index.html")


async def web_file(request: web.Request) -> web.StreamResponse:
    """Send one of the files below the web folder; 404 for all that is not one of them."""
    return _send(request, request.match_info["path"])


def _send(request: web.Request, name: str) -> web.StreamResponse:
    if "\0" in name:
        raise web.HTTPNotFound
    gateway = request.app[GATEWAY]
    root = gateway.web.resolve()
    path = (root / name).resolve()  # follows links and "..", so that what is checked is what is opened
    content_type = CONTENT_TYPES.get(path.suffix)
    if content_type is None or not path.is_relative_to(root) or not path.is_file():
        raise web.HTTPNotFound
    headers = page_headers(gateway.settings.direct_origins)
    headers[hdrs.CONTENT_TYPE] = content_type
    if path.suffix not in SQUEEZED:
        return web.FileResponse(path, headers=headers)
    headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
    if "gzip" not in request.headers.get(hdrs.ACCEPT_ENCODING, "") or hdrs.RANGE in request.headers:
        return web.FileResponse(path, headers=headers)
    return _squeezed(request, path, headers)


def _squeezed(request: web.Request, path: Path, headers: dict[str, str]) -> web.Response:
    """Answer with a file in gzip; `FileResponse` would put the end of an empty one after its 304."""
    found = path.stat()
    etag = f"{found.st_mtime_ns:x}-{found.st_size:x}-gzip"
    if any(known.value in {etag, "*"} for known in request.if_none_match or ()):
        response = web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    else:
        body = _gzip(path, found.st_mtime_ns)
        response = web.Response(body=body, headers={**headers, hdrs.CONTENT_ENCODING: "gzip"})
    response.etag = etag
    return response


@lru_cache(maxsize=256)
def _gzip(path: Path, _changed: int) -> bytes:
    return gzip.compress(path.read_bytes(), 6)
