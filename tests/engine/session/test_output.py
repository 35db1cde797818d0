"""Calls of functions and responses out of band; messages are tested with `Answer`."""

import base64

import msgspec
import numpy as np
import pytest

from tests.engine.session.driver import Driver, types, user
from vivavoce.engine.models.protocols import Call, Finished, Message
from vivavoce.engine.session import effects, inputs
from vivavoce.engine.session.answering import OUT_OF_BAND_LIMIT

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Tell the weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
OPENED = ["response.output_item.added", "conversation.item.added"]
CLOSED = ["conversation.item.done", "response.output_item.done"]
ARGUMENTS = ["response.function_call_arguments.delta", "response.function_call_arguments.done"]
ENDED = ["response.done", "rate_limits.updated"]


@pytest.fixture
def driver():
    return Driver(output_modalities=["text"], tools=[WEATHER])


def ask(driver, text="What is the weather in Rome?", **response):
    driver.client("conversation.item.create", item=user(text))
    return driver.client("response.create", response=response)


def items(events):
    return [event["item"] for event in events if event["type"] == "response.output_item.done"]


class TestCalls:
    def test_have_the_order_of_the_wire(self, driver):
        ask(driver)
        events = driver.call("get_weather", '{"city": ', '"Rome"}')
        assert types(events) == [*OPENED, *ARGUMENTS, *CLOSED, *ENDED]
        added, done = events[0]["item"], events[-4]["item"]
        assert added == {
            "id": added["id"],
            "type": "function_call",
            "status": "in_progress",
            "name": "get_weather",
            "call_id": added["call_id"],
            "arguments": "",
        }
        assert done == added | {"status": "completed", "arguments": '{"city": "Rome"}'}
        written = next(event for event in events if event["type"] == ARGUMENTS[1])
        assert (written["name"], written["arguments"]) == ("get_weather", '{"city": "Rome"}')
        assert events[-2]["response"]["output"] == [done]

    def test_the_model_knows_what_it_may_call(self, driver):
        ask(driver)
        prompt = driver.last(effects.Generate).prompt
        (function,) = prompt.functions
        assert (function.name, function.description) == ("get_weather", "Tell the weather.")
        assert msgspec.json.decode(function.parameters) == WEATHER["parameters"]
        assert (prompt.tool_choice, prompt.must_call, prompt.parallel_calls) == ("auto", None, True)

    def test_the_beginning_that_is_prepared_is_the_one_that_is_answered(self, driver):
        prepared = driver.last(effects.Prepare).prompt
        ask(driver)
        assert driver.last(effects.Generate).prompt.functions == prepared.functions

    def test_the_result_is_answered(self, driver):
        ask(driver)
        (call,) = items(driver.call("get_weather", '{"city": "Rome"}'))
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
        added, _ = driver.client("conversation.item.create", item=output)
        assert added["previous_item_id"] == call["id"]
        driver.client("response.create")
        made = Call(call["call_id"], "get_weather", '{"city": "Rome"}')
        assert driver.last(effects.Generate).prompt.messages[-2:] == (
            Message("assistant", calls=(made,)),
            Message("tool", "sunny", call_id=call["call_id"]),
        )

    def test_several_are_several_items(self, driver):
        ask(driver)
        first = driver.call("get_weather", '{"city": "Rome"}', end=None)
        rest = driver.call("get_weather", '{"city": "Oslo"}')
        assert types(first) == [*OPENED, ARGUMENTS[0]]
        assert types(rest)[:3] == [ARGUMENTS[1], *CLOSED], "one ends where the next begins"
        made = rest[-2]["response"]["output"]
        assert [item["arguments"] for item in made] == ['{"city": "Rome"}', '{"city": "Oslo"}']
        assert len({item["call_id"] for item in made}) == 2
        assert [e["output_index"] for e in rest if e["type"] == "response.output_item.done"] == [0, 1]

    def test_what_is_said_first_is_a_message(self):
        driver = Driver(tools=[WEATHER])
        ask(driver)
        driver.write("Let me see", end=None)
        called = driver.call("get_weather", '{"city": "Rome"}')
        assert types(called) == [*OPENED, *ARGUMENTS, *CLOSED], (
            "it can be worked on while speech is still made"
        )
        events = driver.speak()
        assert types(events)[0] == "response.output_audio.delta"
        message, call = events[-2]["response"]["output"]
        assert message["content"][0]["transcript"] == "Let me see"
        assert call["type"] == "function_call"

    def test_one_that_was_cut_off_is_incomplete_and_forgotten(self, driver):
        ask(driver)
        driver.call("get_weather", '{"city": "Ro', end=None)
        events = driver.client("response.cancel")
        assert types(events) == [ARGUMENTS[1], *CLOSED, *ENDED]
        assert items(events)[0]["status"] == "incomplete"
        driver.client("response.create")
        assert not any(m.calls for m in driver.last(effects.Generate).prompt.messages)

    def test_one_that_is_too_long_is_incomplete(self, driver):
        ask(driver)
        events = driver.call("get_weather", '{"city": "Ro', end="length")
        assert events[-2]["response"]["status"] == "incomplete"
        assert items(events)[0]["status"] == "incomplete"

    def test_one_that_is_complete_stays_so_whatever_comes_after(self, driver):
        ask(driver)
        driver.call("get_weather", '{"city": "Rome"}', end=None)
        driver.call("get_weather", '{"ci', end=None)
        output = driver.client("response.cancel")[-2]["response"]["output"]
        assert [item["status"] for item in output] == ["completed", "incomplete"]

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"tool_choice": "none"}, ("none", None, True, 1)),
            ({"tool_choice": "required"}, ("required", None, True, 1)),
            (
                {"tool_choice": {"type": "function", "name": "get_weather"}},
                ("required", "get_weather", True, 1),
            ),
            ({"parallel_tool_calls": False}, ("auto", None, False, 1)),
            ({"tools": []}, ("auto", None, True, 0)),
        ],
    )
    def test_a_response_can_choose_for_itself(self, driver, fields, expected):
        ask(driver, **fields)
        prompt = driver.last(effects.Generate).prompt
        chosen = (prompt.tool_choice, prompt.must_call, prompt.parallel_calls, len(prompt.functions))
        assert chosen == expected

    def test_a_response_can_bring_its_own(self, driver):
        own = WEATHER | {"name": "get_time"}
        ask(driver, tools=[own], tool_choice={"type": "function", "name": "get_time"})
        assert [function.name for function in driver.last(effects.Generate).prompt.functions] == ["get_time"]
        assert driver.last(effects.Generate).prompt.must_call == "get_time"

    @pytest.mark.parametrize(
        ("fields", "param"),
        [
            ({"tools": [WEATHER, WEATHER]}, "response.tools[1].name"),
            ({"tool_choice": {"type": "function", "name": "f"}}, "response.tool_choice.name"),
            (
                {"tools": [], "tool_choice": {"type": "function", "name": "get_weather"}},
                "response.tool_choice.name",
            ),
        ],
    )
    def test_what_cannot_be_called_is_refused(self, driver, fields, param):
        (error,) = driver.client("response.create", response=fields)
        assert error["error"]["param"] == param

    def test_thinking_ahead_may_call(self):
        driver = Driver(tools=[WEATHER])
        driver.hear((0.5, 0.9), (0.1, 0.05))
        driver.recognise("The weather in Rome?")
        assert driver.call("get_weather", '{"city": "Rome"}') == [], "nobody sees what may be dropped"
        events = driver.hear((0.3, 0.05))
        assert items(events)[0]["arguments"] == '{"city": "Rome"}'


class TestOutOfBand:
    def test_leaves_no_trace_in_the_conversation(self, driver):
        driver.client("conversation.item.create", item=user("Hello"))
        metadata = {"topic": "mood"}
        (created,) = driver.client("response.create", response={"conversation": "none", "metadata": metadata})
        events = driver.write("Good.")
        assert not any(kind.startswith("conversation.") for kind in types(events))
        response = events[-2]["response"]
        assert created["response"]["conversation_id"] is response["conversation_id"] is None
        assert response["metadata"] == metadata
        assert response["output"][0]["content"] == [{"type": "output_text", "text": "Good."}]
        (gone,) = driver.client("conversation.item.retrieve", item_id=response["output"][0]["id"])
        assert gone["error"]["code"] == "item_retrieve_invalid_item_id"
        driver.client("response.create")
        said = [m.text for m in driver.last(effects.Generate).prompt.messages[1:]]
        assert said == ["Hello"]

    def test_runs_beside_the_conversation(self, driver):
        ask(driver)
        main = driver.last(effects.Generate).generation
        (created,) = driver.client("response.create", response={"conversation": "none"})
        beside = driver.last(effects.Generate).generation
        assert created["type"] == "response.created"
        driver.tell(inputs.TextGenerated(main, "It is sunny."))
        driver.tell(inputs.TextGenerated(beside, "Curious."))
        ended = {}
        for number in (beside, main):
            events = driver.tell(inputs.GenerationFinished(number, Finished("stop", 40, 1, 30)))
            response = next(e["response"] for e in events if e["type"] == "response.done")
            ended[number] = response["output"][0]["content"][0]["text"]
        assert ended == {main: "It is sunny.", beside: "Curious."}

    def test_is_cancelled_by_its_id_only(self, driver):
        (created,) = driver.client("response.create", response={"conversation": "none"})
        (error,) = driver.client("response.cancel")
        assert error["error"]["code"] == "response_cancel_not_active"
        events = driver.client("response.cancel", response_id=created["response"]["id"])
        assert events[-2]["response"]["status"] == "cancelled"

    def test_is_not_interrupted_by_speech(self):
        driver = Driver()
        driver.client("response.create", response={"conversation": "none", "output_modalities": ["text"]})
        assert "response.done" not in types(driver.hear((0.5, 0.9)))

    def test_there_may_be_some_but_not_any_number(self, driver):
        for _ in range(OUT_OF_BAND_LIMIT):
            driver.client("response.create", response={"conversation": "none"})
        (error,) = driver.client("response.create", response={"conversation": "none"})
        assert error["error"]["param"] == "response.conversation"
        assert driver.client("response.create")[0]["type"] == "response.created"

    def test_its_voice_settles_nothing(self):
        driver = Driver()
        driver.client("response.create", response={"conversation": "none"})
        driver.write("Hello there.")
        driver.speak()
        update = {"type": "realtime", "audio": {"output": {"voice": "marin"}}}
        assert driver.client("session.update", session=update)[0]["type"] == "session.updated"

    def test_other_conversations_are_refused(self, driver):
        (error,) = driver.client("response.create", response={"conversation": "conv_1"})
        assert error["error"]["param"] == "response.conversation"


class TestInput:
    def prompt(self, driver, *given, **fields):
        driver.client("response.create", response={"input": list(given), **fields})
        return [(m.role, m.text) for m in driver.last(effects.Generate).prompt.messages[1:]]

    def test_takes_the_place_of_the_conversation(self, driver):
        driver.client("conversation.item.create", item=user("Hello", id="item_hello"))
        driver.client("conversation.item.create", item=user("Goodbye"))
        reference = {"type": "item_reference", "id": "item_hello"}
        assert self.prompt(driver, reference, user("Really?")) == [("user", "Hello"), ("user", "Really?")]

    def test_empty_is_nothing(self, driver):
        driver.client("conversation.item.create", item=user("Hello"))
        assert self.prompt(driver) == []

    def test_its_items_do_not_join_the_conversation_but_the_answer_does(self, driver):
        driver.client("conversation.item.create", item=user("Hello"))
        self.prompt(driver, user("Really?"))
        events = driver.write("Yes.")
        assert "conversation.item.added" in types(events)
        driver.client("response.create")
        said = [message.text for message in driver.last(effects.Generate).prompt.messages[1:]]
        assert said == ["Hello", "Yes."]

    def test_speech_in_it_is_understood_in_silence(self):
        driver = Driver(audio={"input": {"transcription": {"model": "whisper-1"}}})
        sound = base64.b64encode(np.zeros(24_000, "<i2").tobytes()).decode()
        spoken = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": sound}]}
        begun = driver.client("response.create", response={"input": [spoken], "conversation": "none"})
        assert types(begun) == ["response.created"]
        assert driver.all(effects.Generate) == []
        assert driver.recognise("What time is it?") == []
        assert driver.last(effects.Generate).prompt.messages[-1].text == "What time is it?"

    @pytest.mark.parametrize(
        ("given", "param"),
        [
            ({"type": "item_reference", "id": "item_none"}, "response.input[1].id"),
            (
                {"type": "message", "role": "user", "content": [{"type": "output_text", "text": "x"}]},
                "response.input[1].content[0].type",
            ),
        ],
    )
    def test_what_cannot_be_read_is_refused(self, driver, given, param):
        (error,) = driver.client("response.create", response={"input": [user("Hello"), given]})
        assert error["error"]["param"] == param
        assert driver.client("response.create")[0]["type"] == "response.created"
