"""An MCP server that is Home Assistant's own: its tools are listed, and an agent uses them."""

import asyncio

import pytest

from vivavoce.testing import Expect, FunctionCall, Turn


@pytest.fixture
async def house(hass):
    """Let Home Assistant be an MCP server, and return its address."""
    done = await hass.flow("mcp_server", {})
    assert done["type"] == "create_entry", done
    yield f"{hass.url}/api/mcp"
    await hass.delete(f"/api/config/config_entries/entry/{done['result']['entry_id']}")


async def subentries(hass, entry):
    listed = await hass.command("config_entries/subentries/list", entry_id=entry["entry_id"])
    return {one["subentry_type"]: one["subentry_id"] for one in listed}


async def test_an_agent_uses_the_tools_of_the_house(hass, house, endpoint, added):
    calls = FunctionCall("intent__HassTurnOn", {"name": "Hall light"})
    url = await endpoint(
        Turn(expect="Light the hall.", call=calls),
        Turn(expect=Expect(output_matches="action_done"), say="The hall is lit."),
    )
    entry = await added(url)
    await hass.action(
        "openai_realtime.add_mcp_server", response=False, name="house", url=house, token=hass.token
    )
    of = await subentries(hass, entry)
    server = [entry["entry_id"], "mcp_server"]

    async def listed():
        form = await hass.flow(server, of="subentries/", subentry_id=of["mcp_server"])
        (allowed,) = (
            one
            for one in form.get("data_schema", [{"name": "allowed_tools"}])
            if one["name"] == "allowed_tools"
        )
        return allowed.get("selector", {}).get("select", {}).get("options", [])

    async with asyncio.timeout(60):  # the endpoint is loaded again, with the server
        while "intent__HassTurnOn" not in await listed():  # noqa: ASYNC110 - there is no event of it
            await asyncio.sleep(0.2)

    agent = [entry["entry_id"], "agent"]
    changed = await hass.flow(
        agent,
        {
            "llm_hass_api": [f"openai_realtime-{of['mcp_server']}"],
            "turn_detection": "home_assistant",
            "transcription_model": "whisper-1",
            "follow_up": "never",
            "approval": "allow",
        },
        of="subentries/",
        subentry_id=of["agent"],
    )
    assert changed["reason"] == "reconfigure_successful", changed
    assert await hass.state("light.hall_light") == "off"
    answer = await hass.action("openai_realtime.send_message", message="Light the hall.")
    assert answer["response"] == "The hall is lit."
    assert await hass.state("light.hall_light") == "on"


async def test_a_wrong_token_is_told(hass, house, endpoint, added):
    await added(await endpoint(Turn(say="Unheard."), complete=False))
    with pytest.raises(Exception, match="401"):
        await hass.action(
            "openai_realtime.add_mcp_server", response=False, name="house", url=house, token="wrong"
        )
