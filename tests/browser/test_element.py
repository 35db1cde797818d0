"""``<realtime-voice>`` on a page of another origin: talk, write, greet, reconnect, over both transports."""

from contextlib import asynccontextmanager

import pytest

from tests.gateway.doubles import gateway

from .site import Site
from .test_gateway import engine, phrase
from .test_page import RAW_MICROPHONE

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

TRANSPORTS = ["websocket", "webrtc"]
LISTEN = """
window.told = [];
for (const type of ['voice-state', 'voice-transcript', 'voice-problem', 'voice-event', 'voice-quality']) {
  addEventListener(type, ({detail}) => window.told.push([type, structuredClone(detail)]));
}
"""
PATIENCE = 20_000


@asynccontextmanager
async def shop(upstream, attributes="", **site_fields):
    """Run a gateway with this endpoint, and a site of another origin that is let in."""
    async with (
        Site(attributes=attributes, **site_fields) as site,
        gateway(upstream, allowed_origins=[site.origin]) as running,
    ):
        site.server = f"http://localhost:{running.port}"
        site.gateway = running
        yield site


async def opened(visit, site, microphone=None, **context):
    """Open the site's page, and return who is in front of it."""
    before = LISTEN + RAW_MICROPHONE
    visitor = await visit(site.origin, microphone=microphone, before=before, **context)
    visitor.page.set_default_timeout(PATIENCE)
    await visitor.page.wait_for_function("() => Boolean(customElements.get('realtime-voice'))")
    return visitor


async def state(visitor, word):
    await visitor.page.get_by_role("status").get_by_text(word, exact=True).wait_for()


async def told(visitor, kind):
    return [detail for name, detail in await visitor.page.evaluate("window.told") if name == kind]


async def wait_told(visitor, condition):
    """Wait until something was told of which a condition in JavaScript holds; `type` and `detail` are its names."""
    await visitor.page.wait_for_function(f"() => window.told.some(([type, detail]) => {condition})")


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_spoken_turn(visit, transport):
    attributes = f'token-url="/voice-key" transport="{transport}"'
    async with shop(engine("I am ", "well."), attributes) as site:
        visitor = await opened(visit, site, phrase(1.0, 0.8, 30))
        await visitor.page.get_by_role("button", name="Start").click()
        await state(visitor, "Speaking")
        await state(visitor, "Listening")
        log = visitor.page.get_by_role("log")
        await log.get_by_text("How are you?").wait_for()
        await log.get_by_text("I am well.").wait_for()
        said = [(one["role"], one["text"].strip()) for one in await told(visitor, "voice-transcript")]
        assert sorted(said) == [("assistant", "I am well."), ("user", "How are you?")]
        states = [one["state"] for one in await told(visitor, "voice-state")]
        assert states[0] == "connecting"
        assert {"listening", "thinking", "speaking"} <= set(states)
        assert len(site.keys) == 1
        await visitor.page.get_by_role("button", name="End", exact=True).click()
        await state(visitor, "Not connected")
        assert visitor.complaints == []
