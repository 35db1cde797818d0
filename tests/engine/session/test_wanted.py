import random

import msgspec
import pytest

from vivavoce.engine.session.conversation import Conversation, Entry
from vivavoce.engine.session.tools import ToolLimits
from vivavoce.engine.session.wanted import wanted
from vivavoce.errors import ProtocolError
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.responses import ResponseCreateParams
from vivavoce.protocol.session import AudioPcmu, RealtimeSession
from vivavoce.protocol.tools import FunctionTool, ToolChoiceFunction

SESSION = RealtimeSession(
    id="sess_1",
    instructions="Be brief.",
    tools=[FunctionTool(name="f")],
    max_output_tokens=100,
    parallel_tool_calls=False,
)
OWN = {"type": "function", "name": "g"}


def want(session=SESSION, **fields):
    params = msgspec.convert(fields, ResponseCreateParams)
    conversation = Conversation()
    conversation.insert(Entry("item_1", "message", role="user"))
    ids = Ids(random.Random(7))
    return wanted(session, params, conversation, ids, voices=("alloy", "marin"), tool_limits=ToolLimits(100))


def test_of_itself_a_response_is_as_the_session_says():
    usual = want()
    assert (usual.modality, usual.voice, usual.speed) == ("audio", "alloy", 1.0)
    assert (usual.instructions, usual.max_output_tokens, usual.metadata) == ("Be brief.", 100, None)
    assert [function.name for function in usual.functions] == ["f"]
    assert (usual.tool_choice, usual.must_call, usual.parallel_calls) == ("auto", None, False)
    assert (usual.out_of_band, usual.context) == (False, None)


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"output_modalities": ["text"]}, "modality", "text"),
        ({"audio": {"output": {"voice": "marin"}}}, "voice", "marin"),
        ({"audio": {"output": {"format": {"type": "audio/pcmu"}}}}, "audio_format", AudioPcmu()),
        ({"instructions": "Rhyme."}, "instructions", "Rhyme."),
        ({"max_output_tokens": "inf"}, "max_output_tokens", "inf"),
        ({"metadata": {"a": "b"}}, "metadata", {"a": "b"}),
        ({"parallel_tool_calls": True}, "parallel_calls", True),
        ({"tool_choice": "none"}, "tool_choice", "none"),
        ({"conversation": "none"}, "out_of_band", True),
        ({"input": []}, "context", ()),
    ],
)
def test_what_the_client_asks_for_goes_first(fields, name, value):
    asked = want(**fields)
    assert getattr(asked, name) == value
    for other in asked.__slots__:
        if other != name:
            assert getattr(asked, other) == getattr(want(), other)


def test_the_sessions_choice_is_for_the_sessions_tools():
    session = msgspec.structs.replace(SESSION, tool_choice=ToolChoiceFunction(name="f"))
    assert want(session).must_call == "f"
    own = want(session, tools=[OWN])
    assert (own.tool_choice, own.must_call) == ("auto", None)
    chosen = want(session, tools=[OWN], tool_choice={"type": "function", "name": "g"})
    assert (chosen.tool_choice, chosen.must_call) == ("required", "g")


def test_items_and_references_are_a_context():
    said = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}
    first, second = want(input=[{"type": "item_reference", "id": "item_1"}, said]).context
    assert (first.id, second.text) == ("item_1", "Hello")
    assert second.id.startswith("item_")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": {"id": "p"}}, "response.prompt"),
        ({"conversation": "conv_1"}, "response.conversation"),
        ({"audio": {"output": {"voice": "nobody"}}}, "response.audio.output.voice"),
        ({"output_modalities": ["text", "audio"]}, "response.output_modalities"),
        ({"tools": [OWN, OWN]}, "response.tools[1].name"),
        ({"tools": [OWN | {"description": "long " * 50}]}, "response.tools"),
        ({"tool_choice": {"type": "function", "name": "g"}}, "response.tool_choice.name"),
        ({"input": [{"type": "item_reference", "id": "item_2"}]}, "response.input[0].id"),
    ],
)
def test_what_cannot_be_had_is_refused(fields, param):
    with pytest.raises(ProtocolError) as refused:
        want(**fields)
    assert refused.value.param == param
