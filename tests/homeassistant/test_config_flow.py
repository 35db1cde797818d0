"""Setting up, in all the ways there are."""

import pytest
from aiohttp import web
from homeassistant.config_entries import SOURCE_REAUTH, SOURCE_USER, ConfigEntryState
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from pytest_homeassistant_custom_component.common import MockConfigEntry
from test_tools import mcp  # noqa: F401 - a fixture

from vivavoce.testing import Turn

DOMAIN = "openai_realtime"


@pytest.fixture
async def url(endpoint):
    return await endpoint(Turn(say="Unheard."), complete=False)


@pytest.fixture
async def refusing():
    """Serve an endpoint that refuses, with ``refusing.status`` and ``.code``, every key but ``.takes``."""

    class Refusal:
        status, code, url, takes = 401, "invalid_api_key", "", None

    refusal = Refusal()

    async def answer(request):
        if request.headers.get("Authorization") == f"Bearer {refusal.takes}":
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            await socket.receive()
            return socket
        error = {"message": "No.", "code": refusal.code, "type": "invalid_request_error"}
        return web.json_response({"error": error}, status=refusal.status)

    app = web.Application()
    app.router.add_get("/v1/realtime", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    refusal.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/v1"
    yield refusal
    await runner.cleanup()


async def begin(hass, kind):
    flow = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert flow["type"] is FlowResultType.MENU
    return await hass.config_entries.flow.async_configure(flow["flow_id"], {"next_step_id": kind})


@pytest.mark.parametrize(("kind", "title"), [("gateway", "Viva Voce"), ("compatible", "127.0.0.1")])
async def test_an_endpoint_by_its_address(home, url, kind, title):
    form = await begin(home, kind)
    made = await home.config_entries.flow.async_configure(form["flow_id"], {"url": url})
    assert made["type"] is FlowResultType.CREATE_ENTRY
    assert made["title"] == title
    assert made["data"] == {"kind": kind, "url": url}
    await home.async_block_till_done()
    assert home.states.get("conversation.realtime") is not None
    again = await begin(home, kind)
    refused = await home.config_entries.flow.async_configure(again["flow_id"], {"url": url})
    assert refused["reason"] == "already_configured"
    await home.config_entries.async_remove(made["result"].entry_id)
    await home.async_block_till_done()
    assert home.states.get("conversation.realtime") is None


@pytest.mark.parametrize(("budget_tokens", "api"), [(3496, DOMAIN), (32_000, "assist")])
async def test_an_agent_begins_with_tools_that_its_endpoint_has_room_for(home, endpoint, budget_tokens, api):
    url = await endpoint(Turn(say="Unheard."), complete=False, budget_tokens=budget_tokens)
    form = await begin(home, "gateway")
    entry = (await home.config_entries.flow.async_configure(form["flow_id"], {"url": url}))["result"]
    await home.async_block_till_done()
    (agent,) = entry.subentries.values()
    assert agent.data["llm_hass_api"] == [api]
    form = await home.config_entries.subentries.async_init(
        (entry.entry_id, "agent"), context={"source": SOURCE_USER}
    )
    suggested = {
        key.schema: (key.description or {}).get("suggested_value") for key in form["data_schema"].schema
    }
    assert suggested["llm_hass_api"] == [api]
    await home.config_entries.async_remove(entry.entry_id)


async def test_openai_by_its_key(home, url, monkeypatch):
    monkeypatch.setattr("custom_components.openai_realtime.config_flow.OPENAI_URL", url)
    form = await begin(home, "openai")
    made = await home.config_entries.flow.async_configure(form["flow_id"], {"api_key": " sk-key "})
    assert made["data"] == {"kind": "openai", "url": url, "api_key": "sk-key"}
    (agent,) = made["result"].subentries.values()
    assert agent.data["model"] == "gpt-realtime-2.1"
    await home.config_entries.async_remove(made["result"].entry_id)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (401, "invalid_api_key", "invalid_auth"),
        (403, "", "invalid_auth"),
        (429, "insufficient_quota", "cannot_connect"),
        (503, "session_limit_reached", "cannot_connect"),
    ],
)
async def test_what_is_refused_makes_no_entry(home, refusing, url, status, code, error):
    refusing.status, refusing.code = status, code
    form = await begin(home, "compatible")
    given = {"url": refusing.url, "api_key": "sk-wrong"}
    form = await home.config_entries.flow.async_configure(form["flow_id"], given)
    assert form["errors"] == {"base": error}
    assert not home.config_entries.async_entries(DOMAIN)
    made = await home.config_entries.flow.async_configure(form["flow_id"], {"url": url})
    assert made["type"] is FlowResultType.CREATE_ENTRY
    await home.config_entries.async_remove(made["result"].entry_id)


async def test_an_address_that_is_none(home):
    form = await begin(home, "compatible")
    form = await home.config_entries.flow.async_configure(form["flow_id"], {"url": "gopher://somewhere"})
    assert form["errors"] == {"url": "invalid_url"}


async def test_what_nobody_expected_is_told(home, url, monkeypatch):
    async def explode(*_):
        raise RuntimeError("boom")

    monkeypatch.setattr("custom_components.openai_realtime.config_flow.probe", explode)
    form = await begin(home, "gateway")
    form = await home.config_entries.flow.async_configure(form["flow_id"], {"url": url})
    assert form["errors"] == {"base": "unknown"}
    monkeypatch.undo()
    made = await home.config_entries.flow.async_configure(form["flow_id"], {"url": url})
    assert made["type"] is FlowResultType.CREATE_ENTRY
    await home.config_entries.async_remove(made["result"].entry_id)


async def test_another_key_is_tested_too(home, url, refusing, set_up):
    entry = await set_up(url)
    form = await entry.start_reconfigure_flow(home)
    given = {"url": refusing.url, "api_key": "sk-wrong"}
    form = await home.config_entries.flow.async_configure(form["flow_id"], given)
    assert form["errors"] == {"base": "invalid_auth"}
    assert entry.data["url"] == url
    done = await home.config_entries.flow.async_configure(form["flow_id"], {"url": url})
    assert done["reason"] == "reconfigure_successful"
    await home.async_block_till_done()


@pytest.mark.parametrize("kind", ["agent", "mcp_server"])
async def test_an_endpoint_that_is_not_loaded_has_nothing_added(home, url, set_up, kind):
    entry = await set_up(url)
    await home.config_entries.async_unload(entry.entry_id)
    done = await home.config_entries.subentries.async_init(
        (entry.entry_id, kind), context={"source": SOURCE_USER}
    )
    assert done["reason"] == "entry_not_loaded"


async def test_a_key_that_is_refused_later_is_asked_for_again(home, url, refusing, set_up):
    entry = await set_up(url)
    entry.async_start_reauth(home)
    await home.async_block_till_done()
    (flow,) = home.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_confirm"
    done = await home.config_entries.flow.async_configure(flow["flow_id"], {"api_key": "sk-new"})
    assert done["reason"] == "reauth_successful"
    assert entry.data["api_key"] == "sk-new"
    assert entry.data["url"] == url
    await home.async_block_till_done()


@pytest.fixture
async def refused(home, refusing):
    """Return an entry whose set-up has failed: its key was refused."""
    entry = MockConfigEntry(
        domain=DOMAIN, data={"kind": "compatible", "url": refusing.url, "api_key": "sk-old"}
    )
    entry.add_to_hass(home)
    assert not await home.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    yield entry
    await home.config_entries.async_unload(entry.entry_id)


async def test_a_key_that_is_refused_at_the_start_is_asked_for_again(home, refusing, refused):
    (flow,) = home.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH
    given = {"api_key": "sk-new"}
    form = await home.config_entries.flow.async_configure(flow["flow_id"], given)
    assert form["errors"] == {"base": "invalid_auth"}
    refusing.takes = "sk-new"
    done = await home.config_entries.flow.async_configure(flow["flow_id"], given)
    assert done["reason"] == "reauth_successful"
    await home.async_block_till_done()
    assert refused.state is ConfigEntryState.LOADED


async def test_another_address_helps_where_the_set_up_has_failed(home, url, refused):
    form = await refused.start_reconfigure_flow(home)
    done = await home.config_entries.flow.async_configure(form["flow_id"], {"url": url})
    assert done["reason"] == "reconfigure_successful"
    await home.async_block_till_done()
    assert refused.state is ConfigEntryState.LOADED


async def test_another_address(home, url, endpoint, set_up):
    entry = await set_up(url)
    other = await endpoint(Turn(say="Unheard."), complete=False)
    form = await entry.start_reconfigure_flow(home)
    assert form["step_id"] == "reconfigure"
    done = await home.config_entries.flow.async_configure(form["flow_id"], {"url": other})
    assert done["reason"] == "reconfigure_successful"
    assert entry.data == {"kind": "compatible", "url": other}
    await home.async_block_till_done()


async def test_no_endpoint_is_changed_into_one_that_is_there(home, url, endpoint, set_up):
    await set_up(url)
    other = await set_up(await endpoint(Turn(say="Unheard."), complete=False))
    form = await other.start_reconfigure_flow(home)
    given = {"url": url, "api_key": "sk-secret"}
    done = await home.config_entries.flow.async_configure(form["flow_id"], given)
    assert done["reason"] == "already_configured"
    assert other.data["url"] != url


async def test_options(home, url, set_up):
    entry = await set_up(url)
    form = await home.config_entries.options.async_init(entry.entry_id)
    await home.config_entries.options.async_configure(
        form["flow_id"], {"idle_seconds": 60, "max_sessions": 2}
    )
    await home.async_block_till_done()
    assert entry.options == {"idle_seconds": 60, "max_sessions": 2}


AGENT = {
    "model": "gpt-realtime-2.1-mini",
    "voice": "cedar",
    "prompt": "Be kind.",
    "turn_detection": "semantic_vad",
    "transcription_model": "whisper-1",
    "follow_up": "always",
    "approval": "refuse",
}


async def test_agents_are_added_and_changed(home, url, set_up):
    entry = await set_up(url)
    form = await home.config_entries.subentries.async_init(
        (entry.entry_id, "agent"), context={"source": SOURCE_USER}
    )
    await home.config_entries.subentries.async_configure(form["flow_id"], {"name": "Grace", **AGENT})
    await home.async_block_till_done()
    assert home.states.get("conversation.grace") is not None
    added = next(one for one in entry.subentries.values() if one.title == "Grace")
    assert added.data == AGENT
    form = await entry.start_subentry_reconfigure_flow(home, added.subentry_id)
    done = await home.config_entries.subentries.async_configure(
        form["flow_id"], {**AGENT, "voice": "marin", "llm_hass_api": []}
    )
    assert done["reason"] == "reconfigure_successful"
    await home.async_block_till_done()
    assert entry.subentries[added.subentry_id].data["voice"] == "marin"
    home.config_entries.async_remove_subentry(entry, added.subentry_id)
    await home.async_block_till_done()
    assert home.states.get("conversation.grace") is None


async def test_no_agent_is_offered_as_a_speaker(home, url, set_up):
    """A player that plays on itself, or on another agent's that plays on it, would never begin."""
    entry = await set_up(url)
    (agent,) = entry.subentries.values()
    form = await entry.start_subentry_reconfigure_flow(home, agent.subentry_id)
    for speaker in ("media_player.ada_player", "light.kitchen"):
        with pytest.raises(InvalidData) as raised:
            await home.config_entries.subentries.async_configure(
                form["flow_id"], AGENT | {"speaker": speaker}
            )
        assert list(raised.value.schema_errors) == ["speaker"]
    done = await home.config_entries.subentries.async_configure(
        form["flow_id"], AGENT | {"speaker": "media_player.kitchen"}
    )
    assert done["reason"] == "reconfigure_successful"
    await home.async_block_till_done()


async def test_an_agent_whose_tools_are_gone_can_be_changed(home, url, set_up):
    tools = ["assist", "openai_realtime-gone"]
    entry = await set_up(url, agent={**AGENT, "llm_hass_api": tools})
    (agent,) = entry.subentries.values()
    form = await entry.start_subentry_reconfigure_flow(home, agent.subentry_id)
    suggested = {
        key.schema: (key.description or {}).get("suggested_value") for key in form["data_schema"].schema
    }
    assert suggested["llm_hass_api"] == ["assist"]


async def test_mcp_servers_are_tested_first(home, url, set_up, mcp):  # noqa: F811
    entry = await set_up(url)
    server, address = await mcp()
    form = await home.config_entries.subentries.async_init(
        (entry.entry_id, "mcp_server"), context={"source": SOURCE_USER}
    )
    given = {"name": "house", "url": address, "token": "wrong", "approval": "allow"}

    async def give(**other):
        return await home.config_entries.subentries.async_configure(form["flow_id"], given | other)

    assert (await give())["errors"] == {"base": "invalid_auth"}
    assert (await give(url="ftp://x"))["errors"] == {"url": "invalid_url"}
    server.status = 500
    assert (await give(token="t0ken"))["errors"] == {"base": "cannot_connect"}
    server.status = 200
    assert (await give(token="t0ken"))["type"] is FlowResultType.CREATE_ENTRY
    await home.async_block_till_done()
    (made,) = (one for one in entry.subentries.values() if one.subentry_type == "mcp_server")
    assert made.data == {"url": address, "token": "t0ken", "approval": "allow", "for_all": True}
    again = await home.config_entries.subentries.async_init(
        (entry.entry_id, "mcp_server"), context={"source": SOURCE_USER}
    )
    again = await home.config_entries.subentries.async_configure(again["flow_id"], given | {"token": "t0ken"})
    assert again["errors"] == {"name": "name_taken"}
    form = await entry.start_subentry_reconfigure_flow(home, made.subentry_id)
    done = await home.config_entries.subentries.async_configure(
        form["flow_id"], {"url": address, "token": "t0ken", "allowed_tools": ["vacuum"], "approval": "ask"}
    )
    assert done["reason"] == "reconfigure_successful"
    await home.async_block_till_done()
