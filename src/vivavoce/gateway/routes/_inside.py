"""Refusing a client of the beta as it expects: let in, told why, and sent away.

The beta never refused a key before the upgrade, and its clients tell their users what an ``error`` event says, while
of a refused upgrade they tell nothing.
"""

import asyncio

from aiohttp import web

from vivavoce.errors import ProtocolError
from vivavoce.gateway.refusal import REFUSED, Refusal
from vivavoce.gateway.state import GATEWAY
from vivavoce.protocol.codec import encode
from vivavoce.protocol.errors import INVALID_API_KEY
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.server_events import ErrorEvent

__all__ = ["WRONG_KEY_CODE", "refuse_inside"]

WRONG_KEY_CODE = 3000
"""The close code after a wrong key."""

_IDS = Ids()


async def refuse_inside(
    request: web.Request, refusal: Refusal, *, protocols: tuple[str, ...] = ()
) -> web.StreamResponse:
    """Accept the upgrade, say in an ``error`` event that the key is wrong, and close."""
    settings = request.app[GATEWAY].settings
    socket = web.WebSocketResponse(
        protocols=protocols, compress=False, timeout=settings.close_timeout_seconds, max_msg_size=2**16
    )
    socket[REFUSED] = INVALID_API_KEY
    await socket.prepare(request)
    error = ErrorEvent.of(
        ProtocolError(f"Incorrect API key provided: {refusal.message}", code=INVALID_API_KEY)
    )
    error.event_id = _IDS.event()
    await asyncio.sleep(settings.beta_latency_ms / 1000)  # it may begin to listen only now: see `late`
    await socket.send_str(encode(error).decode())
    await socket.close(code=WRONG_KEY_CODE, message=f"{refusal.type}.{INVALID_API_KEY}".encode())
    return socket
