"""``GET /``: the page, or a session for those who take the gateway for a relay of the beta's time."""

from aiohttp import hdrs, web

from vivavoce.gateway.auth.door import offered_subprotocols
from vivavoce.gateway.dialects import BETA_HEADER, speaks_beta
from vivavoce.gateway.routes.page import page
from vivavoce.gateway.routes.realtime import realtime

__all__ = ["front"]


async def front(request: web.Request) -> web.StreamResponse:
    """Send the page. A WebSocket that speaks the beta is answered as at ``/v1/realtime``: relays had no path."""
    upgrade = request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"
    if upgrade and speaks_beta(request.headers.get(BETA_HEADER), offered_subprotocols(request)):
        return await realtime(request)
    return await page(request)
