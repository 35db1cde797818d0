"""When the console is first painted, and can be used: beside ``/health`` of the same server, in a headless Chromium.

    .venv/bin/python benchmarks/page.py [--rounds 10]

Each round opens both in a browser that has loaded nothing before, over loopback. Prints medians in milliseconds from
the navigation on, and the ratios. Needs `chromium` and the development tools (`make .venv/dev.stamp`).
"""

import argparse
import asyncio
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import aiohttp
from playwright.async_api import Browser, async_playwright

TIMES = """() => new Promise((told) => {
  const look = () => {
    const paints = Object.fromEntries(performance.getEntriesByType('paint').map((one) => [one.name, one.startTime]));
    const button = document.querySelector('voice-page')?.shadowRoot?.querySelector('voice-button');
    const done = button ? button.shadowRoot?.querySelector('button') : document.readyState === 'complete';
    if (!done || !paints['first-contentful-paint']) return requestAnimationFrame(look);
    told([paints['first-paint'], paints['first-contentful-paint'], performance.now()]);
  };
  look();
})"""
"""What the browser noted: first paint, first paint of something, and when the talk button was there."""

NAMES = ("first paint", "first contentful paint", "can be used")


async def times(browser: Browser, url: str) -> list[float]:
    """Open a page as for the first time; return what `NAMES` names."""
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(url)
    noted: list[float] = await page.evaluate(TIMES)
    await context.close()
    return noted


async def reached(url: str) -> None:
    """Wait until a server answers."""
    async with aiohttp.ClientSession() as http:
        while True:
            with suppress(aiohttp.ClientError):
                async with http.get(url):
                    return
            await asyncio.sleep(0.1)


async def measure(browser: Browser, url: str, rounds: int) -> None:
    """Open both so many times, in turn, and print medians."""
    found: dict[str, list[list[float]]] = {"/health": [], "/": []}
    for _ in range(rounds):
        for path, noted in found.items():
            noted.append(await times(browser, url + path))
    print(f"{'ms':24}{'/health':>10}{'console':>10}{'ratio':>8}")
    for number, name in enumerate(NAMES):
        health, console = (statistics.median(one[number] for one in noted) for noted in found.values())
        print(f"{name:24}{health:10.0f}{console:10.0f}{console / health:8.1f}")


async def main(rounds: int, script: str) -> None:
    """Serve, look, and print."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [str(Path(sys.executable).with_name("vivavoce")), "serve", "--engine", "scripted"]
    open_to_all = {**os.environ, "VIVAVOCE_LOCAL_ACCESS": "open"}
    server = await asyncio.create_subprocess_exec(
        *command, "--script", script, "--port", str(port), env=open_to_all, stdout=subprocess.DEVNULL
    )
    try:
        await reached(f"http://127.0.0.1:{port}/health")
        async with async_playwright() as playwright:
            chromium = shutil.which("chromium")
            browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            await measure(browser, f"http://127.0.0.1:{port}", rounds)
            await browser.close()
    finally:
        server.terminate()
        await server.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=10, help="how often each page is opened")
    rounds = parser.parse_args().rounds
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as script:
        script.write("turns:\n- say: Hello.\n")
        script.flush()
        asyncio.run(main(rounds, script.name))
