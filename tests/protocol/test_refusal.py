import json
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocol.strategies import json_of
from vivavoce.errors import ProtocolError
from vivavoce.protocol.client_events import ClientEvent
from vivavoce.protocol.codec import decode_client_event, decode_server_event


def refuse(data: str | bytes) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        decode_client_event(data)
    assert caught.value.type == "invalid_request_error"
    return caught.value


def event(type_: str, **fields: Any) -> str:
    return json.dumps({"type": type_, "event_id": "evt_1", **fields})


def session(**fields: Any) -> str:
    return event("session.update", session={"type": "realtime", **fields})


def heard(**fields: Any) -> str:
    return session(audio={"input": fields})


def item(**fields: Any) -> str:
    return event("conversation.item.create", item=fields)


def response(**fields: Any) -> str:
    return event("response.create", response=fields)


MISSING = [
    (json.dumps({"event_id": "evt_1"}), "type"),
    (event("session.update"), "session"),
    (event("session.update", session={}), "session.type"),
    (event("input_audio_buffer.append"), "audio"),
    (session(tools=[{"name": "f"}]), "session.tools[0].type"),
    (session(tools=[{"type": "function", "name": "f"}, {"type": "function"}]), "session.tools[1].name"),
    (item(type="message", content=[]), "item.role"),
    (heard(noise_reduction={}), "session.audio.input.noise_reduction.type"),
]

UNKNOWN = [
    (event("input_audio_buffer.clear", foo=1), "foo"),
    (session(voice="alloy"), "session.voice"),
    (session(type_=1), "session.type_"),
    (heard(foo=1), "session.audio.input.foo"),
    (heard(format={"type": "audio/pcmu", "rate": 8000}), "session.audio.input.format.rate"),
    (session(tools=[{"type": "function", "name": "f", "strict": True}]), "session.tools[0].strict"),
    (session(audio={"output": {"voice": {"id": "voice_1", "age": 7}}}), "session.audio.output.voice.age"),
    (item(type="message", id="", role="user", content=[], colour=""), "item.colour"),
    (
        item(type="message", role="user", content=[{"type": "input_text", "text": "", "foo": 1}]),
        "item.content[0].foo",
    ),
    (response(modalities=["text"]), "response.modalities"),
    (response(input=[{"type": "item_reference", "id": "a", "b": 1}]), "response.input[0].b"),
]

WRONG_TYPE = [
    (event("session.update", session=None), "session", "an object", "null"),
    (session(instructions=5), "session.instructions", "a string", "an integer"),
    (session(tools={}), "session.tools", "an array", "an object"),
    (session(tool_choice=[]), "session.tool_choice", "a string or an object", "an array"),
    (
        session(max_output_tokens=1.5),
        "session.max_output_tokens",
        "an integer or a string",
        "a decimal number",
    ),
    (
        session(audio={"output": {"speed": "fast"}}),
        "session.audio.output.speed",
        "a number",
        "a string",
    ),
    (
        heard(turn_detection={"type": "server_vad", "create_response": "no"}),
        "session.audio.input.turn_detection.create_response",
        "a boolean",
        "a string",
    ),
    (event("input_audio_buffer.append", audio=True), "audio", "a string", "a boolean"),
    (response(metadata={"a": "b", "c": 1}), "response.metadata", "a string", "an integer"),
]

CHOICES = [
    (event("session.update", session={"type": "x"}), "session.type", "'x'", "'realtime' and 'transcription'"),
    (session(max_output_tokens="x"), "session.max_output_tokens", "'x'", "'inf'"),
    (session(tool_choice="x"), "session.tool_choice", "'x'", "'auto', 'none', and 'required'"),
    (session(tool_choice={"type": "x"}), "session.tool_choice.type", "'x'", "'function' and 'mcp'"),
    (session(output_modalities=["x"]), "session.output_modalities[0]", "'x'", "'audio' and 'text'"),
    (
        heard(format={"type": "pcm16"}),
        "session.audio.input.format.type",
        "'pcm16'",
        "'audio/pcm', 'audio/pcmu', and 'audio/pcma'",
    ),
    (
        heard(format={"type": "audio/pcm", "rate": 16000}),
        "session.audio.input.format.rate",
        "16000",
        "24000",
    ),
    (
        heard(turn_detection={"type": "none"}),
        "session.audio.input.turn_detection.type",
        "'none'",
        "'server_vad' and 'semantic_vad'",
    ),
    (item(type="message", role="bot", content=[]), "item.role", "'bot'", "'assistant', 'system', and 'user'"),
    (
        item(type="message", role="user", content=[{"type": "output_text", "text": ""}]),
        "item.content[0].type",
        "'output_text'",
        "'input_text', 'input_audio', and 'input_image'",
    ),
    (
        response(input=[{"type": "message", "role": "system", "content": [{"type": "input_audio"}]}]),
        "response.input[0].content[0].type",
        "'input_audio'",
        "'input_text'",
    ),
]

BOUNDS = [
    (
        session(max_output_tokens=5000),
        "integer above maximum value. Expected a value <= 4096, but got 5000 instead.",
    ),
    (session(max_output_tokens=0), "integer below minimum value. Expected a value >= 1, but got 0 instead."),
    (
        session(audio={"output": {"speed": 2}}),
        "decimal above maximum value. Expected a value <= 1.5, but got 2 instead.",
    ),
    (
        heard(turn_detection={"type": "server_vad", "threshold": -0.5}),
        "decimal below minimum value. Expected a value >= 0.0, but got -0.5 instead.",
    ),
    (
        event("conversation.item.truncate", item_id="a", content_index=0, audio_end_ms=-1),
        "integer below minimum value. Expected a value >= 0, but got -1 instead.",
    ),
    (response(metadata={"a" * 65: ""}), "expected a string of length <= 64."),
    (response(metadata={"a": "b" * 513}), "expected a string of length <= 512."),
    (response(metadata={str(n): "" for n in range(17)}), "expected an object of length <= 16."),
]


@pytest.mark.parametrize(("data", "param"), MISSING)
def test_a_missing_field(data, param):
    error = refuse(data)
    assert (error.code, error.param, error.event_id) == ("missing_required_parameter", param, "evt_1")
    assert error.message == f"Missing required parameter: '{param}'."


@pytest.mark.parametrize(("data", "param"), UNKNOWN)
def test_an_unknown_field(data, param):
    error = refuse(data)
    assert (error.code, error.param, error.event_id) == ("unknown_parameter", param, "evt_1")
    assert error.message == f"Unknown parameter: '{param}'."


@pytest.mark.parametrize(("data", "param", "expected", "got"), WRONG_TYPE)
def test_a_field_of_the_wrong_type(data, param, expected, got):
    error = refuse(data)
    assert (error.code, error.param, error.event_id) == ("invalid_type", param, "evt_1")
    assert error.message == f"Invalid type for '{param}': expected {expected}, but got {got} instead."


@pytest.mark.parametrize(("data", "param", "value", "supported"), CHOICES)
def test_a_value_that_is_no_choice(data, param, value, supported):
    error = refuse(data)
    assert (error.code, error.param, error.event_id) == ("invalid_value", param, "evt_1")
    assert error.message == f"Invalid value: {value}. Supported values are: {supported}."


@pytest.mark.parametrize(("data", "message"), BOUNDS)
def test_a_value_out_of_bounds(data, message):
    error = refuse(data)
    bound = message.partition(". Expected")[0].replace("imum", "").replace(" ", "_")
    code = bound if "Expected" in message else "invalid_value"
    assert (error.code, error.event_id) == (code, "evt_1")
    assert error.message == f"Invalid '{error.param}': {message}"


@pytest.mark.parametrize("modalities", [["audio", "text"], []])
def test_modalities_other_than_one(modalities):
    for data, where in (
        (session(output_modalities=modalities), "session"),
        (response(output_modalities=modalities), "response"),
    ):
        error = refuse(data)
        assert (error.code, error.param, error.event_id) == (
            "invalid_value",
            f"{where}.output_modalities",
            "evt_1",
        )
        said = ", ".join(f"'{modality}'" for modality in modalities)
        assert error.message == (
            f"Invalid modalities: [{said}]. Supported combinations are: ['text'] and ['audio']."
        )


def test_an_unknown_event():
    error = refuse(event("sing"))
    assert (error.code, error.param, error.event_id) == ("invalid_value", "type", "evt_1")
    assert error.message.startswith(
        "Invalid value: 'sing'. Supported values are: 'input_audio_buffer.append', "
    )
    for known in get_args(ClientEvent):
        assert f"'{known.__struct_config__.tag}'" in error.message


@pytest.mark.parametrize("type_", [None, 5, [], {}])
def test_a_type_that_is_no_text(type_):
    error = refuse(json.dumps({"type": type_, "event_id": "evt_1"}))
    assert (error.code, error.param, error.event_id) == ("invalid_type", "type", "evt_1")


@pytest.mark.parametrize(("data", "kind"), [("[]", "an array"), ("3", "an integer"), ("null", "null")])
def test_json_that_is_no_object(data, kind):
    error = refuse(data)
    assert (error.code, error.param, error.event_id) == ("invalid_type", None, None)
    assert error.message == f"Invalid type: expected an object, but got {kind} instead."


@pytest.mark.parametrize(
    "data",
    [
        "",
        "{",
        "hello",
        '{"type":"response.create"} {}',
        '{"type":5,',
        b"\xff",
        b'{"type":"input_audio_buffer.append","audio":"\xff"}',
        "\ud800",
        "[" * 100_000,
        '{"a":' * 100_000,
    ],
)
def test_what_is_no_json(data):
    error = refuse(data)
    assert (error.code, error.param, error.event_id) == ("invalid_json", None, None)
    assert error.message.startswith("Invalid event: failed to parse JSON value. ")


def test_an_event_id_that_is_no_text_is_refused_and_not_repeated():
    error = refuse('{"type":"input_audio_buffer.clear","event_id":5}')
    assert (error.code, error.param, error.event_id) == ("invalid_type", "event_id", None)


def test_a_long_value_is_not_repeated_whole():
    assert len(refuse(session(tool_choice="x" * 10_000)).message) < 300


def test_a_name_that_stands_twice():
    error = refuse('{"type":"session.update","session":{"type":"realtime","audio":5},"session":3}')
    assert (error.code, error.param) == ("invalid_value", "session.audio")


def test_a_field_that_is_called_like_the_decoder_speaks():
    error = refuse(json.dumps({"type": "input_audio_buffer.clear", "x` - at `$.session": 1}))
    assert error.code == "unknown_parameter"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """An event in which something, somewhere, is replaced by anything."""
    sent: Any = draw(st.sampled_from(get_args(ClientEvent)).flatmap(json_of))
    place = sent
    while True:
        key = draw(
            st.sampled_from(sorted(place)) if isinstance(place, dict) else st.sampled_from(range(len(place)))
        )
        if isinstance(place[key], dict | list) and place[key] and draw(st.booleans()):
            place = place[key]
        else:
            place[key] = draw(JSON)
            return json.dumps(sent)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary() | st.text() | JSON.map(json.dumps) | damaged())
def test_nothing_but_a_protocol_error_comes_of_bad_input(data):
    for read in decode_client_event, decode_server_event:
        try:
            read(data)
        except ProtocolError as error:
            refused = error
        else:
            continue
        assert refused.message
        assert refused.code
