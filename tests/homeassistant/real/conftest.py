"""A real Home Assistant with the integration as it is built, a scripted endpoint, and somebody in front of a browser.

All tests share one Home Assistant, in the house that ``make try-homeassistant`` shows, and each
adds the endpoint that it needs.
"""

import os
import shutil
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest
from demo import CONFIGURATION
from home_assistant import HomeAssistant, free_port
from playwright.async_api import async_playwright

from vivavoce.audio.resample import resample
from vivavoce.audio.wav import read_wav, write_wav
from vivavoce.gateway.app import create_app
from vivavoce.gateway.server import listen
from vivavoce.gateway.settings import GatewaySettings
from vivavoce.gateway.state import GATEWAY
from vivavoce.gateway.upstreams.local import LocalUpstream
from vivavoce.testing import Script, ScriptedEngine, serve_scripted

ROOT = Path(__file__).parents[3]
DOMAIN = "openai_realtime"
CARD = {"type": "custom:openai-realtime-card", "title": "Talk with your home"}
QUESTION = "Turn on the kitchen light."
"""What `asking` says."""
USER, PASSWORD = "tess", "secret-pw-1"
CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]


@pytest.fixture(scope="session")
def python():
    """Return the Python that has Home Assistant 2026.11."""
    environment = ["bash", ROOT / "tests/homeassistant/environment", "2026.11"]
    found = subprocess.run(environment, stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode:
        pytest.skip("needs Home Assistant 2026.11")
    return found.stdout.strip()


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Return the folder that is copied to install the integration, built as it is now unless it was built before."""
    target = os.environ.get("HOMEASSISTANT_BUILD") or tmp_path_factory.mktemp("built")
    if "HOMEASSISTANT_BUILD" not in os.environ:
        build = [sys.executable, ROOT / "custom_components/build.py", target]
        subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    return Path(target) / "custom_components" / DOMAIN


@pytest.fixture(scope="session")
async def hass(python, built, tmp_path_factory):
    """Run a Home Assistant in which the integration is installed, and nothing set up."""
    home = HomeAssistant(python, tmp_path_factory.mktemp("home"), free_port())
    shutil.copytree(built, home.folder / "custom_components" / DOMAIN)
    home.configure(CONFIGURATION)
    try:
        await home.start()
        await home.onboard(USER, PASSWORD)
        yield home
    finally:
        await home.stop()


@pytest.fixture
async def endpoint():
    """Serve a script, and return its address: ``await endpoint(turns…)``."""
    async with AsyncExitStack() as stack:

        async def serve(*turns, complete=True, **script):
            engine = ScriptedEngine(Script(turns=list(turns), **script), complete=complete)
            return await stack.enter_async_context(serve_scripted(engine))

        yield serve


@pytest.fixture
async def gateway():
    """Serve a script behind a gateway, which takes calls; return it and its address: ``await gateway(turns…)``."""
    async with AsyncExitStack() as stack:

        async def serve(*turns, complete=True, **script):
            engine = ScriptedEngine(Script(turns=list(turns), **script), complete=complete)
            await stack.enter_async_context(engine)
            app = create_app(GatewaySettings(port=0, local_access="open"), LocalUpstream(engine))
            listening = await stack.enter_async_context(listen(app))
            await app[GATEWAY].loading.finished()
            return app[GATEWAY], f"{listening.url}/v1"

        yield serve


@pytest.fixture
async def added(hass):
    """Add an endpoint at an address, and return its entry: ``await added(url)``. It is removed after the test.

    A test that removes an entry itself says so: ``added.forget(entry)``.
    """
    entries = []

    async def add(url):
        done = await hass.flow(DOMAIN, {"next_step_id": "gateway"}, {"url": url})
        assert done["type"] == "create_entry", done
        entries.append(done["result"])
        return done["result"]

    add.forget = entries.remove
    yield add
    for entry in entries:
        await hass.delete(f"/api/config/config_entries/entry/{entry['entry_id']}")


@pytest.fixture(scope="session")
async def playwright():
    """Drive browsers, where there is one."""
    if CHROMIUM is None:
        pytest.skip("needs chromium")
    async with async_playwright() as running:
        yield running


@pytest.fixture(scope="session")
async def remembered(hass, playwright):
    """Log in as people do; return what a browser remembers of it."""
    browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    page = await browser.new_page()
    page.set_default_timeout(60_000)
    await page.goto(hass.url)
    await page.locator("input[name=username]").fill(USER)
    await page.locator("input[name=password]").fill(PASSWORD)
    if await (keep := page.get_by_label("Keep me logged in")).count():
        await keep.check()
    await page.keyboard.press("Enter")
    await page.locator("home-assistant-main").wait_for(state="attached")
    state = await page.context.storage_state()
    await browser.close()
    return state


@pytest.fixture
async def visit(hass, playwright, remembered, tmp_path):
    """Open a path of Home Assistant in a browser, logged in, and return the page: ``await visit(path)``.

    Its microphone hears a WAV, ``microphone=path``, over and over.
    """
    async with AsyncExitStack() as stack:

        async def open_page(path, *, microphone=None, **context):
            arguments = [*ARGUMENTS]
            if microphone is not None:
                arguments.append(f"--use-file-for-fake-audio-capture={microphone}")
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
            stack.push_async_callback(browser.close)
            opened = await browser.new_context(storage_state=remembered, **context)
            page = await opened.new_page()
            page.set_default_timeout(60_000)
            await page.goto(f"{hass.url}{path}")
            return page

        yield open_page


@pytest.fixture
async def dashboard(hass):
    """Make a dashboard of such cards, and return its path: ``await dashboard(card, …)``. It goes with the test."""
    made = []

    async def make(*cards):
        path = f"test-{len(made)}"
        created = await hass.command(
            "lovelace/dashboards/create",
            url_path=path,
            title="Test",
            show_in_sidebar=False,
            require_admin=False,
            mode="storage",
        )
        made.append(created["id"])
        view = {"title": "Test", "path": "all", "cards": list(cards)}
        await hass.command("lovelace/config/save", url_path=path, config={"views": [view]})
        return f"/{path}/all"

    yield make
    for one in made:
        await hass.command("lovelace/dashboards/delete", dashboard_id=one)


@pytest.fixture(scope="session")
def asking(tmp_path_factory):
    """Return a WAV of somebody who asks again and again: a browser plays it in a loop."""
    recorded, rate = read_wav(Path(__file__).with_name("question.wav"))
    speech = resample(recorded, rate, 48_000)
    quiet = np.zeros(3 * 48_000, np.float32)
    path = tmp_path_factory.mktemp("microphone") / "asking.wav"
    write_wav(path, np.concatenate([quiet, speech, quiet]), 48_000)
    return path


@pytest.fixture
async def card(dashboard, visit):
    """Show such cards on a dashboard, and return the page's card: ``await card(microphone=WAV, **options)``."""

    async def show(*, microphone=None, **options):
        page = await visit(await dashboard(CARD | options), microphone=microphone)
        return page.locator("openai-realtime-card")

    return show
