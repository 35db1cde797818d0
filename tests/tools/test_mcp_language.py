import re

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp_types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from vivavoce.tools.mcp_language import SCHEMA_BYTES, parameters, told_names, told_result

NAMES = st.lists(st.text(min_size=1, max_size=70), unique=True, max_size=4)


@settings(deadline=None, derandomize=True)
@given(st.dictionaries(st.text(min_size=1, max_size=70), NAMES, max_size=4))
def test_names_are_allowed_and_unique(offered):
    told = told_names(offered)
    assert set(told) == {(server, name) for server, names in offered.items() for name in names}
    assert len(set(told.values())) == len(told)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) for name in told.values())


def test_names_stay_as_they_are_unless_they_meet():
    told = told_names({"house": ["set_lamp", "sing"], "garden": ["set_lamp", "mow.lawn"]})
    assert told == {
        ("house", "set_lamp"): "house_set_lamp",
        ("house", "sing"): "sing",
        ("garden", "set_lamp"): "garden_set_lamp",
        ("garden", "mow.lawn"): "mow_lawn",
    }


def test_what_is_still_the_same_gets_a_number():
    told = told_names({"a": ["b.c", "b c"], "d": ["a_b_c"]})
    assert told == {("a", "b.c"): "a_b_c_2", ("a", "b c"): "a_b_c_3", ("d", "a_b_c"): "a_b_c"}


def test_schemas_are_written_out():
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"lamp": {"$ref": "#/$defs/Lamp"}, "odd": {"$ref": "#/elsewhere"}},
        "$defs": {"Lamp": {"title": "Lamp", "enum": ["hall", "kitchen"]}, "Never": False},
    }
    told = parameters(schema)
    assert told["properties"]["lamp"] == {"enum": ["hall", "kitchen"]}
    assert told["properties"]["odd"] == {"$ref": "#/elsewhere"}
    assert "$schema" not in told


def test_a_schema_that_grows_without_end_stays_as_it_is():
    levels = {
        f"L{n}": {"type": "array", "prefixItems": [{"$ref": f"#/$defs/L{n + 1}"}] * 2} for n in range(40)
    }
    schema = {
        "type": "object",
        "properties": {"x": {"$ref": "#/$defs/L0"}},
        "$defs": levels | {"L40": {"type": "null"}},
    }
    assert parameters(schema) == schema


def test_an_object_is_what_arguments_always_are():
    assert parameters({}) == {"type": "object", "properties": {}}


def test_a_schema_has_a_limit():
    with pytest.raises(ValueError, match="up to 16000 bytes"):
        parameters({"description": "x" * SCHEMA_BYTES})


SCHEMAS = st.fixed_dictionaries(
    {"type": st.just("object")},
    optional={
        "properties": st.dictionaries(
            st.text(max_size=5),
            st.sampled_from([{"type": "integer"}, {"$ref": "#/$defs/a"}, {"anyOf": [{"$ref": "#/$defs/b"}]}]),
        ),
        "$defs": st.just({"a": {"type": "string"}, "b": {"items": {"$ref": "#/$defs/b"}}}),
    },
)


@settings(deadline=None, derandomize=True)
@given(SCHEMAS, st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.text())))
def test_what_a_schema_allows_is_what_it_allowed(schema, arguments):
    schema.setdefault("$defs", {"a": {}, "b": {}})
    ours, theirs = (
        jsonschema.Draft202012Validator(one).is_valid(arguments) for one in (parameters(schema), schema)
    )
    assert ours == theirs


def test_results_are_told_in_words():
    result = CallToolResult(
        content=[
            TextContent(text="Two lamps."),
            ImageContent(data="AAAA", mime_type="image/png"),
            AudioContent(data="AAAA", mime_type="audio/wav"),
            ResourceLink(name="manual", uri="house://manual", description="How it is used."),
            EmbeddedResource(resource=TextResourceContents(uri="house://a", text="On and off.")),
            EmbeddedResource(resource=BlobResourceContents(uri="house://b", blob="AAAA")),
        ],
        structured_content={"lamps": 2},
    )
    assert told_result(result).splitlines() == [
        "Two lamps.",
        "[An image (image/png), which cannot be told in words.]",
        "[A recording (audio/wav), which cannot be told in words.]",
        "manual: house://manual How it is used.",
        "On and off.",
        "[A file (of an unknown kind): house://b]",
    ]


def test_structure_is_told_where_there_are_no_words():
    result = CallToolResult(content=[], structured_content={"lamps": [1, 2]})
    assert msgspec.json.decode(told_result(result)) == {"lamps": [1, 2]}
