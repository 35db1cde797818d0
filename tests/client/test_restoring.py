"""What is restored is tried on the engine's own state machine, which takes events and gives events as any endpoint."""

import base64
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.client.conversation import Conversation
from vivavoce.client.notices import Loss
from vivavoce.client.restoring import Configuration, Restoration, restored_items, words_heard
from vivavoce.engine.session import effects
from vivavoce.protocol import items
from vivavoce.protocol import server_events as server
from vivavoce.protocol.client_events import InputAudioBufferAppend, ResponseCreate
from vivavoce.protocol.codec import decode_server_event, encode
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.session_params import (
    AudioInputParams,
    AudioOutputParams,
    AudioParams,
    RealtimeSessionParams,
    TranscriptionSessionParams,
)
from vivavoce.testing.script import Script, Turn
from vivavoce.testing.session import ScriptedSession


class Endpoint:
    """An endpoint as a function: what it says to events."""

    def __init__(self):
        self.machine = ScriptedSession(
            Script(turns=[Turn(say="Hi.")]),
            ids=Ids(random.Random(1)),
            model="gpt-realtime",
            voices=("alloy", "marin"),
            step_ms=32,
            budget_tokens=10_000_000,
            expires_at=2_000_000_000,
        )

    def begin(self):
        return self._told(self.machine.begin())

    def take(self, events):
        return [told for event in events for told in self._told(self.machine.take(encode(event)))]

    def _told(self, asked):
        return [decode_server_event(encode(one.event)) for one in asked if isinstance(one, effects.Send)]


def mirror(*given_items):
    conversation = Conversation(keep_audio=True)
    for item in given_items:
        conversation.fold(server.ConversationItemAdded(item=item))
        conversation.fold(server.ConversationItemDone(item=item))
    return conversation


def message(role, content, item_id="item_1"):
    return items.MessageItem(id=item_id, role=role, status="completed", content=[content])


def restored(conversation, **held):
    return restored_items(conversation, **{"speech": {}, "heard": {}, **held})


class TestConfiguration:
    def test_nothing_set_is_nothing_to_set(self):
        assert Configuration().params is None

    def test_all_updates_become_one(self):
        configuration = Configuration()
        for params in (
            RealtimeSessionParams(
                model="gpt-realtime",
                instructions="Rhyme.",
                audio=AudioParams(output=AudioOutputParams(voice="marin", speed=1.2)),
            ),
            RealtimeSessionParams(
                instructions="Sing.",
                audio=AudioParams(
                    input=AudioInputParams(turn_detection=None), output=AudioOutputParams(voice="alloy")
                ),
            ),
        ):
            configuration.add(params)
        assert json.loads(encode(configuration.params)) == {
            "type": "realtime",
            "instructions": "Sing.",
            "audio": {"input": {"turn_detection": None}, "output": {"voice": "alloy", "speed": 1.2}},
        }

    def test_of_a_session_that_only_listens(self):
        configuration = Configuration()
        configuration.add(TranscriptionSessionParams(include=None))
        assert configuration.params == TranscriptionSessionParams(include=None)


class TestItems:
    def test_what_was_said_becomes_text(self):
        conversation = mirror(
            message("system", items.InputText(text="Be kind."), "item_0"),
            message("user", items.InputAudio(transcript="What time is it?"), "item_1"),
            message("assistant", items.OutputAudio(transcript="It is noon."), "item_2"),
        )
        made, lost = restored(conversation)
        assert lost == []
        assert [(one.id, one.role, one.content) for one in made] == [
            ("item_0", "system", [items.InputText(text="Be kind.")]),
            ("item_1", "user", [items.InputText(text="What time is it?")]),
            ("item_2", "assistant", [items.OutputText(text="It is noon.")]),
        ]

    def test_speech_without_words_is_sent_as_sound(self):
        conversation = mirror(message("user", items.InputAudio()))
        made, lost = restored(conversation, speech={"item_1": b"abcd"})
        assert made[0].content == [items.InputAudio(audio=base64.b64encode(b"abcd").decode())]
        assert lost == []

    @pytest.mark.parametrize("speech", [{}, {"item_1": b""}])
    def test_speech_of_which_nothing_is_held_is_lost_and_named(self, speech):
        conversation = mirror(message("user", items.InputAudio()))
        made, lost = restored(conversation, speech=speech)
        assert made == []
        assert [one.item_id for one in lost] == ["item_1"]

    def test_a_transcription_that_failed_does_not_make_speech_silence(self):
        conversation = mirror(message("user", items.InputAudio()))
        conversation.find("item_1").transcribed = True
        assert [one.item_id for one in restored(conversation, speech={"item_1": b""})[1]] == ["item_1"]

    def test_silence_is_not_missed(self):
        conversation = mirror(message("user", items.InputAudio()))
        conversation.find("item_1").transcribed = True
        assert restored(conversation) == ([], [])

    def test_words_that_are_still_coming_give_way_to_the_sound(self):
        conversation = mirror(message("user", items.InputAudio()))
        conversation.find("item_1").content[0].text = "What ti"
        made, _ = restored(conversation, speech={"item_1": b"abcd"})
        assert made[0].content[0].type == "input_audio"
        made, _ = restored(conversation)
        assert made[0].content == [items.InputText(text="What ti")]

    def test_pictures_are_lost_and_named(self):
        conversation = mirror(message("user", items.InputImage(image_url="data:image/png;base64,AA==")))
        made, lost = restored(conversation)
        assert made == []
        assert "picture" in lost[0].what

    def test_answers_that_were_cut_are_restored_as_far_as_they_were_heard(self):
        conversation = mirror(
            message("assistant", items.OutputAudio(transcript="One two three four five six"))
        )
        made, _ = restored(conversation, heard={"item_1": 0.5})
        assert made[0].content == [items.OutputText(text="One two three")]
        assert restored(conversation, heard={"item_1": 0.0}) == ([], [])

    def test_calls_and_their_results_stay_together(self):
        call = items.FunctionCall(id="item_1", status="completed", call_id="call_1", name="f", arguments="{}")
        output = items.FunctionCallOutput(id="item_2", call_id="call_1", output="1")
        made, lost = restored(mirror(call, output))
        assert [(one.type, one.call_id) for one in made] == [
            ("function_call", "call_1"),
            ("function_call_output", "call_1"),
        ]
        assert lost == []

    def test_a_call_whose_tool_is_at_work_is_restored_alone(self):
        call = items.FunctionCall(id="item_1", status="completed", call_id="call_1", name="f", arguments="{}")
        assert [one.type for one in restored(mirror(call))[0]] == ["function_call"]

    def test_a_call_that_is_not_whole_was_not_made(self):
        call = items.FunctionCall(
            id="item_1", status="in_progress", call_id="call_1", name="f", arguments="{"
        )
        conversation = Conversation()
        conversation.fold(server.ConversationItemAdded(item=call))
        assert restored(conversation) == ([], [])

    def test_a_result_without_its_call_is_lost(self):
        _, lost = restored(mirror(items.FunctionCallOutput(id="item_2", call_id="call_1", output="1")))
        assert [one.item_id for one in lost] == ["item_2"]

    def test_what_only_endpoints_make_is_lost(self):
        call = items.McpCall(id="item_1", server_label="s", name="f", arguments="{}")
        tools = items.McpListTools(id="item_2", server_label="s", tools=[])
        _, lost = restored(mirror(call, tools))
        assert [one.item_id for one in lost] == ["item_1"]

    @given(st.text(max_size=60), st.floats(0, 1))
    def test_no_more_words_than_were_heard(self, text, share):
        heard = words_heard(text, share)
        assert " ".join(text.split()).startswith(heard) or share == 1
        assert len(heard) <= max(share * len(text), 0) or share == 1


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
TALK = st.lists(
    st.one_of(
        st.tuples(st.just("user"), st.sampled_from(["text", "speech"]), TEXTS),
        st.tuples(st.just("assistant"), st.sampled_from(["text", "speech"]), TEXTS),
        st.tuples(st.just("system"), st.just("text"), TEXTS),
        st.tuples(st.just("call"), st.sampled_from(["answered", "open"]), TEXTS),
    ),
    max_size=12,
)
CONTENT = {
    ("user", "text"): lambda text: items.InputText(text=text),
    ("user", "speech"): lambda text: items.InputAudio(transcript=text),
    ("assistant", "text"): lambda text: items.OutputText(text=text),
    ("assistant", "speech"): lambda text: items.OutputAudio(transcript=text),
    ("system", "text"): lambda text: items.InputText(text=text),
}


def talk(said):
    made = []
    for number, (who, how, text) in enumerate(said):
        if who == "call":
            call_id = f"call_{number}"
            arguments = json.dumps({"text": text})
            made.append(
                items.FunctionCall(
                    id=f"item_{number}", status="completed", call_id=call_id, name="f", arguments=arguments
                )
            )
            if how == "answered":
                made.append(items.FunctionCallOutput(id=f"output_{number}", call_id=call_id, output=text))
        else:
            made.append(message(who, CONTENT[who, how](text), f"item_{number}"))
    return mirror(*made)


def shown(conversation):
    return [
        (item.id, item.type, item.role, item.words, item.arguments, item.output)
        for item in conversation.items
    ]


@given(TALK)
def test_an_endpoint_that_is_told_all_has_the_same_conversation(said):
    conversation = talk(said)
    for item in conversation.items:
        item.transcribed = item.role == "user"
    made, lost = restored(conversation)
    assert lost == []
    restoration = Restoration(None, made, [])
    endpoint, new = Endpoint(), Conversation()
    told = [*endpoint.begin(), *endpoint.take(restoration.events)]
    for event in told:
        new.fold(event)
        assert restoration.fold(event), event
    assert restoration.done
    assert restoration.restored == [item.id for item in conversation.items]
    assert shown(new) == shown(conversation)
    assert restored(new) == (made, [])


class TestRestoration:
    ITEMS = [message("user", items.InputText(text="Hi"), f"item_{number}") for number in range(3)]  # noqa: RUF012
    PARAMS = RealtimeSessionParams(instructions="Rhyme.")

    def test_it_configures_first_and_repeats_last(self):
        again = [InputAudioBufferAppend(audio=""), ResponseCreate()]
        restoration = Restoration(self.PARAMS, self.ITEMS, again)
        assert [event.type for event in restoration.events] == [
            "session.update",
            *["conversation.item.create"] * 3,
            "input_audio_buffer.append",
            "response.create",
        ]
        assert restoration.repeated == ["response.create"]

    def test_what_an_endpoint_answers_is_of_no_concern_to_others(self):
        restoration = Restoration(self.PARAMS, self.ITEMS, [])
        endpoint = Endpoint()
        told = [*endpoint.begin(), *endpoint.take(restoration.events)]
        assert [event.type for event in told[:2]] == ["session.created", "session.updated"]
        for number, event in enumerate(told):
            assert restoration.done == (number >= len(told) - 1)
            assert restoration.fold(event)
        assert restoration.session_id.startswith("sess_")

    def test_but_all_else_is(self):
        restoration = Restoration(self.PARAMS, self.ITEMS, [])
        endpoint = Endpoint()
        for event in [*endpoint.begin(), *endpoint.take(restoration.events)]:
            restoration.fold(event)
        updated = endpoint.take([restoration.events[0]])
        for event in [
            *updated,
            server.ConversationItemAdded(item=self.ITEMS[0]),
            server.ConversationItemDone(item=self.ITEMS[0]),
            server.ErrorEvent(error=server.ErrorDetails(message="no", event_id="restore_item_0")),
            server.ErrorEvent(error=server.ErrorDetails(message="no")),
        ]:
            assert not restoration.fold(event)

    def test_what_is_refused_is_lost(self):
        restoration = Restoration(RealtimeSessionParams(tool_choice="auto"), self.ITEMS[:2], [])
        for event_id in ("restore_session", "restore_item_0"):
            error = server.ErrorDetails(message="it rains", event_id=event_id)
            assert restoration.fold(server.ErrorEvent(error=error))
        assert not restoration.done
        assert restoration.fold(server.ConversationItemAdded(item=self.ITEMS[1]))
        assert restoration.done
        assert restoration.restored == ["item_1"]
        assert restoration.lost == [
            Loss("The configuration was refused: it rains"),
            Loss("It was refused: it rains", "item_0"),
        ]

    def test_what_is_never_answered_is_lost_too(self):
        restoration = Restoration(self.PARAMS, self.ITEMS[:1], [])
        restoration.give_up()
        assert restoration.done
        assert [one.item_id for one in restoration.lost] == ["", "item_0"]

    def test_nothing_is_done_at_once(self):
        assert Restoration.nothing().done
