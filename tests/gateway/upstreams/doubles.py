"""A provider's endpoint as it is today: over a socket, with keys, and without the beta."""

import asyncio
import contextlib
import inspect
from contextlib import asynccontextmanager

from aiohttp import WSMsgType, web

from vivavoce.errors import ConnectionFailed, ConnectionLost
from vivavoce.protocol.session import DEFAULT_MODEL
from vivavoce.protocol.session_params import RealtimeSessionParams, TranscriptionSessionParams
from vivavoce.testing import ScriptedEngine, parse_script

KEY = "sk-secret-0123456789abcdef"

SCRIPT = """
turns:
  - say: "Good morning."
  - say: "Good evening."
"""

CURRENT = ("gpt-realtime", "gpt-realtime-2", "gpt-realtime-2.1", "gpt-realtime-2.1-mini")


class Provider:
    """What it was asked for, and what it is to do instead of serving."""

    def __init__(self):
        self.requests = []
        self.refusal = None
        """What it does with a request in place of all else: a function, as handlers are."""
        self.first = None
        """What it says in place of ``session.created``: events; then it closes with `code`."""
        self.code = 1000
        self.silent = False
        self.sockets = []
        self.arrivals = asyncio.Queue()
        """Each of the sockets, for those who wait for it."""
        self.calls = {}
        """Transports of calls that go on, by their ids."""
        self.url = ""


def _beta(request):
    return "OpenAI-Beta" in request.headers or "openai-beta" in request.headers.get(
        "Sec-WebSocket-Protocol", ""
    )


def _error(code, message, kind="invalid_request_error"):
    error = {"type": kind, "code": code, "message": message, "param": None, "event_id": None}
    return {"type": "error", "event_id": "event_1", "error": error}


def _refuse(request, provider):
    if provider.refusal is not None:
        return provider.refusal(request)
    if request.headers.get("Authorization") != f"Bearer {KEY}":
        given = request.headers.get("Authorization", "")
        error = {"message": f"Incorrect API key provided: {given}.", "code": "invalid_api_key", "type": "x"}
        return web.json_response({"error": error}, status=401)
    if (call := request.query.get("call_id")) is not None:
        return None if call in provider.calls else web.json_response({"error": "No such call."}, status=404)
    return None


async def _say_instead(socket, provider):
    for event in provider.first:
        await socket.send_json(event)
    await socket.close(code=provider.code)


def _open(request, provider, engine):
    if (call := request.query.get("call_id")) is not None:
        return provider.calls[call]
    listens = request.query.get("intent") == "transcription"
    params = TranscriptionSessionParams() if listens else RealtimeSessionParams()
    return engine.connect(request.query.get("model", DEFAULT_MODEL), params)


async def _carry(socket, transport):
    async def down():
        try:
            while True:
                data = await transport.receive()
                await socket.send_str(data if isinstance(data, str) else data.decode())
        except ConnectionLost as lost:
            await socket.close(code=lost.code, message=lost.reason.encode())

    downlink = asyncio.create_task(down())
    try:
        with contextlib.suppress(ConnectionLost):
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await transport.send(message.data)
    finally:
        downlink.cancel()
        await asyncio.gather(downlink, return_exceptions=True)
        await transport.close()


@asynccontextmanager
async def providing(script=SCRIPT):
    """Serve a provider on loopback, whose sessions play the script."""
    provider = Provider()
    engine = ScriptedEngine(parse_script(script))

    async def realtime(request):
        provider.requests.append(request)
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.json_response({"error": {"message": "Expected a WebSocket."}}, status=426)
        if (refusal := _refuse(request, provider)) is not None:
            return await refusal if inspect.isawaitable(refusal) else refusal
        socket = web.WebSocketResponse(protocols=("realtime",))
        await socket.prepare(request)
        provider.sockets.append(socket)
        provider.arrivals.put_nowait(socket)
        if _beta(request):
            await socket.send_json(_error("beta_api_shape_disabled", "The Realtime Beta API is gone."))
            await socket.close(code=4000, message=b"invalid_request_error.beta_api_shape_disabled")
        elif provider.silent:
            await socket.receive()
        elif provider.first is not None:
            await _say_instead(socket, provider)
        elif "call_id" not in request.query and request.query.get("model") not in (None, *CURRENT):
            await socket.send_json(_error("model_not_found", "The model does not exist."))
            await socket.close(code=4000)
        else:
            try:
                await _carry(socket, _open(request, provider, engine))
            except ConnectionFailed:
                await socket.close(code=1013)
        return socket

    app = web.Application()
    app.router.add_get("/v1/realtime", realtime)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1)
    await engine.start()
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        provider.url = f"ws://127.0.0.1:{site.port}/v1/realtime"
        yield provider
    finally:
        await engine.close()
        await runner.cleanup()
