"""The parent and its processes, as they are: each test runs them all."""

import asyncio
import os
import re
import signal
import sys

import aiohttp
import pytest

from vivavoce.cli.serve_workers import NOT_SHARED

SERVE = "from vivavoce.cli import main; main()"


@pytest.fixture
async def server(tmp_path):
    """Serve with two processes; yield the parent, its address, and a function for the next one that begins."""
    script = tmp_path / "turns.yaml"
    script.write_text("turns: [{say: Hi.}]\n")
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVE, "serve", "--workers", "2", "--port", "0", "--engine", "scripted",
        "--script", str(script), "--log-level", "info", stdout=-1, stderr=-1,
        env={**os.environ, "VIVAVOCE_HISTORY": "off"},
    )  # fmt: skip
    url = re.search(rb"http://127\.0\.0\.1:\d+", await parent.stdout.readline())[0].decode()
    assert (await parent.stdout.readline()).decode() == f"{NOT_SHARED}\n"

    async def began():
        async with asyncio.timeout(40):
            while not (found := re.search(rb"a worker began: (\d+)", await parent.stderr.readline())):
                pass
        return int(found[1])

    yield parent, url, began
    if parent.returncode is None:
        parent.kill()
    await parent.communicate()


async def answers(url, wanted=200):
    """Wait until the port answers so; None for not at all."""
    async with aiohttp.ClientSession() as client, asyncio.timeout(40):
        while True:
            try:
                async with client.get(f"{url}/ready") as response:
                    status = response.status
            except aiohttp.ClientConnectionError:
                status = None
            if status == wanted:
                return
            await asyncio.sleep(0.02)


async def test_one_that_is_killed_is_started_again_and_the_rest_stops_when_told(server):
    parent, url, began = server
    first, second = await began(), await began()
    await answers(url)
    os.kill(first, signal.SIGKILL)
    third = await began()
    assert third not in {first, second}
    await answers(url)
    parent.send_signal(signal.SIGTERM)
    async with asyncio.timeout(40):
        assert await parent.wait() == 0
    await answers(url, None)


async def test_nobody_outlives_the_parent(server):
    parent, url, began = server
    await began()
    await began()
    await answers(url)
    parent.kill()
    await answers(url, None)
