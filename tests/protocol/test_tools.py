import json

import msgspec
import pytest

from vivavoce.protocol.tools import FunctionTool, Tool, ToolChoice

SENT = [
    {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}},
    {"type": "mcp", "server_label": "s", "allowed_tools": ["a"], "require_approval": "never"},
    {
        "type": "mcp",
        "server_label": "s",
        "server_url": "https://mcp.test",
        "allowed_tools": {"read_only": True},
        "require_approval": {"always": {"tool_names": ["a"]}},
    },
]


@pytest.mark.parametrize("sent", SENT)
def test_tools_survive(sent):
    assert json.loads(msgspec.json.encode(msgspec.convert(sent, Tool))) == sent


@pytest.mark.parametrize(
    "sent",
    ["auto", "none", "required", {"type": "function", "name": "f"}, {"type": "mcp", "server_label": "s"}],
)
def test_choices_survive(sent):
    assert json.loads(msgspec.json.encode(msgspec.convert(sent, ToolChoice))) == sent


def test_a_function_needs_no_parameters():
    assert msgspec.json.encode(FunctionTool(name="f")) == b'{"type":"function","name":"f"}'
