"""Programs for Node.js that use OpenAI's agents for JavaScript."""

import asyncio
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NODE = shutil.which("node")
PACKAGE = ROOT / "node_modules" / "@openai" / "agents-realtime"

needs_agents = pytest.mark.skipif(NODE is None or not PACKAGE.exists(), reason="needs node and `npm install`")


async def run(*arguments, program=""):
    """Run Node.js to its end, within half a minute; return what it printed. ``program`` is its standard input."""
    node = await asyncio.create_subprocess_exec(NODE, *arguments, cwd=ROOT, stdin=-1, stdout=-1, stderr=-1)
    try:
        async with asyncio.timeout(30):
            told, complaints = await node.communicate(program.encode())
    finally:
        if node.returncode is None:
            node.kill()
            await node.wait()
    assert node.returncode == 0, complaints.decode()
    return told
