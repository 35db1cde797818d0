"""``GET /ready``: whether a balancer should send new sessions here."""

from http import HTTPStatus

import msgspec
from aiohttp import hdrs, web

from vivavoce.gateway.routes.health import described
from vivavoce.gateway.state import GATEWAY

__all__ = ["ready"]


async def ready(request: web.Request) -> web.Response:
    """Answer 200 and ``{"status": "ready"}``, or 503 and what is in the way, as `health` has it."""
    status = (await described(request.app[GATEWAY]))["status"]
    return web.Response(
        status=HTTPStatus.OK if status == "ready" else HTTPStatus.SERVICE_UNAVAILABLE,
        body=msgspec.json.encode({"status": status}),
        content_type="application/json",
        charset="utf-8",
        headers={hdrs.CACHE_CONTROL: "no-store"},
    )
