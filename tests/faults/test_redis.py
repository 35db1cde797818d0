"""What becomes of sessions and of their limits while Redis is gone, and when it is back."""

import signal
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import WSServerHandshakeError

from tests.faults.house import heard, until
from tests.gateway.doubles import gateway
from tests.gateway.limits.places import redis_server

POLICY = """
sessions: 5
default:
  limits: {sessions: 2, events_per_minute: 10000, audio_seconds_per_minute: 600, tokens_per_day: 100000}
"""

AUDIO = '{"type":"input_audio_buffer.append","audio":"%s"}' % ("AAAA" * 640)


@asynccontextmanager
async def counting(folder, url):
    """Run a gateway that counts in this Redis."""
    (folder / "policy.yaml").write_text(POLICY)
    async with gateway(policy=folder / "policy.yaml", redis_url=url, max_sessions=100) as running:
        yield running


async def exchange(ws, count=20):
    """Say something, and hear the answer, so many times."""
    for _ in range(count):
        await ws.send_str(AUDIO)
        await ws.send_str('{"type":"response.create"}')
        answers = [(await heard(ws, "echo"))[-1]["event"]["type"] for _ in range(2)]
        assert answers == ["input_audio_buffer.append", "response.create"]


async def refused(running):
    """Return the status with which one more is refused."""
    with pytest.raises(WSServerHandshakeError) as refusal:
        await running.connect()
    return refusal.value.status


class TestGoneAndBack:
    async def test_sessions_go_on_and_limits_hold(self, tmp_path):
        async with AsyncExitStack() as away:
            url, process = await away.enter_async_context(redis_server(tmp_path))
            async with counting(tmp_path, url) as running, running.connect() as ws:
                await exchange(ws)
                process.kill()
                await process.wait()
                await exchange(ws)
                async with running.connect() as other:
                    await exchange(other)
                    async with running.connect():
                        assert await refused(running) == 429, "each process counts for itself, from then on"
                (tmp_path / "redis.sock").unlink(missing_ok=True)
                async with redis_server(tmp_path), running.connect() as other:
                    await exchange(ws)
                    await exchange(other)
                    async with running.connect():
                        assert await refused(running) == 429, "and then together again"

    async def test_that_answers_no_more_holds_nobody_up_for_long(self, tmp_path, monkeypatch):
        monkeypatch.setattr("vivavoce.gateway.limits.redis_store.TIMEOUT", 0.2)
        async with redis_server(tmp_path) as (url, process):
            async with counting(tmp_path, url) as running, running.connect() as ws:
                await exchange(ws)
                process.send_signal(signal.SIGSTOP)
                try:
                    await exchange(ws)
                    async with running.connect() as other:
                        await exchange(other)
                finally:
                    process.send_signal(signal.SIGCONT)
                await exchange(ws)
            await until(lambda: not len(running.sessions))
