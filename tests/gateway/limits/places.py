"""The places to count in: memory, and a real server of Redis's protocol."""

import asyncio
import shutil
import time
from contextlib import asynccontextmanager

import pytest

from vivavoce.gateway.limits.redis_store import RedisStore
from vivavoce.gateway.limits.store import MemoryStore


@asynccontextmanager
async def redis_server(folder):
    """Run a server at a socket in a folder; yield its address and its process."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("needs redis-server")
    socket = folder / "redis.sock"
    process = await asyncio.create_subprocess_exec(
        program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(30):
            while b"ready to accept" not in (await process.stdout.readline()).lower():
                assert process.returncode is None
        yield f"unix://{socket}", process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


@asynccontextmanager
async def places(kind, folder):
    """Yield an empty store."""
    if kind == "memory":
        yield MemoryStore(time.time)
        return
    async with redis_server(folder) as (url, _):
        store = RedisStore(url)
        try:
            yield store
        finally:
            await store.close()
