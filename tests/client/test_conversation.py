import base64
import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.client.changes import CHANGES, Delta
from vivavoce.client.conversation import MOST_WAITING, Conversation
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
    def fold(self, name, conversation=None, **options):
        conversation = conversation or Conversation(**options)
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
        assert all(item.complete for item in conversation.items)

    @pytest.mark.parametrize("name", RECORDED)
    def test_who_listens_can_follow_without_looking(self, name):
        """Every item is appended once and then completed once, and its deltas are what it says."""
        told, deltas = [], {}
        conversation = Conversation()
        for kind in ("item.appended", "item.completed"):
            conversation.on(kind, lambda change: told.append((change.type, change.item.id)))

        def updated(change):
            if change.delta and change.item.role != "user":
                said = change.delta.text + change.delta.transcript + change.delta.arguments
                deltas[change.item.id] = deltas.get(change.item.id, "") + said

        conversation.on("updated", updated)
        self.fold(name, conversation)
        assert set(told) == {
            (kind, item.id) for item in conversation.items for kind in ("item.appended", "item.completed")
        }
        assert len(told) == 2 * len(conversation.items)
        for item in conversation.items:
            assert told.index(("item.appended", item.id)) < told.index(("item.completed", item.id))
            if item.response_id is not None:
                assert deltas[item.id] == item.words + item.arguments

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

    def test_behind_itself_it_goes_to_the_end(self):
        assert ids(folded(added(text("a")), added(text("b"), "b"))) == ["a", "b"]

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
        assert [conversation.placed(item_id) for item_id in "abc"] == [False, True, False]


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
        assert not conversation.placed("a")
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


class TestListeners:
    def follow(self, conversation):
        told = []
        for name in CHANGES:
            conversation.on(name, told.append)
        return told

    def kinds(self, told):
        return [(change.type, change.item.id) for change in told]

    def test_an_answer_is_appended_grows_and_is_completed(self):
        conversation = Conversation()
        told = self.follow(conversation)
        answer = text("a", "", "assistant")
        conversation.fold(event("response.output_item.added", response_id="r1", output_index=0, item=answer))
        assert told == [], "it has no place yet"
        conversation.fold(added(answer, None))
        conversation.fold(output("output_text.delta", delta="Hi"))
        conversation.fold(output("output_audio.delta", delta=base64.b64encode(b"abcd").decode()))
        conversation.fold(output("function_call_arguments.delta", call_id="c", delta="{"))
        conversation.fold(done(text("a", "Hi", "assistant")))
        assert self.kinds(told) == [
            ("item.appended", "a"),
            *[("updated", "a")] * 4,
            ("item.completed", "a"),
        ]
        assert [change.delta for change in told[1:5]] == [
            Delta(text="Hi"),
            Delta(audio=b"abcd"),
            Delta(arguments="{"),
            None,
        ]
        assert conversation.items[0].audio == b"", "who listens need not keep"

    def test_what_the_user_says_is_told_before_it_has_a_place_and_late(self):
        conversation = Conversation()
        told = self.follow(conversation)
        conversation.fold(event("input_audio_buffer.speech_started", item_id="u", audio_start_ms=0))
        conversation.fold(transcription("u", delta="Hel"))
        speech = message("u", type="input_audio", transcript=None)
        conversation.fold(added(speech, None))
        conversation.fold(done(speech))
        conversation.fold(transcription("u", transcript="Hello."))
        assert self.kinds(told) == [
            ("interrupted", "u"),
            ("updated", "u"),
            ("item.appended", "u"),
            ("updated", "u"),
            ("item.completed", "u"),
            ("updated", "u"),
        ]
        assert told[1].delta == Delta(transcript="Hel")

    def test_a_response_out_of_band_is_told_to_nobody(self):
        conversation = Conversation()
        told = self.follow(conversation)
        item = text("a", "", "assistant")
        conversation.fold(event("response.output_item.added", response_id="r1", output_index=0, item=item))
        conversation.fold(output("output_text.delta", delta="aside"))
        conversation.fold(event("response.output_item.done", response_id="r1", output_index=0, item=item))
        assert told == []

    def test_a_server_that_only_ends_outputs_completes_items_too(self):
        conversation = Conversation()
        told = self.follow(conversation)
        item = text("a", "Hi", "assistant")
        conversation.fold(added(item, None))
        for kind in ("output_item.done", "output_item.done"):
            conversation.fold(event(f"response.{kind}", response_id="r1", output_index=0, item=item))
        conversation.fold(done(item))
        assert [kind for kind, _ in self.kinds(told)].count("item.completed") == 1

    def test_who_is_told_sees_the_whole_event_folded_in(self):
        conversation, seen = Conversation(), []
        conversation.on("item.appended", lambda change: seen.append([*ids(conversation), change.item.words]))
        conversation.fold(added(text("a", "Hi"), None))
        assert seen == [["a", "Hi"]]


class TestCopies:
    def test_they_are_whole_and_go_on_alone(self):
        conversation, told = Conversation(keep_audio=1), []
        conversation.on("updated", told.append)
        answer = message("a", "assistant", type="output_audio")
        second = base64.b64encode(bytes(48_000)).decode()
        for one in (added(answer, None), output("output_audio.delta", delta=second)):
            conversation.fold(one)
        before = len(told)
        copied = copy.deepcopy(conversation)
        copied.fold(output("output_audio.delta", delta=second))
        assert len(copied.items[0].audio) == len(conversation.items[0].audio) == 48_000
        assert copied.items[0].content[0].dropped == 48_000
        assert conversation.items[0].content[0].dropped == 0
        assert len(told) == before


class TestBounds:
    def test_of_many_items_the_last_are_kept(self):
        conversation = Conversation(keep_items=3)
        for number in range(10):
            conversation.fold(added(text(str(number))))
        assert ids(conversation) == ["7", "8", "9"]
        assert conversation.find("6") is None

    def test_of_much_audio_the_latest_is_kept(self):
        second = base64.b64encode(bytes(48_000)).decode()
        conversation = Conversation(keep_audio=2)
        for number in range(4):
            conversation.fold(added(message(str(number), "assistant", type="output_audio")))
            conversation.fold(output("output_audio.delta", str(number), delta=second))
        assert [len(item.audio) for item in conversation.items] == [0, 0, 48_000, 48_000]

    def test_items_that_never_come_are_forgotten(self):
        conversation = Conversation()
        for number in range(MOST_WAITING + 10):
            conversation.fold(transcription(str(number), delta="Hello"))
        assert conversation.find("9") is None
        assert conversation.find("10") is not None

    def test_at_least_one_item_is_kept(self):
        with pytest.raises(ValueError, match="got 0"):
            Conversation(keep_items=0)


@given(st.data())
def test_whatever_the_order_the_words_are_the_same(data):
    """Transcripts may come before, between or after all other events of a turn."""
    speech, answer = message("u", type="input_audio", transcript=None), text("a", "", "assistant")
    turn = [
        event("input_audio_buffer.speech_started", item_id="u", audio_start_ms=0),
        added(speech, None),
        done(speech),
        added(answer, "u"),
        output("output_text.delta", delta="Hi!"),
        done(text("a", "Hi!", "assistant")),
    ]
    late = [
        transcription("u", delta="Hel"),
        transcription("u", delta="lo"),
        transcription("u", transcript="Hello."),
    ]
    for one, at in zip(late, sorted(data.draw(st.tuples(*[st.integers(0, 6)] * 3))), strict=True):
        turn.insert(at + late.index(one), one)
    conversation = folded(*turn)
    assert [(item.id, item.role, item.words) for item in conversation.items] == [
        ("u", "user", "Hello."),
        ("a", "assistant", "Hi!"),
    ]
    assert conversation.items[0].transcribed
