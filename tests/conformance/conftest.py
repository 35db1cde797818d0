"""A gateway with the engine behind it, its models replaced by scripted ones: everything but inference is real."""

from contextlib import asynccontextmanager

import pytest

from tests.engine import fakes
from vivavoce.engine import Engine
from vivavoce.engine.profiles import Loaded
from vivavoce.gateway import GatewaySettings, create_app, listen


@asynccontextmanager
async def serving(models):
    async def load(_report):
        async def close():
            pass

        return Loaded(models, {"language_model": "scripted"}, 2000, close)

    engine = Engine(load=load)
    app = create_app(GatewaySettings(port=0), engine)
    async with listen(app) as listening:
        while engine.status.state != "ready":
            await _tick()
        yield listening
    await engine.close()


async def _tick():
    import asyncio

    await asyncio.sleep(0.01)


@pytest.fixture
async def server():
    """A server whose model answers "Hi there. How are you?" and hears "What time is it?"."""
    async with serving(fakes.models("Hi there. ", "How are you?", words="What time is it?")) as listening:
        yield listening
