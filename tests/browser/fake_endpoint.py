"""A small Realtime endpoint that serves the page and plays its part by script.

It speaks the GA protocol as far as the page needs it, and keeps what the page sent. An answer is a tone in
chunks of 40 ms, sent at the pace and with the jitter that a test asks for. Speech is what is loud.
"""

import asyncio
import base64
import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from aiohttp import WSMsgType, web

from vivavoce import web as assets
from vivavoce.gateway.routes.page import page_headers

RATE = 24_000
CHUNK = 960
LOUD = 0.02
HANGOVER = 10
PATIENCE = 20
Event = dict[str, Any]
IDS = itertools.count(1)


def tone(seconds: float, frequency: float = 440.0, level: float = 0.5) -> np.ndarray:
    """Return a sine as int16 at 24 kHz."""
    at = np.arange(int(seconds * RATE)) / RATE
    return (np.sin(2 * np.pi * frequency * at) * level * 32767).astype("<i2")


@dataclass
class Script:
    """What the endpoint says, and how."""

    answer: np.ndarray = field(default_factory=lambda: tone(1.0))
    words: str = "It is a fine day today."
    heard: str = "How is the day?"
    pace: float = 0.0
    """Seconds from one chunk to the next; 0 sends all at once."""
    lateness: Callable[[int], float] = lambda _index: 0.0
    """Seconds by which the n-th chunk comes late."""
    refuse: int = 0
    """An HTTP status with which upgrades are refused; 0 serves them."""
    health: Event = field(default_factory=lambda: {"status": "ready"})
    transcription_delay: float = 0.05
    direct: tuple[str, ...] = ()
    """Origins that the page may connect to beside its own."""
    key: str = ""
    """A key that the client has to have; empty for none."""
    usage: Event | None = None
    """What each answer takes in tokens."""


class FakeEndpoint:
    """Serves ``/``, ``/web/…`` and ``/v1/realtime`` on a free port of the loopback."""

    def __init__(self, script: Script | None = None) -> None:
        self.script = script or Script()
        self.received: list[Event] = []
        self.changed = asyncio.Condition()
        self.sockets: set[web.WebSocketResponse] = set()
        app = web.Application()
        app.router.add_get("/", self._index)
        app.router.add_get("/web/{path:.+}", self._asset)
        app.router.add_get("/v1/realtime", self._realtime)
        app.router.add_get("/health", self._health)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        self.port = 0

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.drop()
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/"

    async def listen(self) -> None:
        """Begin to accept connections, on the same port as before."""
        self._site = web.TCPSite(self._runner, "localhost", self.port)
        await self._site.start()
        self.port = self._runner.addresses[0][1]

    async def vanish(self) -> None:
        """Go away as a crashed server does."""
        await self._site.stop()
        await self.drop()

    async def drop(self) -> None:
        """Cut every WebSocket without a close frame."""
        for socket in list(self.sockets):
            if socket._req and socket._req.transport:
                socket._req.transport.abort()

    def sent(self, kind: str) -> list[Event]:
        """Return the client events of this type so far."""
        return [event for event in self.received if event["type"] == kind]

    async def wait_for(self, kind: str, count: int = 1) -> list[Event]:
        """Wait until the page has sent so many events of this type."""
        try:
            async with asyncio.timeout(PATIENCE), self.changed:
                await self.changed.wait_for(lambda: len(self.sent(kind)) >= count)
        except TimeoutError:
            kinds = [event["type"] for event in self.received if event["type"] != "input_audio_buffer.append"]
            raise AssertionError(f"expected {kind} to come {count} times, got {kinds}") from None
        return self.sent(kind)

    def microphone(self) -> np.ndarray:
        """Return all audio that the page sent, as floats."""
        chunks = [base64.b64decode(event["audio"]) for event in self.sent("input_audio_buffer.append")]
        return np.frombuffer(b"".join(chunks), "<i2") / 32768

    async def _index(self, _request: web.Request) -> web.StreamResponse:
        return web.FileResponse(assets.INDEX, headers=page_headers(self.script.direct))

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        if path not in assets.asset_paths():
            raise web.HTTPNotFound
        return web.FileResponse(assets.FOLDER / path, headers=page_headers(self.script.direct))

    async def _health(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(self.script.health)

    async def _realtime(self, request: web.Request) -> web.StreamResponse:
        if self.script.refuse:
            body = {"error": {"message": "All 100 sessions are taken; try again later."}}
            return web.json_response(body, status=self.script.refuse)
        offered = request.headers.get("Sec-WebSocket-Protocol", "").split(", ")
        if self.script.key and f"openai-insecure-api-key.{self.script.key}" not in offered:
            raise web.HTTPUnauthorized
        socket = web.WebSocketResponse(protocols=["realtime"])
        await socket.prepare(request)
        self.sockets.add(socket)
        session = FakeSession(self.script, socket)
        try:
            await session.begin()
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    event = message.json()
                    async with self.changed:
                        self.received.append(event)
                        self.changed.notify_all()
                    await session.handle(event)
        finally:
            self.sockets.discard(socket)
            await session.end()
        return socket


class FakeSession:
    """One connection: the server's side of the conversation."""

    def __init__(self, script: Script, socket: web.WebSocketResponse) -> None:
        self.script = script
        self.socket = socket
        self.session: Event = {"type": "realtime", "object": "realtime.session", "id": "sess_1", "audio": {}}
        self.vad = False
        self.buffered = 0
        self.total_ms = 0.0
        self.user: str | None = None
        self.quiet = 0
        self.count = 0
        self.last_item: str | None = None
        self.response: asyncio.Task[None] | None = None
        self.tasks: set[asyncio.Task[None]] = set()

    async def begin(self) -> None:
        await self.send("session.created", session=self.session)

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def send(self, kind: str, **fields: Any) -> None:
        self.count += 1
        with suppress(ConnectionError):
            await self.socket.send_json({"type": kind, "event_id": f"event_{self.count}", **fields})

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_{next(IDS)}"

    async def handle(self, event: Event) -> None:
        handler = getattr(self, "on_" + event["type"].replace(".", "_"), None)
        if handler:
            await handler(event)

    async def on_session_update(self, event: Event) -> None:
        audio_input = event["session"].get("audio", {}).get("input", {})
        if "turn_detection" in audio_input:
            self.vad = audio_input["turn_detection"] is not None
        await self.send("session.updated", session=self.session | event["session"])

    async def on_input_audio_buffer_append(self, event: Event) -> None:
        samples = np.frombuffer(base64.b64decode(event["audio"]), "<i2") / 32768
        self.buffered += len(samples)
        self.total_ms += len(samples) / 24
        if not self.vad:
            return
        if np.sqrt(np.mean(samples**2)) > LOUD:
            self.quiet = 0
            if self.user is None:
                await self.speech_started()
        elif self.user is not None:
            self.quiet += 1
            if self.quiet == HANGOVER:
                await self.send(
                    "input_audio_buffer.speech_stopped", audio_end_ms=int(self.total_ms), item_id=self.user
                )
                await self.commit(self.user)
                self.user = None
                self.respond()

    async def speech_started(self) -> None:
        self.user = self.new_id("item")
        await self.send(
            "input_audio_buffer.speech_started", audio_start_ms=int(self.total_ms), item_id=self.user
        )
        await self.cancel("turn_detected")

    async def on_input_audio_buffer_clear(self, _event: Event) -> None:
        self.buffered = 0
        await self.send("input_audio_buffer.cleared")

    async def on_input_audio_buffer_commit(self, event: Event) -> None:
        if self.buffered < RATE // 10:
            await self.fail("input_audio_buffer_commit_empty", "Error committing: buffer too small.", event)
            return
        await self.commit(self.new_id("item"))

    async def commit(self, item_id: str) -> None:
        self.buffered = 0
        await self.send("input_audio_buffer.committed", previous_item_id=self.last_item, item_id=item_id)
        content = [{"type": "input_audio", "transcript": None}]
        await self.add(
            {"id": item_id, "type": "message", "role": "user", "status": "completed", "content": content}
        )
        self.start(self.transcribe(item_id))

    async def add(self, item: Event) -> None:
        await self.send("conversation.item.added", previous_item_id=self.last_item, item=item)
        if item["status"] == "completed":
            await self.send("conversation.item.done", previous_item_id=self.last_item, item=item)
        self.last_item = item["id"]

    async def transcribe(self, item_id: str) -> None:
        await asyncio.sleep(self.script.transcription_delay)
        kind = "conversation.item.input_audio_transcription"
        await self.send(f"{kind}.delta", item_id=item_id, content_index=0, delta=self.script.heard[:5])
        usage = {"type": "duration", "seconds": 1}
        fields = {"item_id": item_id, "content_index": 0, "transcript": self.script.heard, "usage": usage}
        await self.send(f"{kind}.completed", **fields)

    async def on_conversation_item_create(self, event: Event) -> None:
        await self.add({"id": self.new_id("item"), "status": "completed", **event["item"]})

    async def on_conversation_item_truncate(self, event: Event) -> None:
        fields = {key: event[key] for key in ("item_id", "content_index", "audio_end_ms")}
        await self.send("conversation.item.truncated", **fields)

    async def on_response_create(self, event: Event) -> None:
        if self.response:
            await self.fail("conversation_already_has_active_response", "Already active.", event)
        else:
            self.respond()

    async def on_response_cancel(self, event: Event) -> None:
        if not self.response:
            message = "Cancellation failed: no active response found"
            await self.fail("response_cancel_not_active", message, event)
        await self.cancel("client_cancelled")

    async def fail(self, code: str, message: str, event: Event) -> None:
        error = {"type": "invalid_request_error", "code": code, "message": message, "param": None}
        await self.send("error", error={**error, "event_id": event.get("event_id")})

    def start(self, work: Any) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def respond(self) -> None:
        self.ids = {"response_id": self.new_id("resp"), "item_id": self.new_id("item")}
        self.response = self.start(self.answer())

    async def cancel(self, reason: str) -> None:
        if self.response:
            self.response.cancel()
            self.response = None
            await self.finish("cancelled", {"type": "cancelled", "reason": reason})

    async def answer(self) -> None:
        where = {**self.ids, "output_index": 0, "content_index": 0}
        item = {
            "id": where["item_id"],
            "type": "message",
            "role": "assistant",
            "status": "in_progress",
            "content": [],
        }
        await self.send(
            "response.created", response={"id": where["response_id"], "status": "in_progress", "output": []}
        )
        await self.send(
            "response.output_item.added", response_id=where["response_id"], output_index=0, item=item
        )
        await self.add(item)
        await self.send("response.content_part.added", **where, part={"type": "audio", "transcript": ""})
        for word in self.script.words.split(" "):
            await self.send("response.output_audio_transcript.delta", **where, delta=word + " ")
        await self.stream(where)
        self.response = None
        await self.finish("completed", None)

    async def stream(self, where: Event) -> None:
        clock = asyncio.get_running_loop()
        began = clock.time()
        for index, start in enumerate(range(0, len(self.script.answer), CHUNK)):
            due = began + index * self.script.pace + self.script.lateness(index)
            if due > clock.time():
                await asyncio.sleep(due - clock.time())
            chunk = base64.b64encode(self.script.answer[start : start + CHUNK].tobytes()).decode()
            await self.send("response.output_audio.delta", **where, delta=chunk)

    async def finish(self, status: str, details: Event | None) -> None:
        where = {**self.ids, "output_index": 0, "content_index": 0}
        part = {"type": "audio", "transcript": self.script.words}
        content = [{"type": "output_audio", "transcript": self.script.words}]
        done = "completed" if status == "completed" else "incomplete"
        item = {
            "id": self.ids["item_id"],
            "type": "message",
            "role": "assistant",
            "status": done,
            "content": content,
        }
        await self.send("response.output_audio.done", **where)
        await self.send("response.output_audio_transcript.done", **where, transcript=self.script.words)
        await self.send("response.content_part.done", **where, part=part)
        await self.send("conversation.item.done", previous_item_id=None, item=item)
        await self.send(
            "response.output_item.done", response_id=self.ids["response_id"], output_index=0, item=item
        )
        response = {
            "id": self.ids["response_id"],
            "status": status,
            "status_details": details,
            "output": [item],
            "usage": self.script.usage,
        }
        await self.send("response.done", response=response)
