"""A transport whose other end is the test."""

import asyncio
import json

from vivavoce.errors import ConnectionLost


class ScriptedTransport:
    """Gives out the server events that it was given, and keeps the client events that it was sent."""

    def __init__(self, *events):
        self.sent = []
        self._news = asyncio.Condition()
        self.closed = None
        self._outbox = asyncio.Queue()
        for event in events:
            self.say(event)

    def say(self, event):
        """Send a server event, given as a dict."""
        self._outbox.put_nowait(json.dumps({"event_id": "event_1", **event}))

    def say_raw(self, data):
        """Send whatever this is."""
        self._outbox.put_nowait(data)

    def lose(self, code=1006, reason=""):
        """End the session."""
        self._outbox.put_nowait(ConnectionLost(code, reason))

    async def send(self, data):
        if self.closed:
            raise ConnectionLost(*self.closed)
        async with self._news:
            self.sent.append(json.loads(data))
            self._news.notify_all()

    async def until_sent(self, count):
        """Wait until so many events have been sent."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.sent) >= count)

    async def receive(self):
        data = await self._outbox.get()
        if isinstance(data, ConnectionLost):
            raise data
        return data

    async def close(self, code=1000, reason=""):
        if self.closed is None:
            self.closed = (code, reason)
            self.lose(code, reason)

    def sent_types(self):
        return [event["type"] for event in self.sent]
