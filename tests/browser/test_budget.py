"""What a first visit costs on the wire, and whom it asks: the server that the page came from, and nobody else."""

from urllib.parse import urlsplit

import pytest

from tests.gateway.doubles import gateway

from .test_element import opened, shop, state
from .test_gateway import engine, phrase

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

MOST_BYTES = 300_000
"""Transferred by the first load, headers and all, as Chromium counts them."""


class Wire:
    """Counts what a tab loads."""

    def __init__(self, client):
        self.bytes = 0
        self.addresses = []
        client.on("Network.loadingFinished", self._loaded)
        client.on("Network.requestWillBeSent", lambda sent: self.addresses.append(sent["request"]["url"]))
        client.on("Network.webSocketCreated", lambda sent: self.addresses.append(sent["url"]))

    def _loaded(self, finished):
        self.bytes += finished["encodedDataLength"]

    @property
    def hosts(self):
        """Who was asked; `data:` and `blob:` ask nobody."""
        found = (urlsplit(address) for address in self.addresses)
        return {one.netloc for one in found if one.scheme not in {"data", "blob"}}


async def weighed(visitor):
    """Load the page of this visitor anew, with nothing kept; return what it takes."""
    client = await visitor.page.context.new_cdp_session(visitor.page)
    await client.send("Network.enable")
    await client.send("Network.setCacheDisabled", {"cacheDisabled": True})
    wire = Wire(client)
    await visitor.page.reload(wait_until="networkidle")
    await client.send("Network.setCacheDisabled", {"cacheDisabled": False})
    return wire


@pytest.mark.parametrize("view", ["talk", "shape"])
async def test_the_console(visit, view):
    async with gateway(engine("Good.")) as running:
        visitor = await visit(running.url(f"/#{view}"))
        visitor.page.set_default_timeout(60_000)
        wire = await weighed(visitor)
        assert 50_000 < wire.bytes < MOST_BYTES
        await visitor.page.get_by_label("Message").fill("How are you?")
        await visitor.page.keyboard.press("Enter")
        await visitor.page.get_by_role("log").get_by_text("Good.").wait_for()
        assert wire.hosts == {urlsplit(visitor.page.url).netloc}
        before = wire.bytes
        await visitor.page.reload(wait_until="networkidle")
        assert wire.bytes - before < MOST_BYTES / 3, "a second visit asks only whether anything is new"
        assert visitor.complaints == []


async def test_the_element_on_a_page_that_lets_in_nothing_else(visit):
    async with shop(engine("I am well."), 'token-url="/voice-key"') as site:
        server = urlsplit(site.server).netloc
        connect = f"connect-src 'self' {site.server} ws://{server}"
        site.policy = f"default-src 'none'; script-src {site.server}; {connect}; img-src data:"
        visitor = await opened(visit, site, phrase(1.0, 0.8, 30))
        visitor.page.set_default_timeout(60_000)
        wire = await weighed(visitor)
        assert 20_000 < wire.bytes < MOST_BYTES
        await visitor.page.get_by_role("button", name="Start").click()
        await visitor.page.get_by_role("log").get_by_text("I am well.").wait_for()
        await state(visitor, "Listening")
        assert wire.hosts == {server, urlsplit(site.origin).netloc}
        assert visitor.complaints == []
