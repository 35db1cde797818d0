"""A server on loopback that speaks as much of OpenAI's HTTP API as a test tells it to."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Asked:
    """One request, as the server understood it."""

    path: str
    key: str
    body: dict = field(default_factory=dict)
    form: dict = field(default_factory=dict)


class HttpDouble:
    """Answers each request as `answer` does, a coroutine that is given what was asked and the aiohttp request."""

    def __init__(self):
        self.url = ""
        self.asked = []
        self.answer = None
        self.left = asyncio.Event()
        """Set when a client went away in the middle."""

    async def handle(self, request):
        asked = Asked(request.path, request.headers.get("Authorization", ""))
        if request.content_type == "application/json":
            asked.body = await request.json()
        elif request.content_type == "multipart/form-data":
            async for part in await request.multipart():
                data = bytes(await part.read(decode=True))
                asked.form[part.name] = data if part.filename else data.decode()
                if part.filename:
                    asked.form["filename"], asked.form["type"] = part.filename, part.headers["Content-Type"]
        self.asked.append(asked)
        try:
            return await self.answer(asked, request)
        except (asyncio.CancelledError, ConnectionResetError):
            self.left.set()
            raise

    @asynccontextmanager
    async def serve(self):
        app = web.Application()
        app.router.add_post("/v1/{tail:.*}", self.handle)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/v1"
        try:
            yield self
        finally:
            await runner.cleanup()


def stream(*chunks, kind="text/event-stream", lose=False, then=None):
    """Return an answer that comes in these pieces; it may break off, or wait for an event before it ends."""

    async def answer(_, request):
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        if then is not None:
            await then.wait()
        if lose:
            request.transport.abort()
            return response
        await response.write_eof()
        return response

    return answer


def refuse(status, body, *, kind="application/json", **headers):
    """Return a refusal."""

    async def answer(*_):
        return web.Response(status=status, text=body, content_type=kind, headers=headers)

    return answer


def in_turn(*answers):
    """Return what gives one answer after the other."""
    left = list(answers)

    async def answer(asked, request):
        return await left.pop(0)(asked, request)

    return answer


def chunk(finish=None, usage=None, **delta):
    """Return a chunk of an answer, as JSON."""
    body = {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    return json.dumps(body | ({"usage": usage} if usage else {}))


def call(arguments=None, *, name=None, index=0, call_id=None):
    """Return a piece of a call."""
    function = {"arguments": arguments} | ({"name": name} if name else {})
    delta = {"function": function} | ({} if index is None else {"index": index})
    return delta | ({"id": call_id, "type": "function"} if call_id else {})
