"""Several processes of one gateway, as far as one process can be several: gateways with nothing in common but Redis."""

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager

from tests.gateway.doubles import gateway
from tests.gateway.limits.places import redis_server
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

    async def open(self, script=SCRIPT, **settings):
        """Add a gateway, with an engine of its own; return it and what closes it."""
        stack = AsyncExitStack()
        settings = {"resume_seconds": 30, "redis_url": self.url, "snapshot_seconds": 0.2, **settings}
        engine = ScriptedEngine(parse_script(script))
        running = await stack.enter_async_context(gateway(engine, **settings))
        running.stop = self._stack.push_async_exit(stack).aclose
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

    async def enter(self, running, path=PATH):
        self.ws = await running.connect(path)
        self.token = (await self.hears("session.created"))["resume"]["token"]

    async def come_back(self, running):
        """Come back with the token, at whichever gateway; return what it is told of that."""
        after = next(event["event_id"] for event in reversed(self.told))
        self.ws = await running.connect(f"{PATH}&resume={self.token}&after={after}")
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

    async def remembers(self, item_id):
        """Ask the endpoint for an item."""
        await self.say({"type": "conversation.item.retrieve", "item_id": item_id})
        return (await self.hears("conversation.item.retrieved"))["item"]
