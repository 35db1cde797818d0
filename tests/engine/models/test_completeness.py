import pytest

from vivavoce.engine.models.completeness import sounds_complete


@pytest.mark.parametrize(
    "text",
    [
        "What time is it?",
        "Turn on the light.",
        "Yes.",
        "Where are you from?",
        "Tell me a joke",
        "Who is he?",
        "Do you know what time it is?",
        "What are you looking for?",
        "That is what I came for.",
        "When is the next train?",
        "If it rains, close the window.",
        "Since when do you know him, by the way?",
        "That was nice. What is it made of?",
    ],
)
def test_complete(text):
    assert sounds_complete(text)


@pytest.mark.parametrize(
    "text",
    [
        "Turn on the",
        "I would like to know if",
        "Well,",
        "So I was thinking...",
        "My name is",
        "Um",
        "",
        "  ",
        "?!",
        "When I come home tonight.",
        "Hello. If it rains tomorrow",
        "To leave a message.",
        "Are you coming with?",
        "Could you tell the?",
    ],
)
def test_not_complete(text):
    assert not sounds_complete(text)
