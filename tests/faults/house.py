"""A provider, a gateway in front of it, and a client, with a line that fails between each two of them."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.faults.proxy import Proxy, proxying
from tests.gateway.doubles import RunningGateway, gateway
from tests.gateway.upstreams.doubles import KEY, Provider, providing
from vivavoce.client.retrying import Reconnect
from vivavoce.gateway.upstreams.enduring import EnduringUpstream
from vivavoce.gateway.upstreams.remote import RemoteUpstream

PATIENCE = 50
"""Seconds after which something does not happen any more; nothing here takes as long by itself."""

SOON = Reconnect(first_wait=0.01, longest_wait=0.05, attempts=200)
"""Connects again at once."""

SCRIPT = """
after: last
turns:
  - say: "Good morning."
"""

STORY = """
after: last
pace_ms: 25
turns:
  - say: "Once upon a time there was a voice that went on and on and did not come to an end for quite a while, \\
      since there were so many words to be said about it that nobody has ever counted them all."
"""


@dataclass
class House:
    """All of it."""

    provider: Provider
    far: Proxy
    """The line between the gateway and the provider."""
    gateway: RunningGateway
    near: Proxy
    """The line between clients and the gateway."""

    def connect(self, **kwargs):
        """Open a session over the near line."""
        return self.gateway.client.ws_connect(f"{self.near.url}?model=gpt-realtime", **kwargs)

    async def heard_by(self, count):
        """Wait until the provider has had so many sessions."""
        await until(lambda: len(self.provider.sockets) >= count)

    async def empty(self):
        """Wait until nobody holds anything any more: no session here, and none with the provider."""
        await until(lambda: not len(self.gateway.sessions))
        await until(lambda: all(socket.closed for socket in self.provider.sockets))


@asynccontextmanager
async def house(script=SCRIPT, *, policy=SOON, handshake=PATIENCE, seed=1, stages=(), **settings):
    """Build it.

    Without a ``policy``, sessions end with those of the provider. ``handshake`` is how long that may take to open one.
    """
    async with providing(script) as provider, proxying(_port(provider.url), seed) as far:
        upstream = RemoteUpstream(far.url, key=KEY, timeout=handshake)
        if policy is not None:
            upstream = EnduringUpstream(upstream, policy)
        settings = {"upstream": far.url, "max_sessions": 1000, **settings}
        async with (
            gateway(upstream, stages=stages, **settings) as running,
            proxying(running.port, seed) as near,
        ):
            yield House(provider, far, running, near)


def _port(url):
    return int(url.split(":")[2].partition("/")[0])


async def until(true):
    """Wait for what nobody tells."""
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def heard(ws, kind):
    """Return what a client is told, up to the first event of this type."""
    events = []
    async with asyncio.timeout(PATIENCE):
        while not events or events[-1]["type"] != kind:
            events.append(await ws.receive_json())
    return events


def kinds(events):
    """Return the types of events."""
    return [event["type"] for event in events]


TEXT = {"type": "realtime", "output_modalities": ["text"], "audio": {"input": {"turn_detection": None}}}


async def begin(ws, **session):
    """Begin a session in writing."""
    await heard(ws, "session.created")
    await ws.send_json({"type": "session.update", "session": {**TEXT, **session}})
    return (await heard(ws, "session.updated"))[-1]["session"]


async def say(ws, text, item_id):
    """Say something, and wait until it is an item."""
    item = {
        "id": item_id,
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": text}],
    }
    await ws.send_json({"type": "conversation.item.create", "item": item})
    await heard(ws, "conversation.item.done")


async def ask(ws):
    """Ask for an answer; return its status, and its words."""
    await ws.send_json({"type": "response.create"})
    return told(await heard(ws, "response.done"))


def told(events):
    """Return how the last response ended, and the words that were told of it."""
    words = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    return events[-1]["response"]["status"], words


async def words_of(ws, item_id):
    """Return what the endpoint knows an item to be."""
    await ws.send_json({"type": "conversation.item.retrieve", "item_id": item_id})
    item = (await heard(ws, "conversation.item.retrieved"))[-1]["item"]
    return item["content"][0]["text"]
