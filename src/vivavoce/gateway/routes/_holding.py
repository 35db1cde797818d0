"""Holding a session once it is clear whose it is and what it begins with: the same for every dialect."""

import logging

from aiohttp import web

from vivavoce.errors import ConnectionFailed
from vivavoce.gateway.bridge import Bridge, Limits
from vivavoce.gateway.opening import Opening
from vivavoce.gateway.passage import Dialect
from vivavoce.gateway.routes._readiness import no_upstream
from vivavoce.gateway.settings import GatewaySettings
from vivavoce.gateway.state import GATEWAY

__all__ = ["hold"]

_log = logging.getLogger("vivavoce.gateway.routes.realtime")


async def hold(
    request: web.Request, opening: Opening, dialect: Dialect | None = None, *, protocols: tuple[str, ...] = ()
) -> web.StreamResponse:
    """Hold a session until one of both sides ends it, or refuse it where the endpoint does.

    ``protocols`` are the WebSocket's subprotocols that may be selected.
    """
    gateway = request.app[GATEWAY]
    try:
        transport = gateway.upstream.connect(opening.model, opening.params)
    except ConnectionFailed as failed:
        return no_upstream(str(failed), gateway.settings, code=failed.code).response()
    passage = gateway.passage(opening, dialect)
    bridge = Bridge(transport, _limits(gateway.settings), passage=passage, protocols=protocols)
    with gateway.sessions.hold(bridge):
        end = await bridge.run(request)
    _log.info("a session ended: %d %s", end.code, end.reason)
    return bridge.socket


def _limits(settings: GatewaySettings) -> Limits:
    return Limits(
        message=settings.max_message_bytes,
        send_buffer=settings.send_buffer_bytes,
        send_timeout=settings.send_timeout_seconds,
        close_timeout=settings.close_timeout_seconds,
        heartbeat=settings.heartbeat_seconds,
    )
