"""``GET /`` and ``GET /web/…``: the page, and the modules that it loads."""

from pathlib import Path

from aiohttp import hdrs, web

from vivavoce.gateway.state import GATEWAY

__all__ = ["CONTENT_TYPES", "PAGE_HEADERS", "page", "web_file"]

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

WEATHER = "https://api.open-meteo.com https://geocoding-api.open-meteo.com"
TILES = "https://tile.openstreetmap.org"

CONTENT_SECURITY_POLICY = (
    f"default-src 'self'; connect-src 'self' ws: wss: {WEATHER}; img-src 'self' data: {TILES}; "
    "media-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
"""Nothing inline, and nothing from elsewhere but a session with another server, and what the user has to ask for: the
weather, and the pictures of its map."""

PAGE_HEADERS = {
    hdrs.CACHE_CONTROL: "no-cache",  # kept, but asked about each time, by ETag
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Permissions-Policy": "microphone=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


async def page(request: web.Request) -> web.StreamResponse:
    """Send the page."""
    return _send(request.app[GATEWAY].web, "index.html")


async def web_file(request: web.Request) -> web.StreamResponse:
    """Send one of the files below the web folder; 404 for all that is not one of them."""
    return _send(request.app[GATEWAY].web, request.match_info["path"])


def _send(folder: Path, name: str) -> web.StreamResponse:
    if "\0" in name:
        raise web.HTTPNotFound
    root = folder.resolve()
    path = (root / name).resolve()  # follows links and "..", so that what is checked is what is opened
    content_type = CONTENT_TYPES.get(path.suffix)
    if content_type is None or not path.is_relative_to(root) or not path.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(path, headers={**PAGE_HEADERS, hdrs.CONTENT_TYPE: content_type})
