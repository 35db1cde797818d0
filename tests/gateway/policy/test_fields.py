import pytest

from vivavoce.gateway.policy.fields import SHORT, named, paths, spelt_out


def test_short_names_mean_fields_that_there_are():
    assert {"instructions", "tools", "model", "audio.input.turn_detection.threshold", "prompt.id"} <= paths()
    assert set(SHORT.values()) <= paths()
    assert spelt_out("voice") == "audio.output.voice"
    assert spelt_out("tools") == "tools"


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({}, None),
        ({"instructions": "x"}, "instructions"),
        ({"instructions": None}, "instructions"),
        ({"audio": {"output": {"speed": 1}}}, None),
        ({"audio": {"input": {"voice": 1}}}, None),
        ({"audio": {"output": {"voice": "x"}}}, "audio.output.voice"),
        ({"audio": None}, "audio.output.voice"),
        ({"audio": {"output": None}}, "audio.output.voice"),
        ({"prompt": {"id": "x"}}, "prompt"),
    ],
)
def test_a_field_is_named_by_what_holds_it_or_lies_beneath_it(value, field):
    assert named(value, ["instructions", "audio.output.voice", "prompt"]) == field
