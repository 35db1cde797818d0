"""A Realtime server for the command line's tests: it hears 200 ms of sound and of silence, and answers."""

import asyncio
import base64
import json
from contextlib import asynccontextmanager

import numpy as np
from aiohttp import web
from aiohttp.test_utils import TestServer

ANSWER = (0.3 * np.sin(np.arange(4800) / 10) * 32767).astype("<i2").tobytes()


class FakeEndpoint:
    """Serves ``/v1/realtime``; ``requests`` and ``received`` tell what came."""

    def __init__(self):
        self.requests = []
        self.received = []
        self.deaf = False
        self.configured = asyncio.Event()
        self.leaves = False
        """Whether it ends the session after its first answer."""
        self.refusal = None

    @asynccontextmanager
    async def serving(self):
        app = web.Application()
        app.router.add_get("/v1/realtime", self._session)
        async with TestServer(app) as server:
            yield str(server.make_url("/v1"))

    async def _session(self, request):
        self.requests.append(request)
        if self.refusal:
            return web.json_response({"error": {"message": self.refusal}}, status=401)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await _Session(self, socket).run()
        return socket


class _Session:
    def __init__(self, endpoint, socket):
        self.endpoint = endpoint
        self.socket = socket
        self.loud = self.quiet = 0

    async def run(self):
        await self.say("session.created", session={"type": "realtime", "id": "s"})
        async for message in self.socket:
            event = json.loads(message.data)
            self.endpoint.received.append(event)
            match event["type"]:
                case "session.update":
                    await self.say("session.updated", session={"type": "realtime", "id": "s"})
                    self.endpoint.configured.set()
                case "input_audio_buffer.append" if not self.endpoint.deaf:
                    await self.hear(np.frombuffer(base64.b64decode(event["audio"]), "<i2"))
                case "response.create":
                    await self.answer()

    async def say(self, kind, **fields):
        await self.socket.send_json({"type": kind, "event_id": "event_1", **fields})

    async def hear(self, pcm):
        loud = np.abs(pcm).mean() > 300
        self.loud += loud
        self.quiet = 0 if loud else self.quiet + bool(self.loud)
        if loud and self.loud == 1:
            await self.say("input_audio_buffer.speech_started", item_id="u", audio_start_ms=0)
        elif self.quiet == 5:
            self.loud = self.quiet = 0
            await self.say("input_audio_buffer.speech_stopped", item_id="u", audio_end_ms=0)
            content = [{"type": "input_audio", "transcript": None}]
            item = {"id": "u", "type": "message", "role": "user", "content": content}
            await self.say("conversation.item.added", item=item)
            kind = "conversation.item.input_audio_transcription.completed"
            usage = {"type": "duration", "seconds": 1}
            await self.say(kind, item_id="u", content_index=0, transcript="How are [you]?", usage=usage)
            await self.answer()

    async def answer(self):
        item = {"id": "a", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        where = {"item_id": "a", "response_id": "r", "output_index": 0, "content_index": 0}
        await self.say("response.created", response={"id": "r"})
        await self.say("response.output_item.added", response_id="r", output_index=0, item=item)
        await self.say("conversation.item.added", item=item)
        await self.say("response.output_audio_transcript.delta", **where, delta="I am [fine].")
        await self.say("response.output_audio.delta", **where, delta=base64.b64encode(ANSWER).decode())
        await self.say("conversation.item.done", item={**item, "status": "completed"})
        await self.say("response.done", response={"id": "r", "status": "completed"})
        if self.endpoint.leaves:
            await self.socket.close()
