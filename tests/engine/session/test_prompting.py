from vivavoce.engine.models.protocols import Message
from vivavoce.engine.session.conversation import Conversation, Entry, Part
from vivavoce.engine.session.prompting import CHARS_PER_TOKEN, Prompting


def conversation(*texts):
    made = Conversation()
    for number, text in enumerate(texts):
        role = "user" if number % 2 == 0 else "assistant"
        kind = "input_text" if role == "user" else "output_text"
        made.insert(Entry(f"item_{number}", "message", role=role, parts=[Part(kind, text)]))
    return made


def length(prompt):
    return sum(len(message.text) for message in prompt.messages)


def test_the_beginning_stays_the_same_until_the_budget_is_reached():
    prompting = Prompting(100)
    talk = conversation()
    last = prompting.prompt("Be brief.", talk)
    beginnings = 0
    for number in range(60):
        talk.insert(Entry(f"item_{number}", "message", role="user", parts=[Part("input_text", "x" * 20)]))
        prompt = prompting.prompt("Be brief.", talk)
        assert length(prompt) <= 100 * CHARS_PER_TOKEN
        beginnings += prompt.messages[: len(last.messages)] != last.messages
        last = prompt
    assert 0 < beginnings < 12


def test_one_item_that_is_too_long_keeps_its_end():
    prompt = Prompting(100).prompt("Be brief.", conversation("a" * 1000 + "the question"))
    assert prompt.messages[-1].text.endswith("the question")
    assert length(prompt) <= 100 * CHARS_PER_TOKEN


def test_what_may_just_have_been_said_comes_last():
    prompt = Prompting(100).prompt("Be brief.", conversation("Hello", "Hi"), "Bye")
    assert prompt.messages[-1] == Message("user", "Bye")


def test_speech_without_words_is_not_hidden_from_the_model():
    talk = Conversation()
    talk.insert(Entry("item_0", "message", role="user", parts=[Part("input_audio", "")]))
    assert "not be understood" in Prompting(100).prompt("", talk).messages[-1].text


def test_functions_are_told():
    talk = Conversation()
    talk.insert(Entry("a", "function_call", name="get_time", call_id="call_1", arguments='{"city": "Rome"}'))
    talk.insert(Entry("b", "function_call_output", call_id="call_1", output="noon"))
    roles = [(m.role, m.text) for m in Prompting(100).prompt("", talk).messages[1:]]
    assert roles == [("assistant", '{"name": "get_time", "arguments": {"city": "Rome"}}'), ("tool", "noon")]
