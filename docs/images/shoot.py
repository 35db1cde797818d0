"""Take the pictures of the page: talk to a running server through a real browser.

    vivavoce serve &
    python docs/images/shoot.py [URL]

Writes page.png (light, wide), page-dark.png (dark, wide), page-phone.png (light, narrow), and the console's inspect.png
(light) and measure.png (dark) beside this script.
"""

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.async_api import Page, async_playwright

from vivavoce.audio.resample import resample
from vivavoce.audio.wav import write_wav
from vivavoce.engine.models.hibari import HibariSynthesiser

HERE = Path(__file__).parent
QUESTIONS = ("What is the capital of France?", "And which river flows through it?")
PAUSE_S = 9.0
SIZES = {
    "page": ("talk", "light", 1280, 800),
    "page-dark": ("talk", "dark", 1280, 800),
    "page-phone": ("talk", "light", 390, 780),
    "inspect": ("inspect", "light", 1400, 900),
    "measure": ("measure", "dark", 1400, 900),
}


async def microphone(path: Path) -> None:
    """Write what the microphone will hear."""
    synthesiser = HibariSynthesiser()
    parts = [np.zeros(48_000, np.float32)]
    for question in QUESTIONS:
        speech = [part async for part in synthesiser.synthesise(question, voice="alloy")]
        parts += [resample(np.concatenate(speech), synthesiser.rate, 48_000)]
        parts += [np.zeros(int(PAUSE_S * 48_000), np.float32)]
    await synthesiser.close()
    write_wav(path, np.concatenate([*parts, np.zeros(120 * 48_000, np.float32)]), 48_000)


async def state(page: Page, word: str) -> None:
    """Wait until the page says that it is in this state."""
    await page.get_by_role("status").get_by_text(word, exact=True).wait_for(timeout=40_000)


async def shoot(url: str) -> None:
    """Hold a conversation in each size, and take its picture while the second answer is spoken."""
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "questions.wav"
        await microphone(sound)
        async with async_playwright() as playwright:
            for name, (view, scheme, width, height) in SIZES.items():
                browser = await playwright.chromium.launch(
                    executable_path=shutil.which("chromium"),
                    args=[
                        "--no-sandbox",
                        "--use-fake-ui-for-media-stream",
                        "--use-fake-device-for-media-stream",
                        f"--use-file-for-fake-audio-capture={sound}%noloop",
                        "--autoplay-policy=no-user-gesture-required",
                    ],
                )
                page = await browser.new_page(
                    viewport={"width": width, "height": height},
                    color_scheme="dark" if scheme == "dark" else "light",
                    device_scale_factor=2,
                )
                await page.goto(f"{url}#{view}")
                await page.get_by_label("Hands-free").check()
                await page.get_by_role("button", name="Start").click()
                for _ in QUESTIONS:
                    await state(page, "Speaking")
                    await asyncio.sleep(0.8)
                    if view == "inspect":
                        await page.get_by_role("option", name="response.created").last.click()
                    await page.screenshot(path=HERE / f"{name}.png")
                    await state(page, "Listening")
                await browser.close()


if __name__ == "__main__":
    asyncio.run(shoot(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000/"))
