"""Home Assistant, and the integration as ``make homeassistant`` builds it, with a scripted endpoint as its server."""

from datetime import UTC, datetime

import pytest

pytest.importorskip("pytest_homeassistant_custom_component")

from homeassistant.const import CONF_API_KEY, CONF_URL
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

import custom_components  # noqa: F401 - before Home Assistant's own test folder of the same name
from vivavoce.testing import Script, ScriptedEngine, serve_scripted
from vivavoce.testing.engine import ENDLESS_TOKENS

DOMAIN = "openai_realtime"


@pytest.fixture(autouse=True)
def _custom_integrations(enable_custom_integrations, socket_enabled):
    """Load the integration, and let it reach the endpoint on loopback."""


@pytest.fixture
async def home(hass, tmp_path, monkeypatch):
    """Return a Home Assistant with what pipelines need, which has not spoken before."""
    monkeypatch.setattr("homeassistant.components.tts.DEFAULT_CACHE_DIR", str(tmp_path / "tts"))
    for component in ("homeassistant", "conversation", "stt", "tts", "assist_pipeline", "ai_task"):
        assert await async_setup_component(hass, component, {})
    return hass


@pytest.fixture
async def endpoint():
    """Serve a script, and return its address: ``await endpoint(turns…)``."""
    from contextlib import AsyncExitStack

    async with AsyncExitStack() as stack:

        async def serve(*turns, complete=True, budget_tokens=ENDLESS_TOKENS, **script):
            script = Script(turns=list(turns), **script)
            engine = ScriptedEngine(script, complete=complete, budget_tokens=budget_tokens)
            return await stack.enter_async_context(serve_scripted(engine))

        yield serve


@pytest.fixture
async def set_up(home):
    """Set the integration up with an endpoint, and one agent of such options; return the entry."""
    entries = []

    async def set_up(url, *, agent=None, options=None, subentries=()):
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="Endpoint",
            data={"kind": "compatible", CONF_URL: url, CONF_API_KEY: "sk-secret"},
            options=options or {},
            subentries_data=[
                {
                    "subentry_type": "agent",
                    "title": "Ada",
                    "unique_id": None,
                    "data": {"prompt": "Be brief.", **(agent or {})},
                },
                *subentries,
            ],
        )
        entry.add_to_hass(home)
        assert await home.config_entries.async_setup(entry.entry_id)
        await home.async_block_till_done()
        entries.append(entry)
        return entry

    yield set_up
    for entry in entries:
        if home.config_entries.async_get_entry(entry.entry_id) is not None:  # else the test has removed it
            await home.config_entries.async_unload(entry.entry_id)
    await home.async_block_till_done()


@pytest.fixture
def clock(monkeypatch):
    """Let Home Assistant have the time that ``clock(minute)`` says, after a quarter past three."""

    def set_to(minute, second=0):
        now = datetime(2026, 11, 21, 15, 15 + minute, second, tzinfo=UTC)
        monkeypatch.setattr("homeassistant.util.dt.now", lambda *_: now)

    return set_to


@pytest.fixture
def expected_lingering_timers():
    """Let Home Assistant keep its conversations: it waits five minutes before it forgets them."""
    return True
