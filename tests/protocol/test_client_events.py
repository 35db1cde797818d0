import json
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from openai.types.realtime import RealtimeClientEvent
from pydantic import BaseModel, TypeAdapter

from tests.protocol.strategies import json_of
from vivavoce.protocol.client_events import ClientEvent, InputAudioBufferClear, SessionUpdate
from vivavoce.protocol.codec import decode_client_event, encode
from vivavoce.protocol.session_params import AudioInputParams, AudioParams, RealtimeSessionParams

OURS = {event.__struct_config__.tag: event for event in get_args(ClientEvent)}
OFFICIAL: dict[str, type[BaseModel]] = {
    get_args(model.model_fields["type"].annotation)[0]: model
    for model in get_args(get_args(RealtimeClientEvent)[0])
}
VALIDATE: TypeAdapter[Any] = TypeAdapter(RealtimeClientEvent)


def references(sent: dict[str, Any]) -> bool:
    """Tell whether an event names items to answer, which OpenAI documents but its package cannot express."""
    items = (sent.get("response") or {}).get("input") or []
    return any(item["type"] == "item_reference" for item in items)


def test_the_events_are_those_of_the_official_package():
    assert len(OURS) == 11
    assert OURS.keys() == OFFICIAL.keys()


@pytest.mark.parametrize("type_", OURS)
def test_a_class_is_called_as_its_type_and_has_the_official_fields(type_):
    assert OURS[type_].__name__ == type_.replace(".", "_").title().replace("_", "")
    assert {*OURS[type_].__struct_encode_fields__, "type"} == set(OFFICIAL[type_].model_fields)


@pytest.mark.parametrize("type_", OURS)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data())
def test_every_event_survives_and_is_valid_to_the_official_package(type_, data):
    sent = data.draw(json_of(OURS[type_]))
    event = decode_client_event(json.dumps(sent))
    written = encode(event)
    assert type(event) is OURS[type_]
    assert event.type == type_
    assert json.loads(written) == sent
    if not references(sent):
        VALIDATE.validate_json(written, strict=True)


def test_absent_and_null_are_two_things():
    def update(**audio_input):
        return encode(
            SessionUpdate(
                session=RealtimeSessionParams(audio=AudioParams(input=AudioInputParams(**audio_input)))
            )
        )

    assert update() == b'{"type":"session.update","session":{"type":"realtime","audio":{"input":{}}}}'
    assert update(turn_detection=None).endswith(b'{"input":{"turn_detection":null}}}}')
    for sent in update(), update(turn_detection=None):
        assert encode(decode_client_event(sent)) == sent


def test_an_event_id_is_sent_only_if_there_is_one():
    assert InputAudioBufferClear().event_id is UNSET
    assert encode(InputAudioBufferClear()) == b'{"type":"input_audio_buffer.clear"}'
    assert msgspec.json.decode(encode(InputAudioBufferClear(event_id="evt_1")))["event_id"] == "evt_1"
