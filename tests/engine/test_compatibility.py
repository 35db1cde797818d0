"""The table of what the engine makes of the protocol is complete, and true."""

from collections import Counter
from typing import Any, get_args

import msgspec
import pytest
from msgspec import UNSET, Struct

from tests.engine.session.driver import Driver, user
from vivavoce.engine import compatibility
from vivavoce.engine.compatibility import CLIENT_EVENTS, OBJECTS, SERVER_EVENTS
from vivavoce.engine.session import effects, inputs
from vivavoce.protocol import client_events, server_events, session, session_params

SECTIONS = [section for _, sections in OBJECTS for section in sections]
SETTABLE = ("served", "approximated")
CONTAINERS = {"audio", "input", "output"}
"""Fields that only hold others, which are looked at one by one."""


def reachable(kind: Any, seen: set[type] | None = None) -> set[type[Struct]]:
    """Return the structs that a type is made of."""
    seen = set() if seen is None else seen
    if isinstance(kind, type) and issubclass(kind, Struct):
        if kind not in seen:
            seen.add(kind)
            for field in msgspec.structs.fields(kind):
                reachable(field.type, seen)
    else:
        for part in get_args(kind):
            reachable(part, seen)
    return seen


def names(*statuses, rows):
    return {name for row in rows if row.status in statuses for name in row.names}


def fields(*statuses, of):
    """Return (struct, field) of the structs that a type is made of, where the row of the field has such a status."""
    return {
        (struct, field)
        for section in SECTIONS
        for struct in section.structs
        if struct in reachable(of)
        for field in struct.__struct_fields__
        if field in names(*statuses, rows=section.rows)
    }


def used(value):
    """Return (struct, field) of everything that is given in a value."""
    found = set()
    if isinstance(value, Struct):
        for field in value.__struct_fields__:
            inner = getattr(value, field)
            if inner is not UNSET:
                found |= {(type(value), field)} | used(inner)
    elif isinstance(value, list):
        found.update(*(used(inner) for inner in value))
    return found


def decoded(kind, raw):
    return msgspec.convert(raw, kind)


def types(driver_events):
    return {event["type"] for event in driver_events}


class TestTheTable:
    @pytest.mark.parametrize(
        ("rows", "events"),
        [(CLIENT_EVENTS, client_events.ClientEvent), (SERVER_EVENTS, server_events.ServerEvent)],
    )
    def test_has_every_event_once(self, rows, events):
        protocol = [event.__struct_config__.tag for event in get_args(events)]
        assert Counter(name for row in rows for name in row.names) == Counter(protocol)

    def test_has_as_many_events_as_the_protocol(self):
        assert sum(len(row.names) for row in CLIENT_EVENTS) == 11
        assert sum(len(row.names) for row in SERVER_EVENTS) == 46

    def test_has_every_object_once(self):
        events = {*get_args(client_events.ClientEvent), *get_args(server_events.ServerEvent)}
        protocol = reachable(client_events.ClientEvent) | reachable(server_events.ServerEvent)
        listed = Counter(struct for section in SECTIONS for struct in section.structs)
        assert listed == Counter(protocol - events)

    @pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)
    def test_has_every_field_once(self, section):
        protocol = {field for struct in section.structs for field in struct.__struct_fields__}
        assert Counter(name for row in section.rows for name in row.names) == Counter(protocol)

    def test_says_why_where_it_is_not_as_in_the_protocol(self):
        rows = [*CLIENT_EVENTS, *SERVER_EVENTS, *(row for section in SECTIONS for row in section.rows)]
        assert [row for row in rows if row.status != "served" and not row.note] == []

    def test_only_servers_can_leave_something_unsent(self):
        assert names("unsent", rows=CLIENT_EVENTS) == set()
        assert names("refused", rows=SERVER_EVENTS) == set()

    @pytest.mark.parametrize("line", ["server session.update", "served", "refused: without a name"])
    def test_must_be_written_properly(self, line):
        with pytest.raises(ValueError, match="Expected a status and names"):
            compatibility._rows(line)


def sent() -> set[str]:
    """Return the types of all events that some lives of sessions bring forth."""
    transcribed = {"input": {"transcription": {"model": "whisper-1"}}}
    text = Driver(output_modalities=["text"])
    added = text.client("conversation.item.create", item=user("Hello"))[0]
    text.client("response.create")
    text.write("Hi.")
    text.client("conversation.item.retrieve", item_id=added["item"]["id"])
    text.client("conversation.item.delete", item_id=added["item"]["id"])
    text.client("response.cancel")
    calling = Driver(tools=[{"type": "function", "name": "look"}])
    calling.client("response.create")
    calling.call("look", "{}")

    voice = Driver(audio=transcribed)
    voice.hear((0.5, 0.9))
    voice.recognise("What time is")
    voice.hear((0.4, 0.9))
    voice.recognise("What time is it now")
    voice.hear((0.4, 0.0))
    voice.recognise("What time is it now?")
    voice.write("It is late.")
    voice.speak()
    answer = voice.events[-2]["response"]["output"][0]["id"]
    voice.client("conversation.item.truncate", item_id=answer, content_index=0, audio_end_ms=500)
    voice.client("input_audio_buffer.clear")

    deaf = Driver(audio=transcribed)
    deaf.hear((0.5, 0.9), (0.4, 0.0))
    asked = deaf.last(effects.Recognise)
    deaf.tell(inputs.RecognitionFailed(asked.utterance, len(asked.pcm), asked.final, "no memory"))
    silent = waiting(
        Driver(audio={"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 5000}}})
    )
    lives = [text, calling, voice, deaf, silent]
    return {event["type"] for driver in lives for event in driver.events}


def waiting(driver: Driver) -> Driver:
    """Let nobody speak for six seconds after an answer."""
    driver.client("response.create")
    driver.write("Yes?")
    driver.speak()
    driver.hear(*[(1.0, 0.0)] * 7)
    return driver


def test_what_is_served_is_sent_and_nothing_else():
    assert sent() == names("served", "approximated", rows=SERVER_EVENTS)


PROMPT = {"id": "pmpt_1", "version": "1", "variables": {"name": "Ann"}}
PICTURE = {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"}
MCP = {
    "type": "mcp",
    "server_label": "docs",
    "server_url": "https://docs.test",
    "connector_id": "connector",
    "tunnel_id": "tunnel",
    "server_description": "Documents.",
    "authorization": "secret",
    "headers": {},
    "allowed_tools": {"tool_names": ["read"], "read_only": True},
    "require_approval": {"always": {"tool_names": ["write"]}, "never": {"read_only": True}},
    "allowed_callers": ["direct"],
    "defer_loading": False,
}
LISTED = {"name": "read", "description": "Reads.", "input_schema": {}, "annotations": {}}
OF_A_CALL = {"id": "item_1", "server_label": "docs", "name": "read", "arguments": "{}"}
OUTCOME = {"approval_request_id": "item_0", "output": "none"}


def _update(**fields: Any) -> dict[str, Any]:
    return {"type": "session.update", "session": {"type": "realtime", **fields}}


def _item(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": "conversation.item.create", "item": {"type": kind, **fields}}


REFUSED = [
    ({"type": "output_audio_buffer.clear"}, "type"),
    (_update(prompt=PROMPT), "session.prompt"),
    (_update(audio={"output": {"voice": {"id": "voice_1"}}}), "session.audio.output.voice"),
    ({"type": "response.create", "response": {"prompt": PROMPT}}, "response.prompt"),
    (_item("message", role="user", content=[PICTURE]), "item.content[0].type"),
    (_update(tools=[MCP]), "session.tools[0].type"),
    ({"type": "response.create", "response": {"tools": [MCP]}}, "response.tools[0].type"),
    (
        _update(tool_choice={"type": "mcp", "server_label": "docs", "name": "read"}),
        "session.tool_choice.type",
    ),
    (_item("mcp_list_tools", id="item_1", server_label="docs", tools=[LISTED]), "item.type"),
    (
        _item("mcp_call", **OF_A_CALL, **OUTCOME, error={"type": "protocol_error", "code": 1, "message": ""}),
        "item.type",
    ),
    (_item("mcp_call", **OF_A_CALL, error={"type": "http_error", "code": 404, "message": ""}), "item.type"),
    (_item("mcp_call", **OF_A_CALL, error={"type": "tool_execution_error", "message": ""}), "item.type"),
    (_item("mcp_approval_request", **OF_A_CALL), "item.type"),
    (
        _item(
            "mcp_approval_response", id="item_1", approval_request_id="item_0", approve=True, reason="why not"
        ),
        "item.type",
    ),
]
"""A client's event for each thing that is refused, and what the error says it is about."""


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("event", "param"), REFUSED, ids=lambda value: value if isinstance(value, str) else ""
    )
    def test_is_answered_with_an_error_and_the_session_lives_on(self, event, param):
        driver = Driver(output_modalities=["text"])
        before = driver.events[-1]["session"]
        (error,) = driver.raw(msgspec.json.encode({**event, "event_id": "evt_mine"}))
        assert error["type"] == "error"
        assert (error["error"]["param"], error["error"]["event_id"]) == (param, "evt_mine")
        assert driver.client("session.update", session={"type": "realtime"})[0]["session"] == before
        driver.client("response.create")
        assert driver.write("Still here.")[-2]["response"]["status"] == "completed"

    def test_is_tried_field_by_field(self):
        given = set().union(*(used(decoded(client_events.ClientEvent, event)) for event, _ in REFUSED))
        assert fields("refused", of=client_events.ClientEvent) <= given

    def test_is_tried_event_by_event(self):
        assert names("refused", rows=CLIENT_EVENTS) <= {event["type"] for event, _ in REFUSED}


UPDATES: list[dict[str, Any]] = [
    {
        "output_modalities": ["text"],
        "instructions": "Be brief.",
        "tools": [
            {"type": "function", "name": "look", "description": "Looks.", "parameters": {"type": "object"}}
        ],
        "tool_choice": {"type": "function", "name": "look"},
        "parallel_tool_calls": False,
        "max_output_tokens": 100,
        "tracing": {"workflow_name": "talk", "group_id": "group", "metadata": {"who": "me"}},
        "truncation": {
            "type": "retention_ratio",
            "retention_ratio": 0.5,
            "token_limits": {"post_instructions": 1000},
        },
        "include": ["item.input_audio_transcription.logprobs"],
        "reasoning": {"effort": "low"},
    },
    {
        "audio": {
            "input": {
                "format": {"type": "audio/pcmu"},
                "transcription": {
                    "model": "gpt-4o-transcribe",
                    "language": "de",
                    "prompt": "Names.",
                    "delay": "low",
                    "keywords": ["Ann"],
                    "languages": ["de"],
                },
                "noise_reduction": {"type": "near_field", "strength": 0.5},
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.7,
                    "prefix_padding_ms": 100,
                    "silence_duration_ms": 700,
                    "idle_timeout_ms": 6000,
                    "create_response": False,
                    "interrupt_response": False,
                },
            },
            "output": {"format": {"type": "audio/pcma"}, "voice": "marin", "speed": 1.25},
        }
    },
    {
        "audio": {
            "input": {
                "turn_detection": {
                    "type": "semantic_vad",
                    "eagerness": "low",
                    "create_response": False,
                    "interrupt_response": False,
                }
            }
        }
    },
]


def leaves(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    if not isinstance(value, dict):
        return {path: value}
    return {key: leaf for name, inner in value.items() for key, leaf in leaves(inner, (*path, name)).items()}


class TestSessions:
    @pytest.mark.parametrize("update", UPDATES)
    def test_tell_what_was_asked_for(self, update):
        driver = Driver()
        (before,) = driver.events
        (after,) = driver.client("session.update", session={"type": "realtime", **update})
        wanted, told, usual = leaves(update), leaves(after["session"]), leaves(before["session"])
        assert {path: told.get(path) for path in wanted} == wanted
        assert [path for path in wanted if path[-1] != "type" and usual.get(path) == wanted[path]] == []

    def test_are_asked_for_everything(self):
        given = set().union(
            *(used(decoded(session_params.RealtimeSessionParams, update)) for update in UPDATES)
        )
        wanted = fields(*SETTABLE, of=session_params.RealtimeSessionParams)
        # Neither can be other than it is: a session's model is fixed, and so is the rate of audio/pcm.
        fixed = {(session_params.RealtimeSessionParams, "model"), (session.AudioPcm, "rate")}
        assert wanted - fixed <= given

    @pytest.mark.parametrize(
        ("update", "param"),
        [
            (
                {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 8000}}}},
                "session.audio.input.format.rate",
            ),
        ],
    )
    def test_keep_what_cannot_be_other(self, update, param):
        (error,) = Driver().client("session.update", session={"type": "realtime", **update})
        assert error["error"]["param"] == param

    def test_of_transcription_tell_what_was_asked_for(self):
        driver = Driver("transcription")
        update = {"audio": {"input": UPDATES[1]["audio"]["input"]}, "include": UPDATES[0]["include"]}
        (after,) = driver.client("session.update", session={"type": "transcription", **update})
        wanted, told = leaves(update), leaves(after["session"])
        unanswered = ("create_response", "interrupt_response", "idle_timeout_ms")
        wanted = {path: value for path, value in wanted.items() if path[-1] not in unanswered}
        assert {path: told.get(path) for path in wanted} == wanted
        given = used(decoded(session_params.TranscriptionSessionParams, update))
        struct = session_params.TranscriptionSessionParams
        assert {(struct, field) for field in struct.__struct_fields__} <= given
