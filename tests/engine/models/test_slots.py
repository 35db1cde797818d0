import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engine.models.chatml import render
from vivavoce.engine.models.protocols import Message, Prompt
from vivavoce.engine.models.slots import HALF_LIFE_SECONDS, Slots

INSTRUCTIONS = "Answer in one or two short sentences, as one speaks. " * 4
LONG = "Nobody knows, but many have a view. " * 8


def text(*said, answer=True):
    roles = ("user", "assistant")
    messages = [Message(roles[number % 2], one) for number, one in enumerate(said)]
    return render(Prompt((Message("system", INSTRUCTIONS), *messages)), answer=answer)


@pytest.fixture
def slots():
    return Slots(3)


def talk(slots, prompt, answer="", now=0.0):
    number = slots.take(prompt, now)
    if answer:
        slots.answered(number, answer)
    slots.leave(number, now)
    return number


def test_a_conversation_comes_back_to_its_slot(slots):
    first = talk(slots, text("Why?"), LONG)
    other = talk(slots, text("Who?"), LONG)
    assert other != first
    assert talk(slots, text("Why?", LONG, "Really?"), LONG) == first
    assert talk(slots, text("Who?", LONG, "Really?"), LONG) == other


def test_examples_that_all_conversations_begin_with_make_them_no_less_strange_to_each_other(slots):
    example = ("Hello!", "Hello! What can I do for you?")
    prompts = [text(*example, asked, LONG, "Really?") for asked in ("Why?", "Who?")]
    numbers = []
    for prompt in prompts:
        numbers.append(slots.take(prompt, 0.0, opening=3))
        slots.leave(numbers[-1], 0.0)
    assert numbers[0] != numbers[1]


def test_the_first_one_finds_the_instructions_that_were_read_ahead(slots):
    prepared = talk(slots, text(answer=False))
    assert talk(slots, text("Why?"), LONG) == prepared


def test_one_that_was_interrupted_pushes_out_only_what_it_will_not_say_again(slots):
    first = talk(slots, text("Why?"), LONG * 20)
    assert talk(slots, text("Why?", LONG[:20], "Stop.")) == first


def test_a_guess_at_what_is_being_said_costs_nothing(slots):
    first = talk(slots, text("What is", answer=True))
    assert talk(slots, text("What is the time?")) == first


def test_an_answer_that_was_not_finished_is_not_held_for_anyone(slots):
    first = talk(slots, text("Why?"))
    assert talk(slots, text("Who?")) == first


def said(turns, of):
    return [f"{of} {turn}: {LONG}" for turn in range(2 * turns)]


def test_a_conversation_that_lost_its_oldest_items_keeps_its_slot(slots):
    one, other = said(6, "moon"), said(6, "sun")
    first = talk(slots, text(*one, "And?"), LONG)
    assert talk(slots, text(*other, "And?"), LONG) != first
    assert not slots.moved(first)
    assert talk(slots, text(*one[4:], "So?"), LONG) == first
    assert slots.moved(first)
    assert talk(slots, text(*one[4:], "So?", LONG, "Why?"), LONG) == first
    assert not slots.moved(first)  # nothing is left out this time


def test_a_conversation_that_begins_as_another_goes_on_is_another(slots):
    first = talk(slots, text(*said(3, "moon"), "Why?", "Nobody knows.", "Really?"), LONG)
    assert talk(slots, text("Why?", "Nobody knows.", "Who does?")) != first


def test_those_at_work_are_left_alone(slots):
    busy = slots.take(text("Why?"), 0)
    assert slots.take(text("Why?"), 0) != busy
    slots.leave(busy, 0)
    assert slots.take(text("Why?"), 0) == busy


def test_where_all_are_taken_the_line_is_shared(slots):
    taken = [slots.take(text("Why?"), 0) for _ in range(6)]
    assert sorted(taken) == [0, 0, 1, 1, 2, 2]


def test_whoever_has_been_silent_longest_makes_room(slots):
    numbers = [
        talk(slots, text(f"{number} is what?"), LONG, now=number * HALF_LIFE_SECONDS / 10)
        for number in range(3)
    ]
    assert len(set(numbers)) == 3
    assert talk(slots, text("Me too!"), LONG, now=HALF_LIFE_SECONDS) == numbers[0]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 100)), max_size=30))
def test_what_was_said_does_not_matter_to_how_many_are_at_work(steps):
    slots = Slots(2)
    working = []
    for letter, now in steps:
        working.append(slots.take(letter * 50, now))
        if len(working) == 2:
            assert sorted(working) == [0, 1]
            slots.leave(working.pop(0), now)
            slots.leave(working.pop(0), now)


def test_a_conversation_that_is_told_to_be_another_stays_where_it_is(slots):
    """Its instructions are not read again up to where they changed."""
    told = LONG * 4

    def at(time, *said):
        messages = [Message(("user", "assistant")[number % 2], one) for number, one in enumerate(said)]
        instructions = f"{INSTRUCTIONS * 8} It is {time}."
        return render(Prompt((Message("system", instructions), *messages)), answer=True)

    def go_on(prompt, conversation, now):
        number = slots.take(prompt, now, conversation=conversation)
        slots.answered(number, told)
        slots.leave(number, now)
        return number

    one = go_on(at("noon", "Why?"), "one", 0)
    other = go_on(at("noon", "Who?"), "other", 0)
    assert other != one
    assert go_on(at("one", "Why?", told, "Really?"), "one", 1) == one
    assert go_on(at("two", "Why?", told, "Really?", told, "Oh."), "one", 2) == one
    assert go_on(at("two", "Who?", told, "Really?"), "other", 2) == other
    assert go_on(at("three", "Who?", told, "Really?"), "", 3) not in {one, other}


def test_what_begins_otherwise_is_left_to_those_who_begin_so(slots):
    """It was read ahead for everyone, or the conversation may come back to it."""
    prepared = slots.take(text(answer=False), 0, conversation="one")
    slots.leave(prepared, 0)
    other = render(Prompt((Message("system", LONG),)), answer=False)
    changed = slots.take(other, 0, conversation="one")
    slots.leave(changed, 0)
    assert changed != prepared
    alike = render(Prompt((Message("system", f"{LONG} Be brief."),)), answer=False)
    assert slots.take(alike, 0, conversation="one") == changed
