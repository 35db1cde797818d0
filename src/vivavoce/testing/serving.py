"""A scripted endpoint on a loopback address, for clients of any language."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from aiohttp import WSMsgType, web

from vivavoce.client.transport import MAX_MESSAGE_BYTES, Transport
from vivavoce.errors import ConnectionFailed, ConnectionLost, ScriptFailed
from vivavoce.protocol.session import DEFAULT_MODEL
from vivavoce.protocol.session_params import RealtimeSessionParams, SessionParams, TranscriptionSessionParams

__all__ = ["Endpoint", "serve_scripted"]

MAX_REASON_BYTES = 123
"""What a close frame has room for (RFC 6455, 5.5)."""

NEVER_SENT = frozenset({1005, 1006, 1015})
"""Close codes that must not be written in a close frame (RFC 6455, 7.4.1)."""

GOODBYE_SECONDS = 1.0
"""For a client to answer a close."""


class Endpoint(AbstractAsyncContextManager[Any], Protocol):
    """What can be served: a `ScriptedEndpoint`, a `ScriptedEngine`."""

    def connect(self, model: str = ..., params: SessionParams | None = ...) -> Transport:
        """Open a session; raises `ConnectionFailed` where there can be none."""
        ...

    async def close(self) -> None:
        """End all sessions."""
        ...


@asynccontextmanager
async def serve_scripted(endpoint: Endpoint, *, port: int = 0) -> AsyncIterator[str]:
    """Serve ``endpoint`` on 127.0.0.1 while the context lasts, and give the address as OpenAI's packages take it.

    That is ``http://127.0.0.1:PORT/v1``, for ``OPENAI_BASE_URL`` or ``base_url``; the WebSocket is at ``/realtime``
    below it. ``port`` 0 takes any that is free. On the way out `ScriptedEndpoint` and `ScriptedEngine` raise
    `ScriptFailed` if something else came than was expected, or not everything did.
    """
    app = web.Application()

    async def realtime(request: web.Request) -> web.StreamResponse:
        return await _realtime(request, endpoint)

    app.router.add_get("/v1/realtime", realtime, allow_head=False)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=GOODBYE_SECONDS)
    async with endpoint:
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", port)
            await site.start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        finally:
            await endpoint.close()
            await runner.cleanup()


async def _realtime(request: web.Request, endpoint: Endpoint) -> web.StreamResponse:
    params = TranscriptionSessionParams() if "intent" in request.query else RealtimeSessionParams()
    try:
        transport = endpoint.connect(request.query.get("model", DEFAULT_MODEL), params)
    except ConnectionFailed as failed:
        error = {"type": "server_error", "code": failed.code, "message": str(failed), "param": None}
        return web.json_response({"error": error}, status=failed.status or 503)
    socket = web.WebSocketResponse(
        protocols=("realtime",), timeout=GOODBYE_SECONDS, max_msg_size=MAX_MESSAGE_BYTES
    )
    await socket.prepare(request)
    downlink = asyncio.create_task(_downlink(transport, socket), name="scripted downlink")
    try:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await transport.send(message.data)
        downlink.cancel()  # the client has gone
    except (ConnectionLost, ScriptFailed):
        pass  # the downlink says so, after all else that there is to say
    finally:
        await asyncio.gather(downlink, return_exceptions=True)
        await transport.close()
    return socket


async def _downlink(transport: Transport, socket: web.WebSocketResponse) -> None:
    try:
        while True:
            event = await transport.receive()
            await socket.send_str(event if isinstance(event, str) else event.decode())
    except ConnectionLost as lost:
        code = 1011 if lost.code in NEVER_SENT else lost.code
        reason = lost.reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore").encode()
        await socket.close(code=code, message=reason)
