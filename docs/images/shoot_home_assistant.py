"""Take the pictures of the integration: a real Home Assistant, with a house on paper and a scripted endpoint.

    python docs/images/shoot_home_assistant.py

Writes card.png, card-dark.png, card-editor.png, home-assistant-endpoint.png and home-assistant-agent.png beside this
script. It needs Chromium, and a Python that Home Assistant runs on; both are looked for as the tests do.
"""

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, Page, async_playwright

from vivavoce.gateway.app import create_app
from vivavoce.gateway.server import listen
from vivavoce.gateway.settings import GatewaySettings
from vivavoce.gateway.state import GATEWAY
from vivavoce.gateway.upstreams.local import LocalUpstream
from vivavoce.testing import FunctionCall, Script, ScriptedEngine, Turn

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "examples" / "home-assistant"))
from demo import CONFIGURATION, DASHBOARD, furnish  # noqa: E402 - where it is found
from home_assistant import HomeAssistant, free_port  # noqa: E402

USER, PASSWORD = "tess", "only-for-pictures"
ASKED = "Turn on the kitchen light."
ANSWER = "The kitchen light is on. Is there anything else?"
TURNS = [
    Turn(expect=ASKED, call=FunctionCall("intent__HassTurnOn", {"name": "Kitchen light"})),
    Turn(say=ANSWER),
]
ARGUMENTS = [
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]
INTEGRATION = "/config/integrations/integration/openai_realtime"


@asynccontextmanager
async def endpoint() -> AsyncIterator[str]:
    """Serve what is said in the pictures, and give its address."""
    engine = ScriptedEngine(Script(turns=TURNS, after="repeat"), complete=False)
    app = create_app(GatewaySettings(port=0, local_access="open"), LocalUpstream(engine))
    async with engine, listen(app) as listening:
        await app[GATEWAY].loading.finished()
        yield f"{listening.url}/v1"


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[HomeAssistant]:
    """Run a Home Assistant with the integration as it is now, and a house."""
    found = subprocess.run(  # noqa: ASYNC221, S603 - our own words, and nothing else to do
        ["bash", str(ROOT / "tests/homeassistant/environment"), "2026.11"],  # noqa: S607
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    build = [sys.executable, str(ROOT / "custom_components/build.py"), str(folder)]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)  # noqa: ASYNC221, S603
    home = HomeAssistant(found.stdout.strip(), folder, free_port())
    home.configure(CONFIGURATION)
    await home.start()
    try:
        await home.onboard(USER, PASSWORD)
        async with endpoint() as url:
            await furnish(home, url)
            yield home
    finally:
        await home.stop()


async def visit(
    browser: Browser, home: HomeAssistant, path: str, scheme: Literal["light", "dark"], height: int
) -> Page:
    """Log in, and open a path."""
    page = await browser.new_page(viewport={"width": 1000, "height": height}, color_scheme=scheme)
    await page.goto(home.url)
    await page.locator("input[name=username]").fill(USER)
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.locator("home-assistant-main").wait_for(state="attached")
    await page.goto(home.url + path)
    return page


async def take(page: Page, name: str) -> None:
    """Take a picture, once what moves has come to rest."""
    await asyncio.sleep(1.5)
    await page.screenshot(path=HERE / f"{name}.png")


async def talk(page: Page) -> None:
    """Ask the card for light, and take the picture while it answers."""
    card = page.locator("openai-realtime-card")
    await card.get_by_label("Message").fill(ASKED)
    await card.get_by_label("Message").press("Enter")
    await card.locator("voice-transcript").filter(has_text=ANSWER).wait_for()
    await asyncio.sleep(0.8)


async def shoot(browser: Browser, home: HomeAssistant) -> None:
    """Take all."""
    page = await visit(browser, home, f"/{DASHBOARD}", "light", 900)
    await page.locator("openai-realtime-card voice-waves").wait_for()
    await take(page, "card")
    await page.goto(f"{home.url}/{DASHBOARD}?edit=1")
    await page.get_by_role("button", name="Add card").first.click()
    await page.get_by_text("By card").click()
    await page.get_by_placeholder("Search cards").fill("OpenAI Realtime")
    await page.locator("hui-card-picker .card", has_text="OpenAI Realtime").first.click()
    await page.locator("hui-dialog-edit-card ha-selector-boolean").first.wait_for()
    await take(page, "card-editor")
    await page.goto(f"{home.url}/config/integrations/dashboard")
    await page.get_by_role("button", name="Add integration").click()
    await page.locator("dialog-add-integration input").first.fill("Viva Voce")
    await page.locator("dialog-add-integration").get_by_text("Viva Voce: OpenAI Realtime").first.click()
    await page.get_by_text("A Viva Voce server in your network").wait_for()
    await take(page, "home-assistant-endpoint")
    await page.set_viewport_size({"width": 1000, "height": 1500})
    await page.goto(home.url + INTEGRATION)
    await page.locator("ha-config-sub-entry-row ha-icon-button").nth(1).click()  # the gear
    await page.locator("step-flow-form ha-selector").last.wait_for()
    await take(page, "home-assistant-agent")
    dark = await visit(browser, home, f"/{DASHBOARD}", "dark", 760)
    await talk(dark)
    await dark.screenshot(path=HERE / "card-dark.png")


async def main() -> None:
    """Start all, and take the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        async with house(Path(folder)) as home, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=ARGUMENTS
            )
            await shoot(browser, home)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
