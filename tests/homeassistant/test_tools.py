"""What agents may do: Home Assistant's own tools, those of the integration, and those of MCP servers."""

import asyncio

import pytest
from aiohttp import web
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import Context, CoreState
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers import llm
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from pytest_homeassistant_custom_component.common import async_mock_service
from test_conversation import converse, speech

from custom_components.openai_realtime.functions import Functions
from custom_components.openai_realtime.mcp import McpConnection, McpFailed
from custom_components.openai_realtime.repairs import async_create_fix_flow
from vivavoce.testing import Expect, FunctionCall, Turn

DOMAIN = "openai_realtime"


def context():
    return llm.LLMContext(
        platform=DOMAIN, context=Context(), language="en", assistant="conversation", device_id=None
    )


def data(result):
    return getattr(result, "data", result)


@pytest.fixture
async def tools(home, endpoint, set_up):
    """Call a built-in tool: ``await tools(name, **arguments)``."""
    await set_up(await endpoint(Turn(say="Unheard."), complete=False))
    api = await llm.async_get_api(home, DOMAIN, context())

    async def call(name, **arguments):
        return data(await api.async_call_tool(llm.ToolInput(tool_name=name, tool_args=arguments)))

    return call


@pytest.fixture
def house(home):
    home.states.async_set("light.kitchen", "off", {"friendly_name": "Kitchen light"})
    home.states.async_set("light.secret", "on")
    home.states.async_set("lock.door", "locked")
    home.states.async_set("cover.garage", "closed", {"device_class": "garage"})
    for entity_id in ("light.kitchen", "lock.door", "cover.garage"):
        async_expose_entity(home, "conversation", entity_id, should_expose=True)
    async_expose_entity(home, "conversation", "light.secret", should_expose=False)


async def test_states_are_told_of_what_is_exposed(house, tools):
    assert (await tools("get_entity_state", entity_id="light.kitchen"))["state"] == "off"
    with pytest.raises(HomeAssistantError, match=r"no entity light\.secret"):
        await tools("get_entity_state", entity_id="light.secret")
    found = await tools("get_entities_by_domain", domain="light")
    assert [one["entity_id"] for one in found["entities"]] == ["light.kitchen"]


async def test_an_area_that_is_not_there_names_those_that_are(home, house, tools):
    ar.async_get(home).async_create("Kitchen")
    assert (await tools("get_area_entities", area="kitchen")) == {"entities": []}
    kitchen = ar.async_get(home).async_get_area_by_name("Kitchen")
    registry = er.async_get(home)
    for name in ("lamp", "hidden"):
        entity = registry.async_get_or_create("light", "test", name, suggested_object_id=name)
        registry.async_update_entity(entity.entity_id, area_id=kitchen.id)
        home.states.async_set(entity.entity_id, "on")
        async_expose_entity(home, "conversation", entity.entity_id, should_expose=name == "lamp")
    found = await tools("get_area_entities", area="kitchen")
    assert [one["entity_id"] for one in found["entities"]] == ["light.lamp"]
    with pytest.raises(HomeAssistantError, match="Kitchen"):
        await tools("get_area_entities", area="Cellar")


async def test_services_act_on_what_is_exposed(home, house, tools):
    calls = async_mock_service(home, "light", "turn_on")
    told = await tools("call_service", domain="light", service="turn_on", entity_id="light.kitchen")
    assert told["success"]
    assert calls[0].data["entity_id"] == ["light.kitchen"]
    for arguments in (
        {"domain": "light", "service": "turn_on", "entity_id": "light.secret"},
        {"domain": "light", "service": "explode", "entity_id": "light.kitchen"},
        {"domain": "light", "service": "turn_on", "entity_id": "lock.door"},
        {"domain": "light", "service": "turn_on", "entity_id": []},
        {"domain": "light", "service": "turn_on", "entity_id": "light.kitchen", "data": {"area_id": "x"}},
    ):
        with pytest.raises(HomeAssistantError):
            await tools("call_service", **arguments)
    assert len(calls) == 1


async def test_the_time_is_asked_for_and_not_in_the_instructions(home, endpoint, set_up, clock):
    clock(0)
    url = await endpoint(
        Turn(expect="What time is it?", call=FunctionCall("GetDateTime", {})),
        Turn(
            expect=Expect(output_matches=r'"time":"15:15","weekday":"Saturday","date":"2026-11-21"'),
            say="3:15.",
        ),
    )
    entry = await set_up(url, agent={"llm_hass_api": [DOMAIN]})
    assert speech(await converse(home, "What time is it?")) == "3:15."
    (agent,) = entry.runtime_data.agents.values()
    (session,) = agent.sessions.values()
    words = [session.client.session.instructions, *(item.words for item in session.client.conversation.items)]
    assert not [text for text in words if "Current time" in text]


async def test_an_entity_is_found_by_what_a_model_calls_it(home, house, tools):
    for name in ("kitchen", "Kitchen Light", " light.kitchen "):
        assert (await tools("get_entity_state", entity_id=name))["entity_id"] == "light.kitchen"
    home.states.async_set("cover.kitchen", "closed")
    async_expose_entity(home, "conversation", "cover.kitchen", should_expose=True)
    assert (await tools("get_entity_state", entity_id="light.kitchen"))["entity_id"] == "light.kitchen"
    with pytest.raises(HomeAssistantError, match=r"any of these: .*cover\.kitchen"):
        await tools("get_entity_state", entity_id="kitchen")
    with pytest.raises(HomeAssistantError, match="no entity secret"):
        await tools("get_entity_state", entity_id="secret")


async def test_a_service_is_that_of_the_entitys_own_domain(home, house, tools):
    calls = async_mock_service(home, "cover", "open_cover")
    home.states.async_set("cover.blind", "closed")
    async_expose_entity(home, "conversation", "cover.blind", should_expose=True)
    await tools("call_service", domain="light", service="open_cover", entity_id=["blind"])
    assert calls[0].data["entity_id"] == ["cover.blind"]
    with pytest.raises(HomeAssistantError, match=r"no service cover\.open; there are: open_cover"):
        await tools("call_service", domain="cover", service="open", entity_id=["blind"])


@pytest.mark.usefixtures("tools")
async def test_a_home_with_few_entities_is_told_whole(home, house):
    async def told():
        return (await llm.async_get_api(home, DOMAIN, context())).api_prompt

    kitchen = ar.async_get(home).async_create("Kitchen")
    lamp = er.async_get(home).async_get_or_create("light", "test", "lamp", suggested_object_id="lamp")
    er.async_get(home).async_update_entity(lamp.entity_id, area_id=kitchen.id)
    home.states.async_set("light.lamp", "on", {"friendly_name": "Lamp"})
    async_expose_entity(home, "conversation", "light.lamp", should_expose=True)
    assert "light.kitchen: Kitchen light\nlight.lamp: Lamp (Kitchen)\nlock.door" in (first := await told())
    assert "secret" not in first
    home.states.async_set("light.lamp", "off", {"friendly_name": "Lamp"})
    assert await told() == first
    for number in range(100):
        home.states.async_set(f"light.another_{number}", "on")
        async_expose_entity(home, "conversation", f"light.another_{number}", should_expose=True)
    assert "light." not in await told()


@pytest.mark.parametrize("group", ["cover.doors", "group.doors"])
async def test_a_group_is_as_risky_as_what_is_in_it(home, house, tools, group):
    for domain, service in (("cover", "open_cover"), ("cover", "close_cover"), ("homeassistant", "toggle")):
        async_mock_service(home, domain, service)
    home.states.async_set(group, "closed", {"entity_id": ["cover.blind", "cover.garage", group]})
    async_expose_entity(home, "conversation", group, should_expose=True)
    told = await tools("call_service", domain="homeassistant", service="toggle", entity_id=[group])
    assert "not allowed" in told["error"]  # where there is nobody to ask
    if group == "cover.doors":
        told = await tools("call_service", domain="cover", service="open_cover", entity_id=[group])
        assert "not allowed" in told["error"]
        assert (await tools("call_service", domain="cover", service="close_cover", entity_id=[group]))[
            "success"
        ]


async def test_what_has_no_room_for_an_agents_tools_is_a_repair(home, endpoint, set_up, house):
    url = await endpoint(Turn(say="I have what I need."), budget_tokens=3496)
    entry = await set_up(url, agent={"llm_hass_api": ["assist"]})
    (agent,) = entry.subentries
    refused = await converse(home, "Hello.")
    assert "may have 3496 characters here" in speech(refused)
    issue = ir.async_get(home).async_get_issue(DOMAIN, f"tools_{agent}")
    flow = await async_create_fix_flow(home, issue.issue_id, issue.data)
    flow.hass, flow.issue_id, flow.handler = home, issue.issue_id, DOMAIN
    form = await flow.async_step_init()
    assert form["description_placeholders"]["agent"] == "Ada"
    await flow.async_step_confirm({})
    await home.async_block_till_done()
    assert entry.subentries[agent].data["llm_hass_api"] == [DOMAIN]
    assert ir.async_get(home).async_get_issue(DOMAIN, issue.issue_id) is None
    assert speech(await converse(home, "Hello.")) == "I have what I need."


@pytest.mark.parametrize(("policy", "unlocked"), [("ask", 1), ("allow", 2), ("refuse", 0)])
async def test_a_lock_asks_first(home, endpoint, set_up, house, policy, unlocked):
    unlock = FunctionCall("call_service", {"domain": "lock", "service": "unlock", "entity_id": ["lock.door"]})
    calls = async_mock_service(home, "lock", "unlock")
    url = await endpoint(
        Turn(expect="Open the door.", call=unlock),
        Turn(say="Shall I really?"),
        Turn(expect="Yes.", call=unlock),
        Turn(say="Done."),
    )
    await set_up(url, agent={"llm_hass_api": [DOMAIN], "approval": policy})
    first = await converse(home, "Open the door.")
    assert len(calls) == (policy == "allow")
    await converse(home, "Yes.", first.conversation_id)
    assert len(calls) == unlocked


async def test_a_model_cannot_say_yes_itself(home, endpoint, set_up, house):
    unlock = FunctionCall("call_service", {"domain": "lock", "service": "unlock", "entity_id": ["lock.door"]})
    calls = async_mock_service(home, "lock", "unlock")
    url = await endpoint(Turn(call=unlock), Turn(call=unlock), Turn(call=unlock), Turn(say="I may not."))
    await set_up(url, agent={"llm_hass_api": [DOMAIN]})
    assert speech(await converse(home, "Open the door.")) == "I may not."
    assert not calls


async def test_a_model_that_calls_for_ever_is_stopped(home, endpoint, set_up, house):
    call = FunctionCall("get_entities_by_domain", {"domain": "light"})
    url = await endpoint(Turn(call=call), after="last")
    await set_up(url, agent={"llm_hass_api": [DOMAIN]})
    result = await converse(home, "What lights are there?")
    assert result.response.error_code == "unknown"


async def test_arguments_that_are_no_json_are_told_to_be(home, endpoint, set_up, house):
    url = await endpoint(
        Turn(call=FunctionCall("get_entity_state", "{oops")),
        Turn(expect=Expect(output_matches="error"), say="I was wrong."),
    )
    await set_up(url, agent={"llm_hass_api": [DOMAIN]})
    assert speech(await converse(home, "How is it?")) == "I was wrong."


ROOM = {"type": "object", "properties": {"room": {"type": "string"}}, "required": ["room"]}


async def test_tools_whose_names_the_protocol_cannot_tell_apart_are_all_there(home):
    class Named(llm.Tool):
        def __init__(self, name):
            self.name, self.description = name, name

    names = ["clean up", "clean_up", "clean/up", "clean_up_2", "l" * 70 + "1", "l" * 70 + "2"]
    api = llm.APIInstance(None, "", context(), [Named(name) for name in names])
    functions = Functions(api)
    told = {functions.name_of(one["name"]): one["name"] for one in functions.described}
    assert [told[name] for name in names] == [
        "clean_up_3",
        "clean_up",
        "clean_up_4",
        "clean_up_2",
        "l" * 64,
        "l" * 62 + "_2",
    ]


class McpServer:
    """A server with such ``tools``, over streamable HTTP; as a stream of events, if ``streams``."""

    def __init__(self, *, streams=False, token="t0ken", tools=None, result=None):
        self.streams, self.token, self.sessions, self.calls, self.status = streams, token, 0, [], 200
        self.tools = tools or [{"name": name, "inputSchema": ROOM} for name in ("vacuum", "explode")]
        self.result = result or {"content": [{"type": "text", "text": "clean"}]}
        self.asked, self.going = 0, asyncio.Event()
        self.going.set()

    async def answer(self, request):
        self.asked += 1
        await self.going.wait()
        if request.headers.get("Authorization") != f"Bearer {self.token}" or self.status != 200:
            return web.Response(status=401 if self.status == 200 else self.status)
        message = await request.json()
        headers = {"Mcp-Session-Id": f"s{self.sessions}"}
        match message["method"]:
            case "initialize":
                self.sessions += 1
                headers, result = {"Mcp-Session-Id": f"s{self.sessions}"}, {"protocolVersion": "2025-06-18"}
            case "notifications/initialized":
                return web.Response(status=202)
            case _ if request.headers.get("Mcp-Session-Id") != f"s{self.sessions}":
                return web.Response(status=404)
            case "tools/list":
                result = {"tools": self.tools}
            case "tools/call":
                self.calls.append(message["params"])
                result = self.result
        body = {"jsonrpc": "2.0", "id": message["id"], "result": result}
        if not self.streams:
            return web.json_response(body, headers=headers)
        import json

        note = 'data: {"jsonrpc": "2.0", "method": "notifications/message"}\n\n'
        text = f"{note}event: message\ndata: {json.dumps(body)}\n\n"
        return web.Response(text=text, content_type="text/event-stream", headers=headers)


@pytest.fixture
async def mcp():
    """Serve an MCP server, and return it and its address."""
    from contextlib import AsyncExitStack

    async with AsyncExitStack() as stack:

        async def serve(**options):
            server = McpServer(**options)
            app = web.Application()
            app.router.add_post("/mcp", server.answer)
            runner = web.AppRunner(app)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            return server, f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/mcp"

        yield serve


def subentry(url, **more):
    return {
        "subentry_type": "mcp_server",
        "title": "house",
        "unique_id": None,
        "data": {"url": url, "token": "t0ken", **more},
    }


@pytest.mark.parametrize("streams", [False, True])
async def test_an_mcp_servers_tool_is_called(home, endpoint, set_up, mcp, streams):
    server, address = await mcp(streams=streams)
    url = await endpoint(
        Turn(call=FunctionCall("vacuum", {"room": "kitchen"})),
        Turn(expect=Expect(output={"result": "clean"}), say="It is clean."),
    )
    entry = await set_up(url, subentries=[subentry(address, allowed_tools=["vacuum"])])
    (found,) = entry.runtime_data.servers.values()
    (agent,) = entry.runtime_data.agents.values()
    agent.options = {**agent.options, "llm_hass_api": [found.id]}
    assert speech(await converse(home, "Clean the kitchen.")) == "It is clean."
    assert server.calls == [{"name": "vacuum", "arguments": {"room": "kitchen"}}]
    assert found.tools == ["vacuum"]


async def test_an_mcp_server_that_forgot_us_is_greeted_again(home, endpoint, set_up, mcp):
    server, address = await mcp()
    entry = await set_up(await endpoint(Turn(say="Unheard."), complete=False), subentries=[subentry(address)])
    (found,) = entry.runtime_data.servers.values()
    await home.async_block_till_done(wait_background_tasks=True)
    server.sessions += 1
    assert data(await found.call("vacuum", {"room": "hall"})) == {"result": "clean"}
    assert len(server.calls) == 1


async def test_an_mcp_server_that_is_away_is_a_repair(home, endpoint, set_up, mcp):
    server, address = await mcp()
    server.status = 503
    url = await endpoint(Turn(say="I cannot clean."), after="repeat")
    entry = await set_up(url, subentries=[subentry(address)])
    (found,) = entry.runtime_data.servers.values()
    (agent,) = entry.runtime_data.agents.values()
    agent.options = {**agent.options, "llm_hass_api": [found.id]}
    assert speech(await converse(home, "Clean the kitchen.")) == "I cannot clean."
    issues = ir.async_get(home).issues
    assert [key for key in issues if key[0] == DOMAIN] == [(DOMAIN, f"mcp_{found.subentry.subentry_id}")]
    for _ in range(2):
        await converse(home, "Clean the kitchen.")
    assert server.asked == 1
    server.status, found._ask_at = 200, 0
    await converse(home, "Clean the kitchen.")
    assert found.tools == ["vacuum", "explode"]
    assert not [key for key in ir.async_get(home).issues if key[0] == DOMAIN]


async def test_an_mcp_server_that_hangs_holds_nobody_up(home, endpoint, set_up, mcp, monkeypatch):
    """What it offered before is still offered, and it is asked once at a time."""
    monkeypatch.setattr("custom_components.openai_realtime.mcp.FIRST_SECONDS", 0.01)
    server, address = await mcp()
    server.going.clear()
    other, elsewhere = await mcp()
    url = await endpoint(Turn(say="I cannot clean."), after="repeat")
    beside = {**subentry(elsewhere), "title": "beside"}
    entry = await set_up(url, subentries=[subentry(address), beside])
    found, known = entry.runtime_data.servers.values()
    for _ in range(2):
        await converse(home, "Clean the kitchen.")
    assert (server.asked, found.tools) == (1, [])
    server.going.set()
    await home.async_block_till_done(wait_background_tasks=True)
    assert found.tools == known.tools == ["vacuum", "explode"]
    asked, known._ask_at = other.asked, 0
    other.going.clear()
    for _ in range(2):
        await converse(home, "Clean the kitchen.")
    assert other.asked == asked + 1
    assert known.tools == ["vacuum", "explode"]
    other.going.set()


async def test_mcp_servers_are_asked_when_home_assistant_has_started(home, endpoint, set_up, mcp):
    """Its own is not there before."""
    server, address = await mcp()
    home.set_state(CoreState.starting)
    entry = await set_up(await endpoint(Turn(say="Unheard."), complete=False), subentries=[subentry(address)])
    await home.async_block_till_done(wait_background_tasks=True)
    assert not server.asked
    home.set_state(CoreState.running)
    home.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await home.async_block_till_done(wait_background_tasks=True)
    (found,) = entry.runtime_data.servers.values()
    assert found.tools == ["vacuum", "explode"]


async def test_an_mcp_tool_that_needs_approval_waits_for_it(home, endpoint, set_up, mcp):
    server, address = await mcp()
    call = FunctionCall("vacuum", {"room": "kitchen"})
    url = await endpoint(
        Turn(call=call), Turn(say="Shall I?"), Turn(expect="Yes.", call=call), Turn(say="Done.")
    )
    entry = await set_up(url, subentries=[subentry(address, approval="ask")])
    (found,) = entry.runtime_data.servers.values()
    (agent,) = entry.runtime_data.agents.values()
    agent.options = {**agent.options, "llm_hass_api": [found.id]}
    first = await converse(home, "Clean the kitchen.")
    assert first.continue_conversation
    assert not server.calls
    await converse(home, "Yes.", first.conversation_id)
    assert len(server.calls) == 1


async def test_every_agent_has_the_tools_of_a_server_unless_it_says_otherwise(
    home, endpoint, set_up, mcp, caplog
):
    _, address = await mcp()
    url = await endpoint(Turn(say="Unheard."), complete=False)
    shared, private = subentry(address), {**subentry(address, for_all=False), "title": "private"}
    entry = await set_up(url, agent={"llm_hass_api": ["assist", "gone"]}, subentries=[shared, private])
    (agent,) = entry.runtime_data.agents.values()
    for_all, _ = entry.runtime_data.servers.values()
    assert agent.tools() == ["assist", for_all.id]
    assert agent.tools() == ["assist", for_all.id]
    assert caplog.text.count("Ada goes without tools that are gone: gone") == 1


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"text": "{oops", "content_type": "application/json"}, "no JSON"),
        ({"text": "[]", "content_type": "application/json"}, "no answer"),
        ({"text": '{"result": {"tools": 3}}', "content_type": "application/json"}, "no answer"),
        ({"text": '{"error": {"message": "Not today."}}', "content_type": "application/json"}, "Not today"),
        ({"text": '{"error": 3}', "content_type": "application/json"}, "no reason"),
        ({"text": "data: {}\n\n", "content_type": "text/event-stream"}, "no answer"),
        ({"body": b" " * 1_100_000, "content_type": "application/json"}, "more than"),
        ({"body": b"data: " + b" " * 1_100_000, "content_type": "text/event-stream"}, "more than"),
    ],
)
async def test_a_server_that_speaks_something_else_is_not_believed(home, answer, says):
    async def handle(_):
        return web.Response(**answer)

    app = web.Application()
    app.router.add_post("/mcp", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/mcp"
    try:
        with pytest.raises(McpFailed, match=says):
            await McpConnection(async_get_clientsession(home), url, None).tools()
    finally:
        await runner.cleanup()


ODD = [
    "a name",
    {"description": "It has no name."},
    {"name": ""},
    {"name": "vacuum", "description": "There is one already."},
    {"name": "worded", "inputSchema": "none"},
    {"name": "listed", "inputSchema": {"type": "object", "properties": ["room"]}},
    {"name": "unnamed", "inputSchema": {"type": "object", "properties": {"room": "string"}}},
    {"name": "wanting", "inputSchema": {"type": "object", "required": "room"}},
]
"""None of these is a tool."""


async def test_an_odd_tool_silences_no_agent(home, endpoint, set_up, mcp, caplog):
    """What can be understood is put right, the rest left out, and told once."""
    either = {"anyOf": [{"required": ["room"]}], "properties": ROOM["properties"]}
    _, address = await mcp(
        tools=[
            {"name": "vacuum", "inputSchema": ROOM},
            {"name": "mop", "title": 3, "description": {"en": "Wet"}, "inputSchema": either},
            {"name": "wait", "description": "Does nothing.", "inputSchema": None},
            *ODD,
        ]
    )
    url = await endpoint(Turn(say="Fine."))
    entry = await set_up(url, agent={"llm_hass_api": ["assist"]}, subentries=[subentry(address)])
    (found,) = entry.runtime_data.servers.values()
    assert speech(await converse(home, "How are you?")) == "Fine."
    assert found.tools == ["vacuum", "mop", "wait"]
    api = await found.async_get_api_instance(context())
    vacuum, mop, wait = Functions(api).described
    assert vacuum["parameters"] == ROOM
    assert mop["parameters"] == {"type": "object", "properties": ROOM["properties"]}
    assert (mop["description"], api.tools[1].title) == ("", None)
    assert wait["parameters"] == {"type": "object", "properties": {}}
    found._ask_at = 0
    await converse(home, "How are you?")
    await home.async_block_till_done(wait_background_tasks=True)
    assert caplog.text.count("not as tools are described") == 1


@pytest.mark.parametrize(
    ("result", "told"),
    [
        ({"content": [{"type": "image", "data": "…"}]}, {"result": "[image]"}),
        ({"content": None}, {"result": ""}),
        ({"content": None, "structuredContent": {"clean": True}}, {"clean": True}),
        ({"content": [{"type": "text", "text": "a"}], "structuredContent": [1]}, {"result": "a"}),
        ({"content": [{"type": "text", "text": "Stuck."}], "isError": True}, {"error": "Stuck."}),
    ],
)
async def test_what_comes_of_an_mcp_tool(home, endpoint, set_up, mcp, result, told):
    _, address = await mcp(result=result)
    entry = await set_up(await endpoint(Turn(say="Unheard."), complete=False), subentries=[subentry(address)])
    (found,) = entry.runtime_data.servers.values()
    assert data(await found.call("vacuum", {"room": "hall"})) == told


@pytest.mark.parametrize("content", ["clean", ["clean"], {"text": "clean"}])
async def test_a_result_that_is_none_is_not_believed(home, endpoint, set_up, mcp, content):
    _, address = await mcp(result={"content": content})
    entry = await set_up(await endpoint(Turn(say="Unheard."), complete=False), subentries=[subentry(address)])
    (found,) = entry.runtime_data.servers.values()
    with pytest.raises(McpFailed, match="no answer"):
        await found.call("vacuum", {"room": "hall"})


async def test_no_server_is_asked_through_home_assistants_own(home, endpoint, set_up, mcp):
    """That one offers every API, so that a server could come to ask itself."""
    _, address = await mcp()
    url = await endpoint(Turn(say="Unheard."), complete=False)
    entry = await set_up(url, subentries=[subentry(address)])
    (found,) = entry.runtime_data.servers.values()
    through = context()
    through.platform = "mcp_server"
    assert not (await found.async_get_api_instance(through)).tools
    assert len((await found.async_get_api_instance(context())).tools) == 2
