import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.client.tool import Tool, read_object, result_text, shortened


async def nothing(arguments, context):
    pass


def tool(**fields):
    return Tool(**{"name": "f", "parameters": {"type": "object"}, "call": nothing} | fields)


def test_a_tool_is_told_as_the_protocol_has_it():
    definition = tool(name="get_time", description="Tell the time.").definition
    assert (definition.name, definition.description) == ("get_time", "Tell the time.")
    assert definition.parameters == {"type": "object"}


def test_more_time_is_taken_in_the_background():
    assert tool().timeout == 30
    assert tool(background=True).timeout == 600
    assert tool(background=True, seconds=5).timeout == 5


@pytest.mark.parametrize("name", ["", "get time", "x" * 65, "lämp", "a.b"])
def test_names_are_what_the_protocol_allows(name):
    with pytest.raises(TypeError, match="name of up to 64"):
        tool(name=name)


@pytest.mark.parametrize("limits", [{"seconds": 0}, {"characters": 0}])
def test_limits_leave_something(limits):
    with pytest.raises(TypeError, match="above 0"):
        tool(**limits)


def test_arguments_are_an_object():
    assert read_object("") == {}
    assert read_object('{"a": [1]}') == {"a": [1]}
    for written in ("[1]", "{", "null"):
        with pytest.raises(ValueError, match="JSON object"):
            read_object(written)


def test_results_as_a_model_reads_them():
    assert result_text("sunny") == "sunny"
    assert result_text({"degrees": 21}) == '{"degrees":21}'
    assert result_text(None) == "null"
    assert "object" in result_text(object())


def test_half_a_character_breaks_no_line():
    assert result_text("smile \ud83d") == "smile ?"


@settings(deadline=None, derandomize=True)
@given(st.text(), st.integers(1, 50))
def test_what_is_cut_says_so(text, characters):
    told = shortened(text, characters)
    assert told[:characters] == text[:characters]
    assert (told == text) == (len(text) <= characters)
    if told != text:
        assert f"{characters} of {len(text)} characters" in told
