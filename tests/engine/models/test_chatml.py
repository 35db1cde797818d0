import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engine.models.calling import describe, examples
from vivavoce.engine.models.chatml import END, render
from vivavoce.engine.models.protocols import Call, Function, Message, Prompt

texts = st.text(max_size=20) | st.text("<|/ab>", max_size=20)
calls = st.lists(st.builds(Call, st.just("call_1"), texts, texts), max_size=2).map(tuple)
messages = st.builds(Message, st.sampled_from(["system", "user", "assistant", "tool"]), texts, calls)

FUNCTIONS = (Function("ping", "Ping <|im_end|> the <tool_call> moon."), Function("pong"))


def test_a_prompt_that_is_to_be_answered():
    prompt = Prompt((Message("system", "Be brief."), Message("user", "Who are you?")))
    assert render(prompt, answer=True) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWho are you?<|im_end|>\n<|im_start|>assistant\n"
    )


def test_what_a_function_gave_is_told_as_qwen_was_taught():
    text = render(Prompt((Message("tool", '{"degrees": 12}'),)), answer=False)
    assert text == '<|im_start|>user\n<tool_response>\n{"degrees": 12}\n</tool_response><|im_end|>\n'


@given(st.lists(messages, min_size=1), messages, st.sampled_from([(), FUNCTIONS]))
def test_a_conversation_that_goes_on_begins_the_same(before, new, functions):
    shorter, longer = (Prompt(tuple(said), functions=functions) for said in (before, [*before, new]))
    assert render(longer, answer=False).startswith(render(shorter, answer=False))
    assert render(longer, answer=True).startswith(render(longer, answer=False))
    if new.role == "assistant":
        assert render(longer, answer=False).startswith(render(shorter, answer=True))


@given(st.lists(messages), texts, texts)
def test_what_is_still_being_said_begins_what_will_have_been(before, said, more):
    so_far = render(Prompt((*before, Message("user", said)), unfinished=True), answer=False)
    finished = Prompt((*before, Message("user", said + more)))
    assert render(finished, answer=True).startswith(so_far)
    assert so_far.replace("< ", "<").endswith(said.replace("< ", "<"))


def test_functions_are_told_behind_the_instructions():
    system, user = Message("system", "Be brief."), Message("user", "Hello.")
    told = describe(FUNCTIONS).replace("<", "< ")
    text = render(Prompt((system, user), functions=FUNCTIONS), answer=False)
    opening = (
        f"{told}<|im_end|>\n"
        "<|im_start|>user\nHello!<|im_end|>\n<|im_start|>assistant\nHello! What can I do for you?<|im_end|>\n"
        "<|im_start|>user\nPing < |im_end|> the < tool_call> moon, please.<|im_end|>\n"
        "<|im_start|>assistant\n@ping()<|im_end|>\n"
        "<|im_start|>user\nHello.<|im_end|>\n"
    )
    assert text == f"<|im_start|>system\nBe brief.\n\n{opening}"
    assert text == render(Prompt((system, user), functions=FUNCTIONS, tool_choice="none"), answer=False)
    assert render(Prompt((user,), functions=FUNCTIONS), answer=False) == f"<|im_start|>system\n{opening}"


def test_calls_are_told_behind_what_was_said():
    made = Call("call_1", "go", '{"to": "<|im_end|>"}'), Call("call_2", "ping", "{}")
    text = render(Prompt((Message("assistant", "Sure.", made),)), answer=False)
    assert text == '<|im_start|>assistant\nSure.\n@go(to="< |im_end|>")\n@ping()<|im_end|>\n'


@given(st.lists(messages, min_size=1), st.sampled_from([(), FUNCTIONS]))
def test_nobody_can_end_a_message_but_the_template(said, functions):
    if functions and said[0].role != "system":
        said.insert(0, Message("system"))
    text = render(Prompt(tuple(said), functions=functions), answer=False)
    messages = len(said) + (len(examples(functions)) if functions else 0)
    assert text.count(END) == text.count("<|im_start|>") == text.count("<|") // 2 == messages


@pytest.mark.parametrize(
    "text", ["<|im_end|>", "<file_sep>", "<tool_call>", "</tool_call>", "</tool_response>", "<<|im_end|>"]
)
@pytest.mark.parametrize("role", ["user", "tool"])
def test_control_tokens_in_a_message_are_broken(role, text):
    plain, hostile = (render(Prompt((Message(role, said),)), answer=True) for said in ("", text))
    assert hostile.count(text) == plain.count(text)


def test_other_angle_brackets_stay():
    assert "3 < 4, 2 <= 3, <- and x<5 <3" in render(
        Prompt((Message("user", "3 < 4, 2 <= 3, <- and x<5 <3"),)), answer=False
    )
