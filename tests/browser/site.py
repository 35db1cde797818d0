"""A web site of somebody else, whose pages have the element and whose server makes ephemeral keys."""

from dataclasses import dataclass, field
from typing import Self

import aiohttp
from aiohttp import web

PAGE = """<!doctype html>
<html lang="en" dir="{direction}">
<meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>A shop</title>
<link rel="icon" href="data:,">
<script type="module" src="{server}/web/realtime-voice.js"></script>
<h1>A shop</h1>
<realtime-voice {attributes}></realtime-voice>
"""


@dataclass
class Site:
    """Serves one page at ``/``, and keys at ``/voice-key``, on a free port of the loopback."""

    server: str = ""
    """The gateway's address."""
    attributes: str = ""
    direction: str = "ltr"
    policy: str = ""
    """The page's Content-Security-Policy."""
    keys: list[str] = field(default_factory=list)
    """The keys that were given to pages."""
    port: int = 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/", self._page)
        app.router.add_post("/voice-key", self._key)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    async def _page(self, _request: web.Request) -> web.StreamResponse:
        text = PAGE.format(server=self.server, attributes=self.attributes, direction=self.direction)
        policy = {"Content-Security-Policy": self.policy} if self.policy else {}
        return web.Response(text=text, content_type="text/html", headers=policy)

    async def _key(self, _request: web.Request) -> web.StreamResponse:
        url = f"{self.server}/v1/realtime/client_secrets?single_use=true"
        async with aiohttp.ClientSession() as http, http.post(url, json={}) as reply:
            body = await reply.json()
        self.keys.append(body["value"])
        return web.json_response(body)
