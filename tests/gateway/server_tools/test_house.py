import json

import pytest

from tests.gateway.doubles import ScriptedUpstream, gateway
from vivavoce.client.functions import describe
from vivavoce.client.toolbox import Toolbox
from vivavoce.gateway.opening import Caller, Opening
from vivavoce.gateway.policy import Policy, Rules, ToolRules
from vivavoce.gateway.server_tools.house import ServerTools, open_tools
from vivavoce.gateway.settings import GatewaySettings
from vivavoce.protocol.session_params import RealtimeSessionParams, TranscriptionSessionParams
from vivavoce.protocol.tools import FunctionTool


async def one() -> str:
    """Say one."""
    return "1"


async def two() -> str:
    """Say two."""
    return "2"


def opening(params=None, **more):
    return Opening("sess_1", Caller("ada"), "m", params or RealtimeSessionParams(), "ga", 0.0, **more)


def house(**rules):
    return ServerTools(Toolbox(describe(one), describe(two)), Policy(default=Rules(tools=ToolRules(**rules))))


def names(opening):
    return [tool.name for tool in opening.params.tools or []]


def test_a_session_gets_the_tools_that_its_policy_names():
    assert names(house(serve=["two"]).begin(opening())) == ["two"]
    own = RealtimeSessionParams(tools=[FunctionTool(name="mine")])
    assert names(house(serve=["*"]).begin(opening(own))) == ["mine", "one", "two"]
    clash = RealtimeSessionParams(tools=[FunctionTool(name="one"), FunctionTool(name="mine")])
    assert names(house(serve=["*"]).begin(opening(clash))) == ["mine", "one", "two"]
    for none in (
        house(),
        house(serve=[]),
        house(serve=["three"]),
        ServerTools(Toolbox(describe(one)), Policy()),
    ):
        assert names(none.begin(opening())) == []
        assert none.stage(opening()) is None


def test_neither_transcriptions_nor_calls_of_others_have_tools():
    for other in (opening(TranscriptionSessionParams()), opening(call_id="rtc_1")):
        assert house(serve=["*"]).begin(other) is other
        assert house(serve=["*"]).stage(other) is None


async def test_a_tool_is_called_for_its_user_through_the_whole_gateway(tmp_path):
    (tmp_path / "policy.yaml").write_text("default: {tools: {serve: ['*']}}")

    def reply(data):
        event = json.loads(data)
        if event["type"] == "response.create" and "metadata" not in event.get("response", {}):
            call = {
                "type": "function_call",
                "id": "i",
                "name": "get_memory",
                "call_id": "c",
                "arguments": "{}",
                "status": "completed",
            }
            return [
                {
                    "type": "response.created",
                    "event_id": "e",
                    "response": {"id": "r", "conversation_id": "c"},
                },
                {"type": "conversation.item.added", "event_id": "e", "item": call},
                {
                    "type": "response.output_item.done",
                    "event_id": "e",
                    "response_id": "r",
                    "output_index": 0,
                    "item": call,
                },
                {
                    "type": "response.done",
                    "event_id": "e",
                    "response": {"id": "r", "conversation_id": "c", "output": [call]},
                },
            ]
        return [{"type": "heard", "event": event}]

    settings = {
        "policy": tmp_path / "policy.yaml",
        "tools": ("memory",),
        "memory_file": tmp_path / "memory.sqlite",
    }
    async with gateway(ScriptedUpstream(reply=reply), **settings) as running, running.connect() as ws:
        await ws.receive_json()
        await ws.send_json({"type": "response.create"})
        heard = [await ws.receive_json() for _ in range(4)]
    assert [event["type"] for event in heard] == ["response.created", "response.done", "heard", "heard"]
    assert heard[1]["response"]["output"] == []
    assert heard[2]["event"]["item"]["type"] == "function_call_output"
    assert heard[3]["event"]["type"] == "response.create"
    assert {tool.name for tool in running.upstream.sessions[0].params.tools} == {
        "set_memory",
        "get_memory",
        "delete_memory",
    }


@pytest.mark.parametrize(("chosen", "expected"), [((), 0), (("weather",), 1), (("memory", "weather"), 4)])
async def test_the_settings_say_which_tools_there_are(tmp_path, chosen, expected):
    toolbox = Toolbox()
    async for _ in open_tools(GatewaySettings(tools=chosen, memory_file=tmp_path / "m"), toolbox.add):
        assert len(toolbox) == expected
