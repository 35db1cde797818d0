import copy

import msgspec
import pytest

from vivavoce.engine.session.config import (
    DEFAULT_INSTRUCTIONS,
    check_modalities,
    check_voice,
    given,
    told,
    updated,
)
from vivavoce.engine.session.config import new as new_session
from vivavoce.engine.session.tools import ToolLimits
from vivavoce.errors import ProtocolError
from vivavoce.protocol.session import RealtimeSession, SemanticVad, VoiceId
from vivavoce.protocol.session_params import RealtimeSessionParams, SessionParams

VOICES = ("alloy", "marin")

SERVED = {
    "output_modalities": ["text"],
    "instructions": "Be brief.",
    "tools": [{"type": "function", "name": "f", "description": "Do it.", "parameters": {"type": "object"}}],
    "tool_choice": "none",
    "parallel_tool_calls": False,
    "reasoning": {"effort": "low"},
    "max_output_tokens": 100,
    "tracing": "auto",
    "truncation": "disabled",
    "include": ["item.input_audio_transcription.logprobs"],
    "audio.input.format": {"type": "audio/pcmu"},
    "audio.input.transcription": {"model": "whisper-1", "language": "en", "prompt": "Ada"},
    "audio.input.noise_reduction": {"type": "near_field", "strength": 0.5},
    "audio.input.turn_detection": {
        "type": "semantic_vad",
        "eagerness": "low",
        "create_response": False,
        "interrupt_response": False,
    },
    "audio.output.format": {"type": "audio/pcma"},
    "audio.output.voice": "marin",
    "audio.output.speed": 1.25,
}
"""Every field that a client can change, by its path, with another value than the default where there is one."""

REFUSED = {"prompt"}
PASSED_OVER = {"model"}


FUNCTION = {"type": "function", "name": "f"}


def nested(path, value):
    for name in reversed(path.split(".")):
        value = {name: value}
    return value


def at(session, path):
    value = msgspec.to_builtins(session)
    for name in path.split("."):
        value = value.get(name)  # what is not set is not there
    return value


def update(session, fields, *, spoke=False):
    params = msgspec.convert({"type": "realtime", **fields}, SessionParams)
    return updated(session, params, voices=VOICES, spoke=spoke, tool_limits=ToolLimits(1000))


@pytest.fixture
def new():
    return RealtimeSession(id="sess_1", instructions=DEFAULT_INSTRUCTIONS)


@pytest.fixture
def changed(new):
    """A session in which nothing is as it was."""
    for path, value in SERVED.items():
        new = update(new, nested(path, value))
    return new


class TestServed:
    def test_no_field_is_forgotten(self):
        fields = {path.split(".")[0] for path in SERVED} | REFUSED | PASSED_OVER
        assert fields == set(RealtimeSessionParams.__struct_fields__)

    @pytest.mark.parametrize("path", SERVED)
    def test_each_changes_itself_and_nothing_else(self, new, path):
        before = copy.deepcopy(new)
        after = update(new, nested(path, SERVED[path]))
        assert at(after, path) == SERVED[path]
        assert new == before, "nothing is changed in place"
        for other in set(SERVED) - {path}:
            assert at(after, other) == at(before, other)

    @pytest.mark.parametrize("path", SERVED)
    def test_all_stay(self, changed, path):
        assert at(changed, path) == SERVED[path]

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"audio": {}},
            {"audio": None},
            {"audio": {"input": {}, "output": {}}},
            {"audio": {"input": None, "output": None}},
            {"audio": {"input": {"transcription": {}}}},
        ],
    )
    def test_what_is_absent_stays(self, changed, fields):
        assert update(changed, fields) == changed

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("instructions", DEFAULT_INSTRUCTIONS),
            ("max_output_tokens", "inf"),
            ("tracing", None),
            ("include", None),
            ("audio.input.transcription", None),
            ("audio.input.transcription.language", None),
            ("audio.input.transcription.prompt", None),
            ("audio.input.noise_reduction", None),
            ("audio.input.turn_detection", None),
        ],
    )
    def test_null_resets(self, changed, path, value):
        after = update(changed, nested(path, None))
        assert at(after, path) == value != at(changed, path)

    @pytest.mark.parametrize(
        "path",
        [
            "output_modalities",
            "tool_choice",
            "truncation",
            "audio.input.format",
            "audio.input.transcription.model",
            "audio.output.format",
            "audio.output.voice",
            "audio.output.speed",
        ],
    )
    def test_null_leaves_what_cannot_be_nothing(self, changed, path):
        assert update(changed, nested(path, None)) == changed

    def test_a_model_is_passed_over(self, changed):
        assert update(changed, {"model": "another", "instructions": "Hum."}).model == changed.model

    def test_empty_instructions_restore_ours(self, changed):
        assert update(changed, {"instructions": ""}).instructions == DEFAULT_INSTRUCTIONS

    @pytest.mark.parametrize("fields", [{"tools": []}, {"prompt": None}])
    def test_to_ask_for_what_is_so_is_allowed(self, new, fields):
        assert update(new, fields) == new


def detection(**fields):
    return nested("audio.input.turn_detection", {"type": "server_vad", **fields})


class TestTurnDetection:
    def test_what_is_absent_stays(self, new):
        first = update(new, detection(threshold=0.8, idle_timeout_ms=6000))
        again = update(first, detection(silence_duration_ms=900)).audio.input.turn_detection
        assert (again.threshold, again.silence_duration_ms, again.idle_timeout_ms) == (0.8, 900, 6000)

    def test_null_inside_restores_the_default(self, new):
        first = update(new, detection(threshold=0.8, idle_timeout_ms=6000, create_response=False))
        nulls = detection(threshold=None, idle_timeout_ms=None, create_response=None)
        assert update(first, nulls) == new

    def test_another_kind_begins_with_its_defaults(self, new):
        first = update(new, detection(create_response=False, threshold=0.8))
        other = update(first, nested("audio.input.turn_detection", {"type": "semantic_vad"}))
        assert other.audio.input.turn_detection == SemanticVad()
        assert update(other, detection()) == new

    def test_null_inside_is_the_default(self, new):
        asked = {"type": "server_vad", "threshold": None, "idle_timeout_ms": None}
        assert update(new, nested("audio.input.turn_detection", asked)) == new

    def test_comes_back_after_it_was_off(self, changed):
        off = update(changed, nested("audio.input.turn_detection", None))
        on = update(off, nested("audio.input.turn_detection", {"type": "server_vad"}))
        assert at(on, "audio.input.turn_detection") == {
            "type": "server_vad",
            "threshold": 0.5,
            "prefix_padding_ms": 300,
            "silence_duration_ms": 200,
            "idle_timeout_ms": None,
            "create_response": True,
            "interrupt_response": True,
        }


def test_noise_reduction_keeps_its_strength(new):
    first = update(new, nested("audio.input.noise_reduction", {"type": "near_field", "strength": 0.5}))
    again = update(first, nested("audio.input.noise_reduction", {"type": "far_field"}))
    assert at(again, "audio.input.noise_reduction") == {"type": "far_field", "strength": 0.5}
    without = update(new, nested("audio.input.noise_reduction", {"type": "far_field"}))
    assert at(without, "audio.input.noise_reduction") == {"type": "far_field"}


def begun(**params):
    """A session that begins as it is asked to."""
    asked = msgspec.convert({"type": "realtime", **params}, SessionParams)
    return new_session(
        asked, id="sess_1", model="m", expires_at=7, voices=VOICES, tool_limits=ToolLimits(1000)
    )


def test_a_session_begins_as_it_is_asked_to():
    session = begun(instructions="Hum.", **nested("audio.input.turn_detection", None))
    assert (session.id, session.model, session.expires_at) == ("sess_1", "m", 7)
    assert session.instructions == "Hum."
    assert session.audio.input.turn_detection is None
    assert begun(model="gpt-realtime-2.1").model == "gpt-realtime-2.1"
    assert begun(model=None).model == "m"


def test_a_session_does_not_begin_with_what_is_refused():
    with pytest.raises(ProtocolError) as refused:
        begun(prompt={"id": "pmpt_1"})
    assert refused.value.param == "session.prompt"


class TestTranscriptionSession:
    def test_is_told_as_on_the_wire(self):
        session = begun(type="transcription")
        assert msgspec.to_builtins(told(session, "transcription")) == {
            "type": "transcription",
            "object": "realtime.transcription_session",
            "id": "sess_1",
            "expires_at": 7,
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": 24_000},
                    "transcription": None,
                    "noise_reduction": None,
                    "turn_detection": {
                        "type": "server_vad",
                        "threshold": 0.5,
                        "prefix_padding_ms": 300,
                        "silence_duration_ms": 200,
                    },
                }
            },
            "include": None,
        }

    @pytest.mark.parametrize(
        ("asked", "detection"),
        [(None, None), ({"type": "semantic_vad"}, {"type": "semantic_vad", "eagerness": "auto"})],
    )
    def test_tells_nothing_of_answers(self, asked, detection):
        session = begun(type="transcription", **nested("audio.input.turn_detection", asked))
        assert at(told(session, "transcription"), "audio.input.turn_detection") == detection

    def test_a_realtime_one_is_what_it_is(self):
        session = begun()
        assert told(session, "realtime") is session
        assert session.instructions == DEFAULT_INSTRUCTIONS

    @pytest.mark.parametrize("path", [path for path in SERVED if path.split(".")[1:2] == ["input"]])
    def test_each_changes_itself_and_nothing_else(self, new, path):
        after = update(new, {"type": "transcription", **nested(path, SERVED[path])})
        assert at(after, path) == SERVED[path]
        for other in set(SERVED) - {path}:
            assert at(after, other) == at(new, other)

    def test_what_to_include_too(self, changed):
        assert update(changed, {"type": "transcription", "include": None}).include is None
        assert update(changed, {"type": "transcription"}) == changed


def test_a_transcription_needs_no_model(new):
    after = update(new, nested("audio.input.transcription", {"language": "de"}))
    assert at(after, "audio.input.transcription") == {"model": "whisper-1", "language": "de", "prompt": None}


class TestRefused:
    @pytest.mark.parametrize(
        ("fields", "param", "words"),
        [
            ({"tools": [FUNCTION, FUNCTION]}, "session.tools[1].name", "Two tools are named 'f'"),
            ({"tools": [{"type": "mcp", "server_label": "home"}]}, "session.tools[0].type", "MCP servers"),
            ({"tools": [FUNCTION | {"description": "long " * 200}]}, "session.tools", "1000 characters"),
            ({"tool_choice": {"type": "function", "name": "g"}}, "session.tool_choice.name", "no tool 'g'"),
            ({"tool_choice": {"type": "mcp", "server_label": "home"}}, "session.tool_choice.type", "'mcp'"),
            ({"prompt": {"id": "p"}}, "session.prompt", "send instructions"),
            ({"output_modalities": []}, "session.output_modalities", "Invalid modalities: []"),
            ({"output_modalities": ["text", "audio"]}, "session.output_modalities", "['text'] and ['audio']"),
            (
                nested("audio.output.voice", "nobody"),
                "session.audio.output.voice",
                "'nobody'. Supported values are: 'alloy' and 'marin'",
            ),
            (nested("audio.output.voice", {"id": "voice_1"}), "session.audio.output.voice", "'voice_1'"),
        ],
    )
    def test_all_of_it_for_one_field(self, changed, fields, param, words):
        before = copy.deepcopy(changed)
        fine = {} if fields.get("type") else {"instructions": "Rhyme.", "max_output_tokens": 5}
        with pytest.raises(ProtocolError) as refused:
            update(changed, {**fine, **fields})
        assert words in str(refused.value)
        assert (refused.value.code, refused.value.param) == ("invalid_value", param)
        assert changed == before

    @pytest.mark.parametrize("direction", ["input", "output"])
    @pytest.mark.parametrize(("rate", "bound"), [(8000, ">= 24000"), (48_000, "<= 24000")])
    def test_another_rate(self, changed, direction, rate, bound):
        with pytest.raises(ProtocolError, match=f"{bound}, but got {rate}") as refused:
            update(changed, nested(f"audio.{direction}.format", {"type": "audio/pcm", "rate": rate}))
        assert refused.value.param == f"session.audio.{direction}.format.rate"
        assert refused.value.code == f"integer_{'below_min' if rate == 8000 else 'above_max'}_value"

    def test_another_voice_once_one_was_heard(self, changed):
        with pytest.raises(ProtocolError) as refused:
            update(changed, nested("audio.output.voice", "alloy"), spoke=True)
        assert refused.value.code == "cannot_update_voice"

    def test_not_the_same_voice_nor_its_speed(self, changed):
        asked = {"audio": {"output": {"voice": "marin", "speed": 0.5}}}
        assert update(changed, asked, spoke=True).audio.output.speed == 0.5


class TestParts:
    def test_given(self):
        assert given(msgspec.UNSET, 1) == given(None, 1) == 1
        assert given(0, 1) == 0
        assert given("", "a") == ""

    @pytest.mark.parametrize("modalities", [["audio"], ["text"]])
    def test_modalities(self, modalities):
        assert check_modalities(modalities, "x") == modalities

    def test_voice(self):
        assert check_voice("marin", VOICES, "x") == "marin"
        with pytest.raises(ProtocolError, match="'voice_9'") as refused:
            check_voice(VoiceId(id="voice_9"), VOICES, "response.audio.output.voice")
        assert refused.value.param == "response.audio.output.voice"
