from vivavoce.engine.models.protocols import Call, Function, Message
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


def test_silence_says_what_is_to_be_said_to_it():
    talk = Conversation()
    silence = Entry("item_0", "message", role="user", parts=[Part("input_audio", "")], aside="Ask.")
    talk.insert(silence)
    assert Prompting(100).prompt("", talk).messages[-1] == Message("system", "Ask.")
    silence.parts[0].text = "Psst."
    assert Prompting(100).prompt("", talk).messages[-1] == Message("user", "Psst.")


def test_calls_are_told_with_what_was_said_before_them():
    talk = conversation("What time is it?", "Let me see.")
    for city in ("Rome", "Oslo"):
        arguments = f'{{"city": "{city}"}}'
        talk.insert(
            Entry(city, "function_call", name="get_time", call_id=f"call_{city}", arguments=arguments)
        )
    talk.insert(Entry("b", "function_call_output", call_id="call_Rome", output="noon"))
    talk.insert(Entry("c", "message", role="assistant", parts=[Part("output_text", "It is noon.")]))
    rome, oslo = (Call(f"call_{city}", "get_time", f'{{"city": "{city}"}}') for city in ("Rome", "Oslo"))
    assert Prompting(200).prompt("", talk).messages[1:] == (
        Message("user", "What time is it?"),
        Message("assistant", "Let me see.", calls=(rome, oslo)),
        Message("tool", "noon", call_id="call_Rome"),
        Message("assistant", "It is noon."),
    )


def test_a_call_that_was_cut_off_is_not_told():
    talk = Conversation()
    talk.insert(Entry("a", "function_call", status="incomplete", name="f", arguments='{"city": "Ro'))
    assert len(Prompting(100).prompt("", talk).messages) == 1


def test_functions_take_room_from_the_conversation():
    talk = conversation(*(f"{number} " * 20 for number in range(10)))
    function = Function("f", parameters="x" * 300)
    alone = Prompting(200).prompt("", talk)
    beside = Prompting(200).prompt("", talk, functions=(function,))
    assert beside.functions == (function,)
    assert 1 < len(beside.messages) < len(alone.messages)
