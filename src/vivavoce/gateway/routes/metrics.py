"""``GET /metrics``: what Prometheus reads."""

import asyncio
from http import HTTPStatus

from aiohttp import hdrs, web

from vivavoce.gateway.auth.door import is_own_program
from vivavoce.gateway.auth.local import is_right
from vivavoce.gateway.credentials import presented_key
from vivavoce.gateway.refusal import Refusal
from vivavoce.gateway.state import GATEWAY, Gateway
from vivavoce.protocol.errors import INVALID_API_KEY

__all__ = ["metrics"]


async def metrics(request: web.Request) -> web.Response:
    """Send all metrics to those who may read them, in the form that they ask for."""
    gateway = request.app[GATEWAY]
    if gateway.metrics is None:
        raise web.HTTPNotFound
    if not await _may_read(request, gateway):
        return Refusal(
            HTTPStatus.UNAUTHORIZED,
            "Expected the token of VIVAVOCE_METRICS_TOKEN, in the header `Authorization: Bearer TOKEN`.",
            code=INVALID_API_KEY,
        ).response()
    page, content_type = gateway.metrics.page(request.headers.get(hdrs.ACCEPT, ""))
    return web.Response(body=page, headers={hdrs.CONTENT_TYPE: content_type, hdrs.CACHE_CONTROL: "no-store"})


async def _may_read(request: web.Request, gateway: Gateway) -> bool:
    settings = gateway.settings
    if settings.metrics == "open":
        return True
    if settings.metrics == "own" and await asyncio.to_thread(is_own_program, request):
        return True
    token = settings.metrics_token
    shown = presented_key(request.headers.get(hdrs.AUTHORIZATION), ())
    return token is not None and is_right(shown, token.get_secret_value())
