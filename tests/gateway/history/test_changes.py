import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.client.conversation import ConversationItem, Part
from vivavoce.gateway.history.changes import MAX_NAME, MAX_TEXT, Change, clean, item_values, name, whole


@settings(deadline=None)
@given(st.text())
def test_a_clean_text_is_what_it_was_but_for_zeros(text):
    assert clean(text) == text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def test_half_a_character_is_no_reason_to_fail():
    assert clean("a\ud83d") == "a?"


def test_texts_and_names_have_an_end():
    assert len(clean("x" * (MAX_TEXT + 1))) == MAX_TEXT
    assert len(name("x" * 1000)) == MAX_NAME


@pytest.mark.parametrize(("number", "kept"), [(7, 7), (10**30, 2**31 - 1), (-(10**30), 1 - 2**31)])
def test_numbers_fit(number, kept):
    assert whole(number) == kept


def test_the_parts_of_a_message_have_the_names_of_the_protocol():
    user = ConversationItem("i", type="message", role="user")
    user.content = [Part(spoken=True, text="Hello"), Part(text="there"), Part()]
    assert item_values(user)["content"] == [
        {"type": "input_audio", "transcript": "Hello"},
        {"type": "input_text", "text": "there"},
    ]
    user.role = "assistant"
    assert [part["type"] for part in item_values(user)["content"]] == ["output_audio", "output_text"]


def test_a_later_change_goes_over_an_earlier_one():
    earlier = Change("items", "s", "i", {"status": "in_progress", "role": "user"})
    later = Change("items", "s", "i", {"status": "completed"})
    assert later.over(earlier).values == {"status": "completed", "role": "user"}


def test_its_size_is_that_of_its_texts():
    small = Change("items", "s", "i", {"content": [], "name": "", "position": 1.0})
    large = Change("items", "s", "i", {"content": [{"text": "x" * 5000}], "name": "y" * 100, "usage": None})
    assert large.size - small.size == 5100
