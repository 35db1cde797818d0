import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import json as msgjson

from tests.protocol.strategies import json_of, name, text
from vivavoce.dialects.beta_session import (
    FORMATS,
    RESPONSE_PLACES,
    SESSION_GONE,
    SESSION_ONLY_TODAY,
    SESSION_PLACES,
    param_to_beta,
    response_to_ga,
    session_to_beta,
    session_to_ga,
)
from vivavoce.protocol import responses, session, session_params, tools

ONCE_MADE = {"id", "object", "expires_at"}
"""What a server adds to a session."""

FLAT = st.fixed_dictionaries(
    {},
    optional={
        "modalities": st.sampled_from([["text"], ["audio", "text"]]),
        "instructions": text,
        "voice": st.sampled_from(["alloy", "verse"]),
        "speed": st.sampled_from([0.25, 1.0, 1.5]),
        "input_audio_format": st.sampled_from([*FORMATS]),
        "output_audio_format": st.sampled_from([*FORMATS]),
        "input_audio_transcription": st.none()
        | st.fixed_dictionaries({"model": name}, optional={"language": name, "prompt": text}),
        "input_audio_noise_reduction": st.none() | st.just({"type": "near_field"}),
        "turn_detection": st.none()
        | st.just({"type": "semantic_vad", "eagerness": "low"})
        | st.fixed_dictionaries(
            {"type": st.just("server_vad")},
            optional={"threshold": st.just(0.4), "prefix_padding_ms": st.integers(0, 900)},
        ),
        "tools": st.lists(json_of(tools.FunctionTool), max_size=2),
        "tool_choice": st.sampled_from(["auto", "none", "required"]),
        "max_response_output_tokens": st.integers(1, 4096) | st.just("inf"),
        "tracing": st.none() | st.just("auto"),
    },
)
"""What clients of the beta ask of a session."""


def test_every_field_of_today_has_a_place_or_has_none():
    moved = {place[0] for place in SESSION_PLACES.values()}
    assert moved == {"output_modalities", "audio", "max_output_tokens"}
    same = {"model", "instructions", "tools", "tool_choice", "tracing"}
    of_today = {*session.RealtimeSession.__struct_fields__, "type"} - ONCE_MADE
    assert of_today == moved | {*SESSION_ONLY_TODAY} | same
    inner = {place[1:] for place in SESSION_PLACES.values() if place[0] == "audio"}
    assert inner == {
        (side, field)
        for side, struct in (
            ("input", session_params.AudioInputParams),
            ("output", session_params.AudioOutputParams),
        )
        for field in struct.__struct_fields__
    }


@settings(max_examples=100, deadline=None, derandomize=True)
@given(flat=FLAT)
def test_what_is_asked_is_valid_and_is_told_as_it_was_asked(flat):
    asked = session_to_ga(flat)
    msgjson.decode(json.dumps(asked), type=session_params.RealtimeSessionParams)
    told = session_to_beta(asked, 0.8)
    assert told == {**flat, "temperature": 0.8}


@settings(max_examples=100, deadline=None, derandomize=True)
@given(whole=json_of(session.RealtimeSession))
def test_what_is_told_is_understood_when_it_is_asked_again(whole):
    told = session_to_beta(whole, 0.9)
    assert not told.keys() & set(SESSION_ONLY_TODAY)
    again = session_to_beta(session_to_ga(told), 0.9)
    assert again == told


def test_what_is_gone_is_not_passed_on():
    assert session_to_ga(dict.fromkeys(SESSION_GONE, 1)) == {"type": "realtime"}


def test_what_has_the_form_of_today_is_kept_beside_what_has_not():
    asked = {"audio": {"input": {"turn_detection": None}}, "voice": "ash"}
    assert session_to_ga(asked) == {
        "type": "realtime",
        "audio": {"input": {"turn_detection": None}, "output": {"voice": "ash"}},
    }
    assert asked == {"audio": {"input": {"turn_detection": None}}, "voice": "ash"}


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("server_vad", {"type": "server_vad"}),
        ("semantic_vad", {"type": "semantic_vad"}),
        ("none", None),
        ("disabled", None),
    ],
)
def test_turn_detection_may_be_a_word(word, meaning):
    assert session_to_ga({"turn_detection": word})["audio"]["input"]["turn_detection"] == meaning


def test_a_response_finds_its_places():
    assert {place for place in RESPONSE_PLACES.values() if len(place) == 1} == {
        ("output_modalities",),
        ("max_output_tokens",),
    }
    fields = responses.ResponseAudioOutputParams.__struct_fields__
    assert {place[-1] for place in RESPONSE_PLACES.values() if len(place) == 3} == set(fields)
    assert response_to_ga({"max_output_tokens": 5, "temperature": 1}) == {"max_output_tokens": 5}


@pytest.mark.parametrize(
    ("today", "beta"),
    [
        ("session.audio.output.voice", "session.voice"),
        ("session.audio.input.turn_detection.threshold", "session.turn_detection.threshold"),
        ("session.output_modalities[0]", "session.modalities[0]"),
        ("session.audio", "session.audio"),
        ("session.audio.output.voices", "session.audio.output.voices"),
        ("response.max_output_tokens", "response.max_response_output_tokens"),
        ("response.audio.output.speed", "response.audio.output.speed"),
        ("item.content[0].text", "item.content[0].text"),
        ("type", "type"),
    ],
)
def test_the_path_of_a_field(today, beta):
    assert param_to_beta(today) == beta
