"""A gateway with the engine behind it, its models replaced by scripted ones: everything but inference is real."""

import logging
from contextlib import asynccontextmanager

import pytest

from tests.conformance import scripts
from tests.conformance.ways import Ways, on_the_way
from vivavoce.engine import Engine
from vivavoce.engine.profiles import Loaded
from vivavoce.gateway import GatewaySettings, create_app, listen
from vivavoce.gateway.state import GATEWAY
from vivavoce.gateway.upstreams.local import LocalUpstream


@asynccontextmanager
async def serving(models):
    """Serve these models."""

    async def load(_report):
        async def close():
            pass

        return Loaded(models, {"language_model": "scripted"}, 2000, close)

    async with serving_engine(Engine(load=load)) as listening:
        yield listening


@asynccontextmanager
async def serving_engine(engine):
    """Serve an engine, which ends with the server."""
    app = create_app(GatewaySettings(port=0), LocalUpstream(engine))
    async with listen(app) as listening:
        await app[GATEWAY].loading.finished()
        async with on_the_way(listening) as server:
            yield server


@pytest.fixture(params=["straight", "through a gateway"])
def both_ways(request, monkeypatch, tmp_path, caplog):
    """Take the test both ways to the engine; on neither does anything fail behind the client's back."""
    if request.param != "straight":
        monkeypatch.setattr(Ways, "folder", tmp_path)
    yield
    assert not [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]


@pytest.fixture
async def server():
    """A server whose model answers "Hi there. How are you?" and hears "What time is it?"."""
    async with serving(scripts.models("Hi there. ", "How are you?")) as listening:
        yield listening
