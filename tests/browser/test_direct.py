"""A key of the user's own: it goes to the address beside it, and is nowhere else."""

import json

import pytest
import pytest_asyncio

from .fake_endpoint import FakeEndpoint

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

KEY = "sk-very-secret-1234"
STORED = "[JSON.stringify(sessionStorage), JSON.stringify(localStorage)]"


@pytest_asyncio.fixture(loop_scope="session")
async def provider():
    """Return a second endpoint, which wants the key."""
    async with FakeEndpoint() as running:
        running.script.key = KEY
        yield running


async def enter(visitor, provider, *, lasting=False):
    """Enter the key in the dialog."""
    page = visitor.page
    await page.get_by_role("button", name="Use a key of your own").click()
    dialog = page.get_by_role("dialog", name="A key of your own")
    await dialog.get_by_label("Address").fill(provider.url)
    await dialog.get_by_label("Key", exact=True).fill(KEY)
    if lasting:
        await dialog.get_by_label("Keep it in this browser").check()
    await dialog.get_by_role("button", name="Use it").click()
    await page.get_by_role("button", name="Forget the key").wait_for()


async def allowed(visit, endpoint, provider, view="shape"):
    """Open the page of a server that lets it connect to the provider."""
    endpoint.script.direct = (f"ws://localhost:{provider.port}", f"http://localhost:{provider.port}")
    return await visit(endpoint.url + f"#{view}", permissions=["clipboard-read", "clipboard-write"])


async def test_the_key_opens_the_other_server_and_is_nowhere_else(visit, endpoint, provider, tmp_path):
    visitor = await allowed(visit, endpoint, provider)
    page = visitor.page
    asked = []
    page.on("request", lambda request: asked.append(request.url + json.dumps(request.headers)))
    await enter(visitor, provider)
    await visitor.session("session.write('Good morning')")
    await provider.wait_for("response.create")
    assert endpoint.received == []
    await page.get_by_role("log").get_by_text("Good morning").wait_for()
    assert await page.get_by_text(f"with localhost:{provider.port}").is_visible()

    await page.get_by_role("button", name="Copy as a link").click()
    await page.get_by_text("The link is copied.").wait_for()
    assert KEY not in await page.evaluate("navigator.clipboard.readText()")
    tab, browser = await page.evaluate(STORED)
    assert KEY in tab
    assert KEY not in browser
    await page.get_by_role("link", name="Inspect").click()
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Export").click()
    path = tmp_path / "kept.jsonl"
    await (await download.value).save_as(path)
    assert KEY not in path.read_text()
    everything = (
        "(function text(node) { return [node.textContent, ...[...node.querySelectorAll('*')].flatMap("
    )
    everything += (
        "(one) => [one.value ?? '', one.shadowRoot ? text(one.shadowRoot) : ''])].join(' '); })(document)"
    )
    assert KEY not in await page.evaluate(everything)
    assert KEY not in await page.evaluate(
        "JSON.stringify(document.querySelector('voice-page').studio.log.entries)"
    )
    assert not [one for one in asked if KEY in one]


async def test_it_is_kept_for_later_only_if_asked_and_can_be_forgotten(visit, endpoint, provider):
    visitor = await allowed(visit, endpoint, provider)
    await enter(visitor, provider, lasting=True)
    tab, browser = await visitor.page.evaluate(STORED)
    assert KEY not in tab
    assert KEY in browser
    await visitor.page.reload()
    await visitor.page.get_by_role("button", name="Forget the key").click()
    assert KEY not in "".join(await visitor.page.evaluate(STORED))
    await visitor.session("session.write('Good morning')")
    await endpoint.wait_for("response.create")
    assert provider.received == []


async def test_what_cannot_be_used_is_told_and_not_kept(visit, endpoint, provider):
    visitor = await allowed(visit, endpoint, provider)
    page = visitor.page
    await page.get_by_role("button", name="Use a key of your own").click()
    await page.get_by_label("Address").fill("http://voice.example")
    await page.get_by_label("Key", exact=True).fill(KEY)
    await page.get_by_role("button", name="Use it").click()
    await page.get_by_role("alert").get_by_text("expected an https: address").wait_for()
    await page.get_by_role("button", name="Cancel").click()
    assert await page.locator("#key").input_value() == ""
    assert KEY not in "".join(await page.evaluate(STORED))


async def test_where_the_server_does_not_allow_it_the_browser_forbids_it(visit, endpoint, provider):
    visitor = await visit(endpoint.url + "#shape")
    await enter(visitor, provider)
    await visitor.session("session.write('Good morning')")
    await visitor.page.get_by_text("This page may not connect there").wait_for()
    assert provider.received == []
