import json

import pytest

from vivavoce.dialects.mixed import FLAT, SIGNS, Mixed
from vivavoce.protocol.codec import Frame
from vivavoce.protocol.responses import ResponseCreateParams
from vivavoce.protocol.session_params import RealtimeSessionParams

DELTA = {
    "type": "response.output_audio.delta",
    "event_id": "event_1",
    "response_id": "resp_1",
    "item_id": "item_1",
    "output_index": 0,
    "content_index": 0,
    "delta": "AAAA",
}


def heard(mixed, kind, **fields):
    return json.loads(mixed.hear(Frame(json.dumps({"type": kind, **fields}))).data)


def said(mixed, event):
    told = mixed.say(Frame(json.dumps(event)))
    return None if told is None else json.loads(told.data)


def test_none_of_its_fields_has_a_meaning_today():
    for (_, flat), params in zip(FLAT.values(), (RealtimeSessionParams, ResponseCreateParams), strict=True):
        assert flat.isdisjoint(params.__struct_fields__)
    assert {*FLAT["session.update"][1]} > SIGNS


def test_a_typed_session_with_flat_fields_is_understood_and_answered_in_the_beta():
    mixed = Mixed()
    session = {
        "type": "realtime",
        "modalities": ["text", "audio"],
        "instructions": "Be brief.",
        "voice": "alloy",
        "input_audio_format": "pcm16",
        "output_audio_format": "pcm16",
        "input_audio_transcription": {"model": "whisper-1"},
        "turn_detection": {"type": "server_vad", "silence_duration_ms": 500},
    }
    update = mixed.hear(Frame(json.dumps({"type": "session.update", "session": session}))).client_event()
    assert update.session.output_modalities == ["audio"]
    assert update.session.audio.input.turn_detection.silence_duration_ms == 500
    assert said(mixed, DELTA) == {**DELTA, "type": "response.audio.delta"}
    assert said(mixed, {"type": "conversation.item.done", "event_id": "event_2"}) is None
    (content,) = heard(mixed, "conversation.item.create", item={"content": [{"type": "text"}]})["item"][
        "content"
    ]
    assert content["type"] == "input_text"


def test_a_field_that_is_only_in_the_wrong_place_changes_no_more_than_its_place():
    mixed = Mixed()
    update = heard(mixed, "session.update", session={"type": "realtime", "voice": "ash", "temperature": 0.8})
    assert update["session"] == {"type": "realtime", "audio": {"output": {"voice": "ash"}}}
    assert said(mixed, DELTA) == DELTA


def test_a_response_may_be_asked_for_in_the_beta():
    mixed = Mixed()
    create = heard(mixed, "response.create", response={"modalities": ["text"]})
    assert create["response"] == {"output_modalities": ["text"]}


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("session.update", {"session": {"instructions": "No type, and nothing of the beta."}}),
        ("session.update", {"session": 3}),
        ("session.update", {}),
        ("session.update", {"session": {"type": "realtime", "unheard_of": 1}}),
        ("response.create", {}),
        ("conversation.item.create", {"item": {"content": [{"type": "text"}]}}),
        ("input_audio_buffer.append", {"audio": "AAAA"}),
    ],
)
def test_all_else_passes_as_it_is(kind, fields):
    mixed = Mixed()
    frame = Frame(json.dumps({"type": kind, **fields}))
    assert mixed.hear(frame) is frame
    event = Frame(json.dumps(DELTA))
    assert mixed.say(event) is event


def test_what_passes_as_it_is_changes_with_the_first_sign():
    mixed = Mixed()
    for kind, before, after in (
        ("input_audio_buffer.append", True, True),
        ("response.output_audio.delta", True, False),
        ("input_audio_buffer.speech_started", True, True),
        ("conversation.item.create", True, False),
        ("session.update", False, False),
    ):
        assert mixed.same(kind) == before
        spoken_to_in_beta = Mixed()
        heard(spoken_to_in_beta, "session.update", session={"type": "realtime", "modalities": ["text"]})
        assert spoken_to_in_beta.same(kind) == after
