import pytest

from vivavoce.engine.models.protocols import Function
from vivavoce.engine.session.tools import ToolLimits, check_choice, check_tools, choice, functions, length
from vivavoce.errors import ProtocolError
from vivavoce.protocol.tools import FunctionTool, McpServerTool, ToolChoiceFunction, ToolChoiceMcp

WEATHER = FunctionTool(name="get_weather", description="Tell it.", parameters={"type": "object"})
TIME = FunctionTool(name="get_time")


def test_functions_are_told_as_json():
    assert functions([WEATHER, TIME, McpServerTool(server_label="home")]) == (
        Function("get_weather", "Tell it.", '{"type":"object"}'),
        Function("get_time", "", "{}"),
    )


def test_what_a_model_reads_of_a_function():
    assert length(Function("ab", "cde", "{}")) == 7


def test_there_is_room_for_so_much_and_no_more():
    room = sum(map(length, functions([WEATHER, TIME])))
    check_tools([WEATHER, TIME], "session.tools", ToolLimits(room))
    with pytest.raises(ProtocolError, match=f"may have {room - 1} characters here, and these have {room}"):
        check_tools([WEATHER, TIME], "session.tools", ToolLimits(room - 1))


@pytest.mark.parametrize(
    ("tools", "param", "words"),
    [
        ([WEATHER, TIME, WEATHER], "tools[2].name", "Two tools are named 'get_weather'"),
        ([McpServerTool(server_label="home")], "tools[0].type", "calls no MCP servers"),
    ],
)
def test_tools_that_cannot_be_called(tools, param, words):
    with pytest.raises(ProtocolError, match=words) as refused:
        check_tools(tools, "tools", ToolLimits(1000))
    assert refused.value.param == param


@pytest.mark.parametrize("wanted", ["auto", "none", "required", ToolChoiceFunction(name="get_time")])
def test_choices_that_can_be_followed(wanted):
    check_choice(wanted, [WEATHER, TIME], "session.tool_choice")


@pytest.mark.parametrize(
    ("wanted", "param", "words"),
    [
        (
            ToolChoiceFunction(name="f"),
            "response.tool_choice.name",
            "There is no tool 'f' in 'response.tools'",
        ),
        (ToolChoiceMcp(server_label="home"), "response.tool_choice.type", "Supported values are: 'function'"),
    ],
)
def test_choices_that_cannot(wanted, param, words):
    with pytest.raises(ProtocolError, match=words) as refused:
        check_choice(wanted, [WEATHER, TIME], "response.tool_choice")
    assert refused.value.param == param


def test_what_choices_mean():
    assert choice("auto") == ("auto", None)
    assert choice("required") == ("required", None)
    assert choice(ToolChoiceFunction(name="get_time")) == ("required", "get_time")


@pytest.mark.parametrize("name", ["", "get weather", "get.weather", "wetter_ä", "x" * 65])
def test_names_that_cannot_be_called(name):
    with pytest.raises(ProtocolError, match="1 to 64 letters") as refused:
        check_tools([FunctionTool(name=name)], "tools", ToolLimits(1000))
    assert refused.value.param == "tools[0].name"


def test_parameters_are_those_of_an_object():
    with pytest.raises(ProtocolError, match="""schema of type "object", and got 'array'""") as refused:
        check_tools([FunctionTool(name="f", parameters={"type": "array"})], "tools", ToolLimits(1000))
    assert (refused.value.code, refused.value.param) == ("invalid_function_parameters", "tools[0].parameters")


def test_a_language_model_may_be_choosy():
    def check(function):
        if function.name == "get_time":
            raise ValueError("Expected a weather.")

    with pytest.raises(ProtocolError, match=r"function 'get_time'\. Expected a weather\.") as refused:
        check_tools([WEATHER, TIME], "tools", ToolLimits(1000, check))
    assert refused.value.param == "tools[1].parameters"
