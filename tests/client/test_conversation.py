import base64
import json
from pathlib import Path

import pytest

from vivavoce.client.conversation import Conversation
from vivavoce.protocol.codec import decode_server_event

WIRE = Path(__file__).parents[1] / "wire"


def event(kind, **fields):
    return decode_server_event(json.dumps({"type": kind, "event_id": "event_1", **fields}))


def message(item_id, role="user", **content):
    return {"id": item_id, "type": "message", "role": role, "status": "completed", "content": [content]}


def text(item_id, words="words", role="user"):
    return message(item_id, role, type="output_text" if role == "assistant" else "input_text", text=words)


def added(item, *previous):
    return event(
        "conversation.item.added", item=item, **({"previous_item_id": previous[0]} if previous else {})
    )


def done(item):
    return event("conversation.item.done", item=item, previous_item_id=None)


def transcription(item_id, delta=None, transcript=None):
    kind = "conversation.item.input_audio_transcription."
    if delta:
        return event(kind + "delta", item_id=item_id, content_index=0, delta=delta)
    usage = {"type": "duration", "seconds": 1}
    return event(kind + "completed", item_id=item_id, content_index=0, transcript=transcript, usage=usage)


def output(kind, item_id="a", response_id="r1", **fields):
    where = {"item_id": item_id, "response_id": response_id, "output_index": 0, "content_index": 0}
    return event(f"response.{kind}", **where, **fields)


def folded(*events, **options):
    conversation = Conversation(**options)
    for one in events:
        conversation.fold(one)
    return conversation


def ids(conversation):
    return [item.id for item in conversation.items]


HELLO = ("user", "Hello, my name is Marcelo.")
ALICE = [
    ("user", "My name is Alice and my favorite color is teal."),
    ("assistant", "Nice to meet you, Alice!"),
    ("user", "What is my name and favorite color?"),
]
WEATHER = ("user", "What is the weather in London?")
CALL = ("get_weather", {"city": "London"})
OUTPUT = ("function_call_output", "It is foggy and 12 degrees in London.")

RECORDED = {
    "openai_ws__test_audio_in_server_vad_turn": [
        HELLO,
        ("assistant", "Hello, Marcelo! Great to meet you. How can I help you today?"),
    ],
    "openai_ws__test_input_audio_retention_segments_three_server_vad_turns": [
        HELLO,
        ("assistant", "Hi Marcelo! Nice to meet you."),
        HELLO,
        ("assistant", "Hi Marcelo! Great to meet you."),
        HELLO,
        ("assistant", "Hey Marcelo, nice meeting you."),
    ],
    "openai_ws__test_message_history_seeding": [
        *ALICE,
        ("assistant", "Your name is Alice, and your favorite color is teal!"),
    ],
    "openai_ws__test_text_in_audio_out_turn": [("user", "Say a short greeting."), ("assistant", "Hi there!")],
    "openai_ws__test_tool_call_round": [
        WEATHER,
        CALL,
        OUTPUT,
        ("assistant", "It is foggy and 12 degrees in London."),
    ],
    "openai_ws_sideband__test_webrtc_sideband_audio_turn": [
        ("user", "Say hello."),
        ("assistant", "Hello there."),
    ],
    "openai_ws_sideband__test_webrtc_sideband_text_turn": [
        ("user", "Say hello."),
        ("assistant", "Hello there!"),
    ],
    "parity_ws__test_history_seeding_parity_gateway-openai": [
        *ALICE,
        ("assistant", "Your name is Alice and your favorite color is teal."),
    ],
    "parity_ws__test_history_seeding_parity_openai-current": [
        *ALICE,
        ("assistant", "Your name is Alice, and your favorite color is teal."),
    ],
    "parity_ws__test_history_seeding_parity_openai-previous": [
        *ALICE,
        ("assistant", "Your name is Alice, and your favorite color is teal."),
    ],
    "parity_ws__test_text_tool_round_parity_gateway-openai": [
        WEATHER,
        CALL,
        OUTPUT,
        ("assistant", "It is foggy and 12 degrees in London."),
    ],
    "parity_ws__test_text_tool_round_parity_openai-current": [
        WEATHER,
        ("assistant", "I’ll check the current weather in London for you."),
        CALL,
        OUTPUT,
        ("assistant", "It’s foggy and 12 degrees in London."),
    ],
    "parity_ws__test_text_tool_round_parity_openai-previous": [
        WEATHER,
        CALL,
        OUTPUT,
        ("assistant", "It’s foggy and 12 degrees in London."),
    ],
}


class TestRecordedSessions:
    def fold(self, name, **options):
        conversation = Conversation(**options)
        for line in (WIRE / f"test_{name}.jsonl").read_text().splitlines():
            frame = json.loads(line)
            if frame["dir"] == "S":
                conversation.fold(decode_server_event(json.dumps(frame["event"])))
        return conversation

    def told(self, item):
        match item.type:
            case "message":
                return item.role, item.words.strip()
            case "function_call":
                return item.name, json.loads(item.arguments)
            case _:
                return item.type, item.output

    def test_none_is_left_out(self):
        assert {path.stem.removeprefix("test_") for path in WIRE.glob("*.jsonl")} == set(RECORDED)

    @pytest.mark.parametrize("name", RECORDED)
    def test_they_fold_into_their_conversation(self, name):
        conversation = self.fold(name)
        assert [self.told(item) for item in conversation.items] == RECORDED[name]
        assert conversation._waiting == {}

    @pytest.mark.parametrize("name", RECORDED)
    def test_deltas_alone_tell_the_same(self, name):
        """What was streamed and what is said at the end agree; without the end, what was streamed remains."""
        skip = {
            f"response.{kind}.done"
            for kind in ("output_text", "output_audio_transcript", "function_call_arguments", "output_item")
        }
        conversation = Conversation()
        for line in (WIRE / f"test_{name}.jsonl").read_text().splitlines():
            frame = json.loads(line)
            kind = frame["event"]["type"]
            growing = kind == "conversation.item.done" and frame["event"]["item"].get("role") != "user"
            if frame["dir"] == "S" and kind not in skip and not growing:
                conversation.fold(decode_server_event(json.dumps(frame["event"])))
        assert [self.told(item) for item in conversation.items] == RECORDED[name]

    def test_audio_is_kept_for_who_asks(self):
        name = "openai_ws__test_audio_in_server_vad_turn"
        deltas = [
            base64.b64decode(frame["event"]["delta"])
            for frame in map(json.loads, (WIRE / f"test_{name}.jsonl").read_text().splitlines())
            if frame["event"]["type"] == "response.output_audio.delta"
        ]
        assert self.fold(name, keep_audio=True).items[1].audio == b"".join(deltas)
        assert self.fold(name).items[1].audio == b""


class TestPlaces:
    def test_an_item_goes_behind_the_one_it_names(self):
        conversation = folded(added(text("a"), None), added(text("c"), "a"), added(text("b"), "a"))
        assert ids(conversation) == ["a", "b", "c"]

    def test_null_is_the_beginning(self):
        assert ids(folded(added(text("a"), None), added(text("root"), None))) == ["root", "a"]

    def test_without_a_name_it_goes_to_the_end(self):
        assert ids(folded(added(text("a")), added(text("b")))) == ["a", "b"]

    def test_behind_one_that_is_not_known_it_goes_to_the_end(self):
        assert ids(folded(added(text("b"), None), added(text("c"), "a"))) == ["b", "c"]

    def test_done_does_not_move_it(self):
        conversation = folded(
            added(text("a"), None), added(text("b", "", "assistant"), "a"), done(text("b", "all"))
        )
        assert ids(conversation) == ["a", "b"]
        assert conversation.items[1].text == "all"

    def test_an_item_that_was_never_added_is_there_when_it_is_done(self):
        assert ids(folded(added(text("a"), None), done(text("b")))) == ["a", "b"]

    def test_the_beta_name_of_added_does_as_well(self):
        created = event("conversation.item.created", item=text("a"), previous_item_id=None)
        assert ids(folded(created, done(text("a")))) == ["a"]

    def test_what_is_deleted_is_gone(self):
        conversation = folded(
            added(text("a")), added(text("b")), event("conversation.item.deleted", item_id="a")
        )
        assert ids(conversation) == ["b"]
        assert conversation.find("a") is None


class TestTranscripts:
    SPEECH = message("u", type="input_audio", transcript=None)

    def test_one_that_comes_before_its_item_waits_for_it(self):
        conversation = Conversation()
        early = conversation.fold(transcription("u", delta="Hel"))
        conversation.fold(transcription("u", delta="lo"))
        assert (early.transcript, early.role, ids(conversation)) == ("Hello", "user", [])
        conversation.fold(added(self.SPEECH, None))
        assert conversation.items[0].transcript == "Hello"
        conversation.fold(done(self.SPEECH))
        assert conversation.items[0].transcript == "Hello"
        assert not conversation.items[0].transcribed

    def test_one_that_comes_after_the_answer_finds_its_item(self):
        conversation = folded(
            added(self.SPEECH, None),
            added(text("a", "Hi!", "assistant"), "u"),
            transcription("u", transcript="Hello."),
        )
        assert [item.words for item in conversation.items] == ["Hello.", "Hi!"]
        assert conversation.items[0].transcribed

    def test_one_that_failed_is_final_too(self):
        failed = event(
            "conversation.item.input_audio_transcription.failed",
            item_id="u",
            content_index=0,
            error={"message": "x"},
        )
        conversation = folded(added(self.SPEECH, None), failed)
        assert conversation.items[0].transcribed
        assert conversation.items[0].transcript == ""

    def test_speech_that_has_begun_is_told_at_once(self):
        begun = event("input_audio_buffer.speech_started", item_id="u", audio_start_ms=0)
        item = Conversation().fold(begun)
        assert (item.id, item.role) == ("u", "user")


class TestAnswers:
    ANSWER = message("a", "assistant", type="output_audio", transcript=None)

    def speaking(self, **options):
        second = base64.b64encode(bytes(48_000)).decode()
        return folded(
            added(self.ANSWER, None),
            output("output_audio_transcript.delta", delta="Hello, "),
            output("output_audio.delta", delta=second),
            output("output_audio_transcript.delta", delta="you."),
            output("output_audio.delta", delta=second),
            **options,
        )

    def test_truncating_cuts_the_audio_and_remembers_where(self):
        conversation = self.speaking(keep_audio=True)
        truncated = event("conversation.item.truncated", item_id="a", content_index=0, audio_end_ms=1500)
        item = conversation.fold(truncated)
        assert len(item.audio) == 72_000
        assert item.audio_end_ms == 1500
        assert item.transcript == "Hello, you."

    def test_telephone_audio_has_eight_bytes_to_the_millisecond(self):
        conversation = Conversation(keep_audio=True)
        audio = {"output": {"format": {"type": "audio/pcmu"}}}
        conversation.fold(event("session.updated", session={"type": "realtime", "id": "s", "audio": audio}))
        conversation.fold(added(self.ANSWER, None))
        conversation.fold(output("output_audio.delta", delta=base64.b64encode(bytes(8000)).decode()))
        truncated = event("conversation.item.truncated", item_id="a", content_index=0, audio_end_ms=500)
        assert len(conversation.fold(truncated).audio) == 4000

    def test_truncating_what_is_not_known_changes_nothing(self):
        truncated = event("conversation.item.truncated", item_id="x", content_index=0, audio_end_ms=1)
        assert Conversation().fold(truncated) is None

    def test_a_response_out_of_band_leaves_nothing_behind(self):
        item = text("a", "", "assistant")
        conversation = folded(
            event("response.output_item.added", response_id="r1", output_index=0, item=item),
            output("output_text.delta", delta="aside"),
        )
        assert conversation.find("a").text == "aside"
        conversation.fold(event("response.done", response={"id": "r1", "status": "completed"}))
        assert conversation.find("a") is None
        assert conversation.items == []

    def test_parts_keep_apart(self):
        conversation = folded(added(text("a", "", "assistant"), None))
        where = {"item_id": "a", "response_id": "r1", "output_index": 0}
        conversation.fold(event("response.output_text.delta", content_index=1, delta="two", **where))
        conversation.fold(event("response.output_text.delta", content_index=0, delta="one", **where))
        assert conversation.items[0].text == "onetwo"

    def test_a_retrieved_item_brings_its_audio(self):
        audio = base64.b64encode(b"abcd").decode()
        conversation = self.speaking(keep_audio=True)
        whole = message("a", "assistant", type="output_audio", transcript="Hello, you.", audio=audio)
        conversation.fold(event("conversation.item.retrieved", item=whole))
        assert conversation.items[0].audio == b"abcd"

    def test_audio_that_is_no_base64_is_left_out(self):
        conversation = folded(added(self.ANSWER, None), keep_audio=True)
        assert conversation.fold(output("output_audio.delta", delta="é")).audio == b""

    def test_an_mcp_call_has_its_arguments_and_output(self):
        call = {"id": "m", "type": "mcp_call", "server_label": "s", "name": "tool", "arguments": ""}
        conversation = folded(
            added(call, None),
            output("mcp_call_arguments.delta", "m", delta="{"),
            output("mcp_call_arguments.done", "m", arguments="{}"),
            done({**call, "output": "42"}),
        )
        item = conversation.items[0]
        assert (item.name, item.arguments, item.output) == ("tool", "{}", "42")


def test_events_that_change_no_item_return_none():
    conversation = Conversation()
    assert conversation.fold(event("rate_limits.updated", rate_limits=[])) is None
    assert conversation.fold(event("of.the.future")) is None
