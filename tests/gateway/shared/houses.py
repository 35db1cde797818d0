"""Several processes of one gateway, as far as one process can be several: gateways with nothing in common but Redis."""

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from inspect import isawaitable

from redis.asyncio import Redis

from tests.gateway.doubles import gateway
from tests.gateway.limits.places import redis_server
from vivavoce.gateway.digests import digest
from vivavoce.testing import ScriptedEngine, parse_script

PATH = "/v1/realtime?model=gpt-realtime"

SCRIPT = """
turns:
  - say: "Good morning."
  - say: "Good evening."
  - say: "Good night."
"""


class House:
    """Redis and the gateways around it."""

    def __init__(self, stack, url, redis, folder):
        self.url = url
        self.redis = redis
        self.folder = folder
        self._stack = stack

    async def asked(self, *words):
        """Ask Redis something."""
        redis = Redis.from_url(self.url)
        try:
            return await redis.execute_command(*words)
        finally:
            await redis.aclose()

    async def open(self, script=SCRIPT, **settings):
        """Add a gateway, with an engine of its own."""
        settings = {"resume_seconds": 30, "redis_url": self.url, "snapshot_seconds": 0.2, **settings}
        engine = ScriptedEngine(parse_script(script))
        running = await self._stack.enter_async_context(gateway(engine, **settings))
        async with asyncio.timeout(30):
            await running.processes.mail.listening.wait()
        return running


@asynccontextmanager
async def house(folder):
    """Run Redis; yield what gateways can be opened in."""
    async with redis_server(folder) as (url, redis), AsyncExitStack() as stack:
        yield House(stack, url, redis, folder)


class Guest:
    """A client that knows how to come back."""

    def __init__(self):
        self.ws = None
        self.token = None
        self.told = []
        """All events that it was told, the oldest first."""
        self.sent = 0

    @property
    def digest(self):
        return digest(self.token)

    async def enter(self, running, path=PATH, **kwargs):
        self.ws = await running.connect(path, **kwargs)
        self.token = (await self.hears("session.created"))["resume"]["token"]

    async def come_back(self, running, **kwargs):
        """Come back with the token, at whichever gateway; return what it is told of that."""
        after = self.told[-1]["event_id"]
        self.ws = await running.connect(f"{PATH}&resume={self.token}&after={after}", **kwargs)
        resumed = await self.hears("vivavoce.resumed")
        self.token = resumed["resume"]["token"]
        return resumed

    async def say(self, event):
        self.sent += 1
        await self.ws.send_str(json.dumps(event))

    async def write(self, text, item_id):
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "id": item_id, "content": content}
        await self.say({"type": "conversation.item.create", "item": item})
        await self.hears("conversation.item.done")

    async def is_answered(self):
        """Ask for a response, and return what it says."""
        await self.say({"type": "response.create", "response": {"output_modalities": ["text"]}})
        done = await self.hears("response.done")
        return done["response"]["output"][0]["content"][0]["text"]

    async def hears(self, kind):
        """Return the next event of this type."""
        async with asyncio.timeout(30):
            while True:
                message = await self.ws.receive()
                event = json.loads(message.data)
                self.told.append(event)
                if event["type"] == kind:
                    return event

    def breaks(self):
        """Lose the line."""
        self.ws._response.connection.transport.abort()

    async def remembers(self, item_id):
        """Ask the endpoint for an item."""
        await self.say({"type": "conversation.item.retrieve", "item_id": item_id})
        return (await self.hears("conversation.item.retrieved"))["item"]


async def until(true):
    """Wait for what nobody tells."""
    async with asyncio.timeout(30):
        while not (await found if isawaitable(found := true()) else found):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
