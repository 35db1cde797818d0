import json
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.realtime import RealtimeServerEvent
from pydantic import BaseModel, TypeAdapter

from tests.protocol.strategies import json_of
from vivavoce.errors import ProtocolError
from vivavoce.protocol import server_events
from vivavoce.protocol.codec import decode_server_event, encode
from vivavoce.protocol.server_events import ErrorDetails, ErrorEvent, ServerEvent

OURS = {event.__struct_config__.tag: event for event in get_args(ServerEvent)}
OFFICIAL: dict[str, type[BaseModel]] = {
    get_args(model.model_fields["type"].annotation)[0]: model
    for model in get_args(get_args(RealtimeServerEvent)[0])
}
VALIDATE: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)

ONLY_ON_THE_WIRE = {
    "conversation.item.input_audio_transcription.delta": {"obfuscation"},
    "response.function_call_arguments.delta": {"obfuscation"},
    "response.output_audio_transcript.delta": {"obfuscation"},
    "response.output_text.delta": {"obfuscation"},
    "input_audio_buffer.dtmf_event_received": {"event_id"},
}
"""Fields that recorded sessions have, or that we allow, and the official package does not list."""


def test_the_events_are_those_of_the_official_package():
    assert len(OURS) == 46
    assert OURS.keys() == OFFICIAL.keys()


@pytest.mark.parametrize("type_", OURS)
def test_a_class_is_called_as_its_type_and_has_the_official_fields(type_):
    name = type_.replace(".", "_").title().replace("_", "")
    assert OURS[type_].__name__ == {"Error": "ErrorEvent"}.get(name, name)
    assert OURS[type_].__name__ in server_events.__all__
    extra = ONLY_ON_THE_WIRE.get(type_, set())
    assert {*OURS[type_].__struct_encode_fields__, "type"} == set(OFFICIAL[type_].model_fields) | extra


@pytest.mark.parametrize("type_", OURS)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data())
def test_every_event_survives_and_is_valid_to_the_official_package(type_, data):
    sent = data.draw(json_of(OURS[type_]))
    event = decode_server_event(json.dumps(sent))
    written = encode(event)
    assert type(event) is OURS[type_]
    assert event.type == type_
    assert json.loads(written) == sent
    VALIDATE.validate_json(written, strict=True)


def test_an_error_event_tells_all_of_a_protocol_error():
    error = ProtocolError("No.", code="invalid_value", param="session.type", event_id="evt_1")
    event = ErrorEvent.of(error)
    assert event.error == ErrorDetails(
        type="invalid_request_error",
        code="invalid_value",
        message="No.",
        param="session.type",
        event_id="evt_1",
    )
    event.event_id = "event_1"
    assert encode(event) == (
        b'{"type":"error","event_id":"event_1","error":{"type":"invalid_request_error","code":"invalid_value",'
        b'"message":"No.","param":"session.type","event_id":"evt_1"}}'
    )


def test_an_error_without_an_event_says_null():
    event = ErrorEvent.of(ProtocolError("No."))
    assert (event.error.code, event.error.param, event.error.event_id) == (None, None, None)
