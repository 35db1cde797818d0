"""``GET /api/openapi.json`` and ``GET /api``: what there is over HTTP, for programs and for people."""

import msgspec
from aiohttp import hdrs, web

from vivavoce.gateway.operations.openapi import describe
from vivavoce.gateway.operations.openapi_page import page
from vivavoce.gateway.routes.page import page_headers

__all__ = ["api_page", "openapi"]


async def openapi(request: web.Request) -> web.Response:
    """Send the OpenAPI document of the routes that there are."""
    return web.Response(
        body=msgspec.json.encode(describe(request.app.router)),
        content_type="application/json",
        charset="utf-8",
        headers={hdrs.CACHE_CONTROL: "no-cache"},
    )


async def api_page(request: web.Request) -> web.Response:
    """Send the same as a page, which needs no script."""
    return web.Response(
        text=page(describe(request.app.router)), content_type="text/html", headers=page_headers()
    )
