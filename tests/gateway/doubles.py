"""A scripted endpoint on the gateway's seam, and a gateway around it that listens on loopback."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from vivavoce.errors import ConnectionLost
from vivavoce.gateway.app import create_app
from vivavoce.gateway.server import listen
from vivavoce.gateway.settings import GatewaySettings
from vivavoce.gateway.state import GATEWAY
from vivavoce.gateway.upstreams.local import LocalUpstream
from vivavoce.protocol.session import RealtimeSession


@dataclass
class ScriptedStatus:
    state: str = "stopped"
    stage: str = ""
    models: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass
class ScriptedProgress:
    name: str
    done: int
    total: int


class ScriptedTransport:
    """One session: says `session.created`, then answers each event with the one that `reply` makes of it."""

    def __init__(self, model, reply):
        self.model = model
        self.heard = []
        self._heard = asyncio.Condition()
        self.closed = asyncio.get_running_loop().create_future()
        self._reply = reply
        self._events = asyncio.Queue()
        self.say({"type": "session.created", "session": {"model": model}})

    def say(self, event):
        self._events.put_nowait(json.dumps(event).encode())

    async def hears(self, many):
        """Return the events that came, once there are so many."""
        async with self._heard:
            await self._heard.wait_for(lambda: len(self.heard) >= many)
        return [json.loads(data) for data in self.heard]

    def hang_up(self, code, reason=""):
        self._events.put_nowait(ConnectionLost(code, reason))

    async def send(self, data):
        if self.closed.done():
            raise ConnectionLost(*self.closed.result())
        self.heard.append(data)
        async with self._heard:
            self._heard.notify_all()
        for event in self._reply(data):
            self.say(event)

    async def receive(self):
        event = await self._events.get()
        if isinstance(event, ConnectionLost):
            raise event
        return event

    async def close(self, code=1000, reason=""):
        if not self.closed.done():
            self.closed.set_result((code, reason))


def echo(data):
    """Answer an event with what came."""
    return [{"type": "echo", "event": json.loads(data)}]


class ScriptedUpstream:
    """An endpoint that is ready as soon as `let_ready` is set, and fails to be when `failure` is given."""

    def __init__(self, *, reply=echo, failure=None, ready=True, transport=ScriptedTransport, capacity=None):
        self.status = ScriptedStatus()
        self.capacity = capacity
        self.sessions = []
        self.let_ready = asyncio.Event()
        self.closed = False
        self.progress = None
        self._reply = reply
        self._failure = failure
        self._transport = transport
        if ready:
            self.let_ready.set()

    async def start(self, progress=None):
        self.progress = progress
        self.status = ScriptedStatus("loading", "weights")
        await self.let_ready.wait()
        if self._failure is not None:
            raise self._failure
        self.status = ScriptedStatus("ready", models={"recogniser": "scripted"}, seconds=0.25)
        return self

    def describe(self, params):
        return RealtimeSession(id="sess_scripted")

    async def reach(self):
        return ()

    async def connect(self, model, params, *, call_id=None):
        session = self._transport(model, self._reply)
        session.params, session.call_id = params, call_id
        self.sessions.append(session)
        return session

    async def close(self):
        self.closed = True


class RunningGateway:
    """A gateway that listens, and a client to talk to it with."""

    def __init__(self, app, listening, client, upstream, connections):
        self.client = client
        self.upstream = upstream
        self.connections = connections
        """The server's side of every connection that made a request, as aiohttp's protocol objects."""
        self.port = listening.port
        self.host = f"127.0.0.1:{listening.port}"
        self.sessions = app[GATEWAY].sessions
        self.calls = app[GATEWAY].calls
        self.resumable = app[GATEWAY].resumable
        self.loading = app[GATEWAY].loading
        self.drain = app[GATEWAY].drain
        self.door = app[GATEWAY].door
        self.limiter = app[GATEWAY].limiter
        self.client_secrets = app[GATEWAY].client_secrets
        self.processes = app[GATEWAY].processes

    def url(self, path):
        return f"http://{self.host}{path}"

    def get(self, path, **kwargs):
        return self.client.get(self.url(path), **kwargs)

    def connect(self, path="/v1/realtime?model=gpt-realtime", **kwargs):
        return self.client.ws_connect(self.url(path), **kwargs)

    async def refused(self, path="/v1/realtime?model=gpt-realtime", **headers):
        """Ask for a session that is refused; return the status, the error and the headers of the answer."""
        headers = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        async with self.get(path, headers=headers) as response:
            return response.status, (await response.json())["error"], response.headers


@asynccontextmanager
async def gateway(
    upstream=None, /, *, web_folder=None, progress=None, ready=True, stages=(), keeps=None, **settings
):
    """Run a gateway on a free port of loopback, open to all programs and pages of this machine.

    Waits until its endpoint is ready, unless told not to. ``keeps`` is its history, if it has one.
    """
    upstream = upstream or ScriptedUpstream()
    folder = {} if web_folder is None else {"web_folder": web_folder}
    behind = upstream if hasattr(upstream, "reach") else LocalUpstream(upstream)
    app = create_app(
        GatewaySettings(**{"port": 0, "local_access": "open", **settings}),
        behind,
        progress=progress,
        stages=stages,
        history=keeps,
        **folder,
    )
    connections = []

    @web.middleware
    async def remember(request, handler):
        connections.append(request.protocol)
        return await handler(request)

    app.middlewares.append(remember)
    async with listen(app) as listening, aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
        if ready:
            await app[GATEWAY].loading.finished()
        yield RunningGateway(app, listening, client, upstream, connections)


async def until(ws, kind):
    """Return the events of a session up to the first of a type."""
    events = []
    async with asyncio.timeout(20):
        while not events or events[-1]["type"] != kind:
            events.append(await ws.receive_json())
    return events


@asynccontextmanager
async def serving(handler):
    """Serve on loopback; give the port."""
    app = web.Application()
    app.router.add_get("/", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield site.port
    finally:
        await runner.cleanup()
