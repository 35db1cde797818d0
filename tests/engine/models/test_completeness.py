import pytest

from vivavoce.engine.models.completeness import sounds_complete


@pytest.mark.parametrize(
    "text",
    ["What time is it?", "Turn on the light.", "Yes.", "Where are you from?", "Tell me a joke", "Who is he?"],
)
def test_complete(text):
    assert sounds_complete(text)


@pytest.mark.parametrize(
    "text",
    ["Turn on the", "I would like to know if", "Well,", "So I was thinking...", "My name is", "Um", "", "  "],
)
def test_not_complete(text):
    assert not sounds_complete(text)
