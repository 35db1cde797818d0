"""The ways to the engine: straight to the gateway around it, or through another one with all that it can do between."""

from contextlib import asynccontextmanager

from vivavoce.gateway import GatewaySettings, create_app, listen
from vivavoce.gateway.history.history import History
from vivavoce.gateway.state import GATEWAY
from vivavoce.gateway.upstreams.choosing import choose_upstream

POLICY = """
sessions: 100
default:
  max_session_seconds: 3600
  idle_seconds: 600
  max_item_bytes: 20000000
  limits:
    sessions: 10
    events_per_minute: 100000
    audio_seconds_per_minute: 100000
    tokens_per_day: 100000000
    dollars_per_day: 10000
"""
"""Rules that nobody here breaks, of every kind."""


class Ways:
    """Which way is taken now."""

    folder = None
    """Where the gateway between keeps what it has to; None where there is none between."""


@asynccontextmanager
async def on_the_way(listening):
    """Give the server that clients are to talk with."""
    if Ways.folder is None:
        yield listening
        return
    (Ways.folder / "policy.yaml").write_text(POLICY)
    settings = GatewaySettings(
        port=0,
        upstream=f"ws://127.0.0.1:{listening.port}/v1/realtime",
        upstream_key="unused",
        policy=Ways.folder / "policy.yaml",
        history="audio",
        history_folder=Ways.folder,
        resume_seconds=60,
    )
    history = History(settings, upstream="engine")
    app = create_app(
        settings, choose_upstream(settings, _no_engine), stages=(history.stage,), history=history
    )
    async with listen(app) as front:
        await app[GATEWAY].loading.finished()
        yield front
        await history.writer.flush()
    assert not history.writer.failure


def _no_engine():
    raise AssertionError("the engine is elsewhere")
