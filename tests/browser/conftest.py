"""A Chromium whose microphone is a WAV file, and helpers to drive the page with it."""

import base64
import shutil
import wave
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Playwright, async_playwright

from .fake_endpoint import FakeEndpoint

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SESSION = "document.querySelector('voice-page').session"


def write_wav(path, samples, rate=48_000):
    """Write mono floats as a 16 bit WAV."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


@dataclass
class Recording:
    """What came out of the loudspeaker: mono floats."""

    rate: int
    samples: np.ndarray


@dataclass
class Visitor:
    """Somebody in front of the page."""

    page: Page
    complaints: list[str]

    async def start(self, *, ready: str = "Ready") -> None:
        """Press the button and wait until it is connected."""
        await self.page.get_by_role("button", name="Start").click()
        await self.state(ready)

    async def state(self, word: str, seconds: float = 20) -> None:
        """Wait until the page says that it is in this state."""
        await self.page.get_by_role("status").get_by_text(word, exact=True).wait_for(timeout=seconds * 1000)

    async def session(self, expression: str) -> Any:
        """Evaluate an expression of the page's `session`."""
        return await self.page.evaluate(f"async () => {{ const session = {SESSION}; return {expression}; }}")

    async def until(self, condition: str) -> None:
        """Wait until a condition of the page's `session` holds, looking at every frame."""
        await self.page.evaluate(
            f"""async () => {{
              const session = {SESSION};
              while (!({condition})) await new Promise(requestAnimationFrame);
            }}"""
        )

    async def hear_out(self, seconds: float) -> None:
        """Wait for so much audio to pass, by the sound card's clock."""
        now = await self.session("session.player.context.currentTime")
        await self.until(f"session.player.context.currentTime > {now + seconds}")

    async def talk_button(self) -> tuple[float, float]:
        """Return the middle of the talk button."""
        box = await self.page.locator("voice-button").bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    async def record(self) -> None:
        """Begin to record what the loudspeaker gets."""
        await self.page.evaluate(f"() => {{ window.endRecording = {SESSION}.player.record(); }}")

    async def recorded(self) -> Recording:
        """End the recording and return it: the rendered output, silence included."""
        found = await self.page.evaluate(
            """async () => {
              const {sampleRate, samples} = await window.endRecording();
              const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
              let binary = '';
              for (let at = 0; at < bytes.length; at += 32768) {
                binary += String.fromCharCode(...bytes.subarray(at, at + 32768));
              }
              return {sampleRate, base64: btoa(binary)};
            }"""
        )
        return Recording(int(found["sampleRate"]), np.frombuffer(base64.b64decode(found["base64"]), "<f4"))


class Browsers:
    """Chromiums by their arguments: those that differ in nothing are one, with a new profile for each visit."""

    def __init__(self, playwright: Playwright) -> None:
        self._playwright = playwright
        self._running: dict[tuple[str, ...], Browser] = {}

    async def get(self, arguments: tuple[str, ...]) -> Browser:
        """Return the browser with these arguments; start it when there is none."""
        if arguments not in self._running:
            launched = self._playwright.chromium.launch(
                executable_path=CHROMIUM, args=[*ARGUMENTS, *arguments]
            )
            self._running[arguments] = await launched
        return self._running[arguments]

    async def discard(self, arguments: tuple[str, ...]) -> None:
        """Close the browser with these arguments."""
        await self._running.pop(arguments).close()

    async def close(self) -> None:
        """Close all of them."""
        for browser in self._running.values():
            await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browsers():
    """Return the browsers that all tests share."""
    if CHROMIUM is None:
        pytest.skip("needs chromium")
    async with async_playwright() as playwright:
        running = Browsers(playwright)
        yield running
        await running.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browsers, tmp_path):
    """Return a function that opens an address in a Chromium and gives a `Visitor`."""
    async with AsyncExitStack() as stack:

        async def open_page(
            url: str,
            *,
            microphone: np.ndarray | None = None,
            allow: bool = True,
            before: str = "",
            arguments: tuple[str, ...] = (),
            **context: Any,
        ) -> Visitor:
            if allow:
                arguments += ("--use-fake-ui-for-media-stream",)
            if microphone is not None:
                file = write_wav(tmp_path / "microphone.wav", microphone)
                arguments += (f"--use-file-for-fake-audio-capture={file}%noloop",)
                stack.push_async_callback(browsers.discard, arguments)
            opened = await (await browsers.get(arguments)).new_context(**context)
            stack.push_async_callback(opened.close)
            page = await opened.new_page()
            visitor = Visitor(page, [])
            page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
            page.on(
                "console", lambda said: visitor.complaints.append(said.text) if said.type == "error" else None
            )
            if before:
                await page.add_init_script(before)
            await page.goto(url)
            return visitor

        yield open_page


@pytest_asyncio.fixture(loop_scope="session")
async def endpoint():
    """Return a running endpoint whose script a test may change."""
    async with FakeEndpoint() as running:
        yield running
