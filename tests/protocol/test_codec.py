import json
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocol.recorded import frames
from vivavoce.errors import ProtocolError
from vivavoce.protocol import codec
from vivavoce.protocol.client_events import InputAudioBufferAppend, InputAudioBufferClear, SessionUpdate
from vivavoce.protocol.codec import (
    Frame,
    UnknownEvent,
    decode_client_event,
    decode_server_event,
    decode_with,
    encode,
    event_type,
)
from vivavoce.protocol.server_events import (
    InputAudioBufferCleared,
    InputAudioBufferDtmfEventReceived,
    ResponseDone,
    ResponseOutputAudioDelta,
)

CLIENT, SERVER = list(frames("C")), list(frames("S"))


def type_first(value: Any) -> Any:
    """Put ``type`` first in every object: there alone our order differs from the wire's."""
    if isinstance(value, dict):
        first = {"type": value["type"]} if "type" in value else {}
        return first | {name: type_first(each) for name, each in value.items()}
    return [type_first(each) for each in value] if isinstance(value, list) else value


def test_there_are_recordings():
    assert (len(CLIENT), len(SERVER)) == (331, 564)


def test_every_recorded_client_event_survives():
    for sent in CLIENT:
        assert json.loads(encode(decode_client_event(json.dumps(sent)))) == sent


def test_every_recorded_server_event_survives_in_the_same_order_of_fields():
    for sent in SERVER:
        event = decode_server_event(json.dumps(sent))
        assert not isinstance(event, UnknownEvent)
        written = json.loads(encode(event))
        assert json.dumps(type_first(written)) == json.dumps(type_first(sent))


def test_text_and_bytes_are_read_alike():
    text = '{"type":"input_audio_buffer.append","audio":"AAA="}'
    assert (
        decode_client_event(text)
        == decode_client_event(text.encode())
        == InputAudioBufferAppend(audio="AAA=")
    )
    assert event_type(text) == event_type(text.encode()) == "input_audio_buffer.append"


def test_server_events_may_have_unknown_fields():
    event = decode_server_event('{"type":"input_audio_buffer.cleared","event_id":"event_1","colour":"blue"}')
    assert event == InputAudioBufferCleared(event_id="event_1")


def test_a_server_event_of_unknown_type_loses_nothing():
    sent = {"type": "session.sung", "event_id": "event_1", "song": [{"verse": 1}]}
    event = decode_server_event(json.dumps(sent))
    assert isinstance(event, UnknownEvent)
    assert (event.type, event.data) == ("session.sung", sent)
    assert "session.sung" in event.reason
    assert json.loads(encode(event)) == sent


@pytest.mark.parametrize(
    "item",
    [{"type": "haiku", "id": "item_1"}, {"type": "message", "id": "item_1", "role": "bard", "content": []}],
)
def test_a_server_event_with_unknown_content_loses_nothing(item):
    sent = {"type": "conversation.item.done", "event_id": "event_1", "item": item}
    event = decode_server_event(json.dumps(sent))
    assert isinstance(event, UnknownEvent)
    assert event.data == sent
    assert "$.item" in event.reason


def test_a_server_that_leaves_out_event_ids_is_understood():
    assert decode_server_event('{"type":"input_audio_buffer.cleared"}') == InputAudioBufferCleared()


def test_what_openai_sends_whole_reads_as_its_defaults_when_a_server_leaves_it_out():
    event = decode_server_event(
        '{"type":"response.done","event_id":"e","response":{"id":"resp_1","usage":{}}}'
    )
    assert isinstance(event, ResponseDone)
    assert (event.response.output, event.response.status_details) == ([], None)
    assert event.response.usage is not None
    assert event.response.usage.total_tokens == 0


@pytest.mark.parametrize(
    "data", ["", "{", "nonsense", b"\xff\xfe", "\ud800", "[" * 100_000, '{"type":"a"} b']
)
def test_a_server_that_sends_no_json_is_refused(data):
    for read in decode_server_event, event_type, Frame:
        with pytest.raises(ProtocolError, match="failed to parse JSON value") as caught:
            read(data)
        assert caught.value.code == "invalid_json"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("[]", "expected an object, but got an array"),
        ("{}", "Missing required parameter: 'type'."),
        ('{"type":7}', "Invalid type for 'type': expected a string, but got an integer"),
    ],
)
def test_a_server_that_sends_no_event_is_refused(data, message):
    for read in decode_server_event, event_type, Frame:
        with pytest.raises(ProtocolError, match=message):
            read(data)


def test_an_event_without_an_id_is_not_sent():
    with pytest.raises(ValueError, match=r"input_audio_buffer\.cleared has no event_id"):
        encode(InputAudioBufferCleared())


def test_the_one_event_that_needs_no_id_is_sent():
    event = InputAudioBufferDtmfEventReceived(event="9", received_at=1)
    assert encode(event) == b'{"type":"input_audio_buffer.dtmf_event_received","event":"9","received_at":1}'


UPDATE = '{ "type":"session.update", "session": {"type": "realtime","future":[1.0, 1e3]}, "event_id":"a" }'


def test_a_frame_reads_its_type_and_decodes_on_demand():
    frame = Frame('{"type":"input_audio_buffer.clear","event_id":"a"}')
    assert frame.type == "input_audio_buffer.clear"
    assert frame.client_event() == InputAudioBufferClear(event_id="a")
    assert Frame.of(InputAudioBufferClear(event_id="a")) == frame
    assert repr(frame) == "<Frame input_audio_buffer.clear, 50 bytes>"
    delta = SERVER[
        next(i for i, event in enumerate(SERVER) if event["type"] == "response.output_audio.delta")
    ]
    assert isinstance(Frame(json.dumps(delta)).server_event(), ResponseOutputAudioDelta)


def test_a_frame_tells_its_fields_whatever_they_are():
    assert Frame(UPDATE).fields()["session"] == {"type": "realtime", "future": [1.0, 1000.0]}
    with pytest.raises(ProtocolError, match="parse JSON"):
        Frame(b'{"type":"x","deep":' + b"[" * 5000 + b"]" * 5000 + b"}").fields()


def test_a_frame_whose_fields_are_replaced_keeps_all_others_byte_for_byte():
    frame = Frame(UPDATE).replace(event_id="b", added=[None])
    assert frame.data == (
        b'{"type":"session.update","session":{"type": "realtime","future":[1.0, 1e3]},'
        b'"event_id":"b","added":[null]}'
    )


def test_a_frame_takes_structs_for_fields_and_unset_takes_them_out():
    session = SessionUpdate(
        session=msgspec.convert({"type": "realtime"}, SessionUpdate.__annotations__["session"])
    )
    frame = Frame(UPDATE).replace(session=session.session, event_id=msgspec.UNSET)
    assert frame.data == b'{"type":"session.update","session":{"type":"realtime"}}'


def test_a_frame_can_become_another_event_but_not_none():
    assert Frame(UPDATE).replace(type="session.updated").type == "session.updated"
    with pytest.raises(ProtocolError, match="Missing required parameter: 'type'"):
        Frame(UPDATE).replace(type=msgspec.UNSET)


def test_frames_with_the_same_bytes_are_one():
    assert len({Frame(UPDATE), Frame(UPDATE.encode()), Frame(UPDATE).replace(event_id="b")}) == 2
    assert Frame(UPDATE) != UPDATE


@settings(deadline=None, derandomize=True)
@given(
    st.dictionaries(
        st.text(min_size=1), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists)
    )
)
def test_a_frame_passes_anything_on(fields):
    sent = {**fields, "type": "anything"}
    data = json.dumps(sent)
    assert json.loads(Frame(data).replace(event_id="x").data) == {**sent, "event_id": "x"}


LONG = "QUJD" * 400
WHERE = {"event_id": "e", "response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
AUDIO = {"type": "response.output_audio.delta", **WHERE}

STRINGS = st.sampled_from(
    [LONG, LONG[:-1], LONG + "=", "", "AAAA", "é" * 1500, 'a"delta":"b' * 200, "\\" * 2000, "\n" * 2000]
)
FIELDS = st.lists(
    st.tuples(
        st.sampled_from([*AUDIO, "delta", "obfuscation", "unknown"]),
        st.one_of(
            STRINGS,
            st.integers(),
            st.sampled_from(
                ["response.output_audio.delta", "response.output_text.delta", "response.output_audio.done"]
            ),
            st.builds(lambda value: {"delta": value}, STRINGS),
            st.builds(lambda value: [value], STRINGS),
        ),
    ),
    max_size=4,
)


@settings(deadline=None, derandomize=True)
@given(
    added=FIELDS,
    delta_first=st.booleans(),
    compact=st.booleans(),
    ascii_only=st.booleans(),
    cut=st.integers(0, 3),
)
def test_a_long_delta_is_read_as_any_other(added, delta_first, compact, ascii_only, cut):
    """However an event is written, even with names that occur twice, it reads as msgspec reads the whole of it."""
    pairs = [("delta", LONG), *AUDIO.items()] if delta_first else [*AUDIO.items(), ("delta", LONG)]
    colon, comma = (":", ",") if compact else (": ", ", ")
    written = [f"{json.dumps(k)}{colon}{json.dumps(v, ensure_ascii=ascii_only)}" for k, v in pairs + added]
    data = "{" + comma.join(written) + "}"
    for read in data, data.encode(), data[: len(data) - cut]:
        with patch.object(codec, "_LONG", 10**9):
            expected = outcome(read)
        assert outcome(read) == expected


def outcome(data):
    """Return the event, or what is said against it."""
    try:
        return decode_server_event(data)
    except ProtocolError as error:
        return str(error)


def test_a_long_delta_is_not_read_as_json():
    """Where it is looked at nevertheless, this fails: a line break may not stand in a string."""
    data = json.dumps({**AUDIO, "delta": LONG + "|"}).replace("|", "\n")
    assert decode_server_event(data) == ResponseOutputAudioDelta(**WHERE, delta=LONG + "\n")


def test_other_json_is_refused_in_the_words_of_the_protocol():
    decoder = msgspec.json.Decoder(dict[str, int])
    assert decode_with(decoder, b'{"a":1}') == {"a": 1}
    with pytest.raises(ProtocolError) as refused:
        decode_with(decoder, b'{"a":"b"}')
    assert refused.value.code == "invalid_type"
