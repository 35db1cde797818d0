"""The beta, held to the types that the official package still has for it."""

import json
from functools import cache
from typing import Annotated, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.beta.realtime.realtime_client_event import RealtimeClientEvent
from openai.types.beta.realtime.realtime_server_event import RealtimeServerEvent

from tests.protocol.recorded import frames
from tests.protocol.strategies import json_of
from vivavoce.dialects.beta import CHANGED, RENAMED, SAME, Beta
from vivavoce.errors import ProtocolError
from vivavoce.protocol import client_events
from vivavoce.protocol.codec import Frame, UnknownEvent
from vivavoce.protocol.server_events import ServerEvent


def models(union):
    events = get_args(union)[0] if get_origin(union) is Annotated else union
    return {get_args(model.model_fields["type"].annotation)[0]: model for model in get_args(events)}


BETA_SERVER, BETA_CLIENT = models(RealtimeServerEvent), models(RealtimeClientEvent)
TODAY = {event.__struct_config__.tag: event for event in get_args(ServerEvent)}
drawn = cache(json_of)

NOT_SAID = {
    "conversation.item.done",
    "conversation.item.input_audio_transcription.segment",
    "input_audio_buffer.dtmf_event_received",
    "input_audio_buffer.timeout_triggered",
    "mcp_list_tools.completed",
    "mcp_list_tools.failed",
    "mcp_list_tools.in_progress",
    "response.mcp_call.completed",
    "response.mcp_call.failed",
    "response.mcp_call.in_progress",
    "response.mcp_call_arguments.delta",
    "response.mcp_call_arguments.done",
}
"""What the beta has no event for."""


def frame(kind, **fields):
    return Frame(json.dumps({"type": kind, **fields}))


def said(event, beta=None):
    told = (beta or Beta()).say(Frame(json.dumps(event)))
    return None if told is None else json.loads(told.data)


def valid(told):
    """Hold an event to the official package, but for what its types do not know of the beta that was spoken."""
    told = json.loads(json.dumps(told))
    session = told.get("session", {})
    if "model" in session:
        session["model"] = "gpt-realtime"  # any model may be behind the gateway
    if isinstance(session.get("tool_choice"), dict):
        session["tool_choice"] = "auto"  # an object, for a function, was always allowed
    if told["type"] == "transcription_session.created":
        told["type"] = "transcription_session.updated"  # what clients waited for, and the package forgot
    if told["type"] == "transcription_session.updated":
        if session.get("input_audio_transcription"):
            session["input_audio_transcription"]["model"] = "whisper-1"  # likewise
        session["client_secret"] = {
            "value": "ek_1",
            "expires_at": 1,
        }  # «not present» over WebSockets, and required
    BETA_SERVER[told["type"]].model_validate_json(json.dumps(told), strict=True)


class TestServerEvents:
    def test_each_of_today_is_the_same_renamed_changed_or_not_said(self):
        assert len(SAME) + len(RENAMED) + len(CHANGED) + len(NOT_SAID) == len(TODAY)
        assert {*SAME, *RENAMED, *CHANGED, *NOT_SAID} == TODAY.keys()

    def test_each_of_the_beta_can_be_said(self):
        said = {*SAME, *RENAMED.values(), *CHANGED.values(), "transcription_session.updated"}
        assert said == BETA_SERVER.keys()

    @pytest.mark.parametrize("kind", TODAY)
    @settings(max_examples=25, deadline=None, derandomize=True)
    @given(data=st.data())
    def test_whatever_today_says_is_nothing_or_valid_beta(self, kind, data):
        event = data.draw(drawn(TODAY[kind]))
        told = said(event)
        if told is None:
            assert kind in NOT_SAID or event["item"]["type"].startswith("mcp_")
        else:
            assert kind not in NOT_SAID
            assert told["event_id"] == event["event_id"]
            valid(told)

    def test_recorded_sessions_become_valid_beta(self):
        kinds = set()
        for event in frames("S"):
            told = said(event)
            if told is not None:
                valid(told)
                kinds.add(told["type"])
        assert {"response.audio.delta", "response.text.delta", "conversation.item.created"} <= kinds
        assert "conversation.item.done" not in kinds

    def test_what_no_protocol_knows_is_not_said(self):
        assert said({"type": "unheard.of", "event_id": "event_1"}) is None

    @pytest.mark.parametrize("field", ["session", "response", "item", "error"])
    @pytest.mark.parametrize("value", [None, 3, [], {}])
    def test_events_of_another_shape_pass_or_are_not_said(self, field, value):
        kinds = {"session": "session.created", "response": "response.done", "item": "conversation.item.added"}
        told = said({"type": kinds.get(field, "error"), field: value})
        assert told is None or told["type"] == CHANGED[kinds.get(field, "error")]

    def test_a_session_is_told_flat(self):
        event = {
            "type": "session.created",
            "event_id": "event_1",
            "session": {
                "type": "realtime",
                "object": "realtime.session",
                "id": "sess_1",
                "model": "gpt-realtime",
                "output_modalities": ["audio"],
                "instructions": "Be kind.",
                "tools": [{"type": "function", "name": "look"}, {"type": "mcp", "server_label": "home"}],
                "tool_choice": "auto",
                "max_output_tokens": "inf",
                "tracing": None,
                "truncation": "auto",
                "prompt": None,
                "expires_at": 3600,
                "audio": {
                    "input": {
                        "format": {"type": "audio/pcm", "rate": 24000},
                        "transcription": {"model": "whisper-1", "language": "de", "delay": "low"},
                        "noise_reduction": {"type": "near_field", "strength": 0.5},
                        "turn_detection": {"type": "server_vad", "threshold": 0.5, "idle_timeout_ms": None},
                    },
                    "output": {"format": {"type": "audio/pcma"}, "voice": {"id": "voice_1"}, "speed": 1.0},
                },
                "include": None,
            },
        }
        told = said(event)
        assert told["session"] == {
            "object": "realtime.session",
            "id": "sess_1",
            "model": "gpt-realtime",
            "modalities": ["audio", "text"],
            "instructions": "Be kind.",
            "tools": [{"type": "function", "name": "look"}],
            "tool_choice": "auto",
            "max_response_output_tokens": "inf",
            "tracing": None,
            "expires_at": 3600,
            "input_audio_format": "pcm16",
            "input_audio_transcription": {"model": "whisper-1", "language": "de"},
            "input_audio_noise_reduction": {"type": "near_field"},
            "turn_detection": {"type": "server_vad", "threshold": 0.5},
            "output_audio_format": "g711_alaw",
            "voice": "voice_1",
            "speed": 1.0,
            "temperature": 0.8,
        }

    def test_a_response_is_told_flat_and_without_calls_of_mcp_servers(self):
        response = {
            "object": "realtime.response",
            "id": "resp_1",
            "status": "completed",
            "output": [
                {"id": "item_1", "type": "mcp_call", "server_label": "home", "name": "x", "arguments": "{}"},
                {
                    "id": "item_2",
                    "type": "message",
                    "role": "assistant",
                    "phase": "final_answer",
                    "content": [{"type": "output_audio", "transcript": "Hi."}],
                },
            ],
            "output_modalities": ["text"],
            "max_output_tokens": 100,
            "audio": {"output": {"format": {"type": "audio/pcmu"}, "voice": "alloy"}},
        }
        told = said({"type": "response.done", "event_id": "event_1", "response": response})
        assert told["response"] == {
            "object": "realtime.response",
            "id": "resp_1",
            "status": "completed",
            "output": [
                {
                    "id": "item_2",
                    "object": "realtime.item",
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "audio", "transcript": "Hi."}],
                }
            ],
            "modalities": ["text"],
            "max_output_tokens": 100,
            "output_audio_format": "g711_ulaw",
            "voice": "alloy",
            "temperature": 0.8,
        }

    def test_an_error_names_the_fields_of_the_beta(self):
        error = {
            "type": "invalid_request_error",
            "code": "invalid_type",
            "message": "Invalid type for 'session.audio.input.transcription.model': expected a string.",
            "param": "session.audio.input.transcription.model",
            "event_id": "evt_1",
        }
        told = said({"type": "error", "event_id": "event_1", "error": error})
        assert told["error"] == {
            **error,
            "message": "Invalid type for 'session.input_audio_transcription.model': expected a string.",
            "param": "session.input_audio_transcription.model",
        }


PCM = {"type": "audio/pcm", "rate": 24000}
HEARD = [
    ({"type": "conversation.item.delete", "item_id": "item_1"}, None),
    ({"type": "conversation.item.retrieve", "item_id": "item_1"}, None),
    (
        {"type": "conversation.item.truncate", "item_id": "item_1", "content_index": 0, "audio_end_ms": 5},
        None,
    ),
    ({"type": "input_audio_buffer.append", "audio": "AAAA"}, None),
    ({"type": "input_audio_buffer.clear"}, None),
    ({"type": "input_audio_buffer.commit"}, None),
    ({"type": "output_audio_buffer.clear"}, None),
    ({"type": "response.cancel", "response_id": "resp_1"}, None),
    ({"type": "response.create"}, None),
    (
        {
            "type": "conversation.item.create",
            "item": {"type": "message", "role": "user", "content": [{"type": "text", "text": "Hi"}]},
        },
        {"item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}},
    ),
    (
        {
            "type": "conversation.item.create",
            "item": {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi"}]},
        },
        {
            "item": {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "Hi"}],
            }
        },
    ),
    (
        {
            "type": "session.update",
            "session": {
                "modalities": ["text", "audio"],
                "instructions": "",
                "voice": "verse",
                "speed": 1.1,
                "input_audio_format": "pcm16",
                "output_audio_format": "g711_ulaw",
                "input_audio_transcription": None,
                "input_audio_noise_reduction": {"type": "far_field"},
                "turn_detection": None,
                "tools": [],
                "tool_choice": "auto",
                "temperature": 0.8,
                "max_response_output_tokens": 4096,
                "client_secret": {"expires_after": {"anchor": "created_at", "seconds": 60}},
                "tracing": "auto",
            },
        },
        {
            "session": {
                "type": "realtime",
                "instructions": "",
                "tools": [],
                "tool_choice": "auto",
                "tracing": "auto",
                "output_modalities": ["audio"],
                "max_output_tokens": 4096,
                "audio": {
                    "output": {"voice": "verse", "speed": 1.1, "format": {"type": "audio/pcmu"}},
                    "input": {
                        "format": PCM,
                        "transcription": None,
                        "noise_reduction": {"type": "far_field"},
                        "turn_detection": None,
                    },
                },
            }
        },
    ),
    (
        {
            "type": "transcription_session.update",
            "session": {
                "modalities": ["text"],
                "input_audio_format": "pcm16",
                "input_audio_transcription": {"model": "whisper-1", "language": "en"},
                "turn_detection": {"type": "server_vad", "threshold": 0.4},
                "include": ["item.input_audio_transcription.logprobs"],
            },
        },
        {
            "type": "session.update",
            "session": {
                "type": "transcription",
                "include": ["item.input_audio_transcription.logprobs"],
                "audio": {
                    "input": {
                        "format": PCM,
                        "transcription": {"model": "whisper-1", "language": "en"},
                        "turn_detection": {"type": "server_vad", "threshold": 0.4},
                    }
                },
            },
        },
    ),
    (
        {
            "type": "response.create",
            "response": {
                "conversation": "none",
                "modalities": ["text"],
                "instructions": "Briefly.",
                "voice": "ash",
                "output_audio_format": "pcm16",
                "temperature": 1,
                "max_response_output_tokens": "inf",
                "metadata": {"topic": "x"},
                "input": [
                    {"type": "item_reference", "id": "item_1"},
                    {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Yes."}]},
                ],
            },
        },
        {
            "response": {
                "conversation": "none",
                "output_modalities": ["text"],
                "instructions": "Briefly.",
                "audio": {"output": {"voice": "ash", "format": PCM}},
                "max_output_tokens": "inf",
                "metadata": {"topic": "x"},
                "input": [
                    {"type": "item_reference", "id": "item_1"},
                    {
                        "type": "message",
                        "role": "assistant",
                        "content": [{"type": "output_text", "text": "Yes."}],
                    },
                ],
            }
        },
    ),
]
"""Events of clients of the beta, and what is another way today."""


class TestClientEvents:
    @pytest.mark.parametrize(("event", "today"), HEARD, ids=lambda value: (value or {}).get("type"))
    def test_each_is_understood(self, event, today):
        event = {"event_id": "evt_1", **event}
        BETA_CLIENT[event["type"]].model_validate_json(json.dumps(event), strict=True)
        heard = Beta().hear(Frame(json.dumps(event)))
        assert json.loads(heard.data) == {**event, **(today or {})}
        heard.client_event()

    def test_each_of_the_beta_is_among_them(self):
        assert {event["type"] for event, _ in HEARD} == BETA_CLIENT.keys()

    def test_audio_passes_untouched(self):
        append = frame("input_audio_buffer.append", audio="AAAA")
        assert Beta().hear(append) is append

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(event=json_of(client_events.ConversationItemCreate))
    def test_items_of_today_are_understood_too(self, event):
        assert json.loads(Beta().hear(Frame(json.dumps(event))).data) == event

    @pytest.mark.parametrize(
        ("kind", "fields"),
        [
            ("session.update", {}),
            ("session.update", {"session": None}),
            ("session.update", {"session": {"modalities": 3, "turn_detection": 4, "audio": 5}}),
            ("response.create", {"response": 3}),
            ("response.create", {"response": {"modalities": {}, "input": [3, {"content": [None]}]}}),
            ("conversation.item.create", {}),
            ("conversation.item.create", {"item": {"content": [{"type": ["text"]}]}}),
        ],
    )
    def test_what_makes_no_sense_is_left_to_the_endpoint(self, kind, fields):
        with pytest.raises(ProtocolError):
            Beta().hear(frame(kind, event_id="evt_1", **fields)).client_event()

    @pytest.mark.parametrize(
        ("kind", "where", "fields", "code"),
        [
            ("session.update", "session", {"input_audio_format": "mp3"}, "invalid_value"),
            ("session.update", "session", {"temperature": "hot"}, "invalid_type"),
            ("session.update", "session", {"temperature": 0.2}, "decimal_below_min_value"),
            ("response.create", "response", {"temperature": 2}, "decimal_above_max_value"),
        ],
    )
    def test_what_only_the_beta_had_is_refused_here(self, kind, where, fields, code):
        with pytest.raises(ProtocolError) as refused:
            Beta().hear(frame(kind, event_id="evt_1", **{where: fields}))
        (name,) = fields
        error = refused.value
        assert (error.code, error.param, error.event_id) == (code, f"{where}.{name}", "evt_1")


class TestState:
    def test_the_temperature_is_told_again_and_goes_no_further(self):
        beta = Beta()
        update = beta.hear(frame("session.update", session={"temperature": 0.7}))
        assert "temperature" not in json.loads(update.data)["session"]
        told = said({"type": "session.updated", "session": {"type": "realtime", "id": "sess_1"}}, beta)
        assert told["session"]["temperature"] == 0.7
        told = said({"type": "response.created", "response": {"id": "resp_1"}}, beta)
        assert told["response"]["temperature"] == 0.7

    def test_a_session_that_only_listens_has_events_of_its_own(self):
        beta = Beta()
        session = {
            "type": "transcription",
            "id": "sess_1",
            "audio": {"input": {"format": PCM}},
            "include": None,
        }
        told = said({"type": "session.created", "session": session}, beta)
        assert told == {
            "type": "transcription_session.created",
            "session": {"id": "sess_1", "input_audio_format": "pcm16", "include": None},
        }
        update = beta.hear(frame("session.update", session={"input_audio_format": "g711_ulaw"}))
        assert json.loads(update.data)["session"]["type"] == "transcription"


def test_what_was_generated_was_understood():
    """Hypothesis draws from our structs: were they to know less than the package, nothing above would say so."""
    event = frame("session.created", event_id="e", session={"type": "realtime", "id": "sess_1"})
    assert not isinstance(event.server_event(), UnknownEvent)
