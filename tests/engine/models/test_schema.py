import json

import pytest

from vivavoce.engine.models import schema
from vivavoce.engine.models.protocols import Function
from vivavoce.engine.models.schema import MAX_CHARS, check_function, parameters


def given(properties, **more):
    return json.dumps({"type": "object", "properties": properties, **more})


def narrow(part, **more):
    """Return what becomes of a parameter's schema."""
    (parameter,) = parameters(given({"x": part}, **more)).named
    return parameter.schema


TEXT = {"type": "string", "minLength": 0, "maxLength": 400}
WHOLE = {"type": "integer", "minimum": -(10**12), "maximum": 10**12, "multipleOf": 1}


class TestParameters:
    def test_are_named_typed_and_described(self):
        place, days = parameters(
            given(
                {"place": {"type": "string", "description": "a town"}, "days": {"type": "integer"}},
                required=["place"],
            )
        ).named
        assert (place.name, place.schema, place.required, place.description) == (
            "place",
            TEXT,
            True,
            "a town",
        )
        assert (days.name, days.schema, days.required, days.description) == ("days", WHOLE, False, "")

    @pytest.mark.parametrize("none", ["{}", '{"type": "object"}', '{"type": "object", "properties": {}}'])
    def test_may_be_none(self, none):
        assert parameters(none) == schema.Parameters(())

    def test_of_other_names_only_where_they_are_asked_for(self):
        assert parameters(given({})).others is None
        assert parameters(given({"a": True}, additionalProperties={"type": "boolean"})).others == {
            "type": "boolean"
        }

    def test_may_be_many(self):
        many = {f"p{number}": {"type": "null"} for number in range(200)}
        assert len(parameters(given(many)).named) == 200

    def test_may_be_required_without_being_described(self):
        known = parameters(given({}, required=["a"], additionalProperties={"type": "null"}))
        assert [(one.name, one.schema, one.required) for one in known.named] == [
            ("a", {"type": "null"}, True)
        ]

    def test_may_be_defined_elsewhere(self):
        found = parameters(
            '{"$ref": "#/$defs/all", "$defs": {"all": {"properties": {"a": {"type": "null"}}}}}'
        )
        assert [one.name for one in found.named] == ["a"]


class TestNarrowing:
    @pytest.mark.parametrize(
        ("part", "expected"),
        [
            ({"type": "string"}, TEXT),
            ({"type": "string", "minLength": 2, "maxLength": 9000}, {**TEXT, "minLength": 2}),
            ({"type": "string", "format": "date"}, {"type": "string", "format": "date"}),
            ({"type": "string", "format": "uri"}, TEXT),
            ({"type": "string", "pattern": "^a+$"}, {"type": "string", "pattern": "^a+$"}),
            ({"maxLength": 3}, {**TEXT, "maxLength": 3}),
            ({"type": "integer"}, WHOLE),
            ({"type": "integer", "minimum": 0.5, "exclusiveMaximum": 9}, {**WHOLE, "minimum": 1, "maximum": 8}),
            ({"type": "integer", "multipleOf": 5, "minimum": 1, "maximum": 99},
             {"type": "integer", "multipleOf": 5, "minimum": 5, "maximum": 95}),
            ({"type": "number", "exclusiveMinimum": 0, "maximum": 1},
             {"type": "number", "multipleOf": 1e-6, "minimum": 1e-6, "maximum": 1}),
            ({"minimum": 7, "maximum": 7.5, "multipleOf": 0.5},
             {"type": "number", "multipleOf": 0.5, "minimum": 7, "maximum": 7.5}),
            ({"type": "boolean"}, {"type": "boolean"}),
            ({"type": ["integer", "null"]}, {"anyOf": [WHOLE, {"type": "null"}]}),
            ({"type": "integer", "nullable": True}, {"anyOf": [WHOLE, {"type": "null"}]}),
            ({"enum": ["a", 1, None], "type": "string"}, {"enum": ["a"]}),
            ({"enum": ["a", None], "type": "string", "nullable": True}, {"enum": ["a", None]}),
            ({"const": {"a": [1]}}, {"enum": [{"a": [1]}]}),
            ({"enum": [1, 2, 2.0, True], "type": "integer"}, {"enum": [1, 2, 2.0]}),
            ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, {"anyOf": [{"type": "boolean"}, {"type": "null"}]}),
            ({"oneOf": [{"maxLength": 3}], "type": "string"}, {**TEXT, "maxLength": 3}),
            ({"allOf": [{"type": "integer"}, {"minimum": 3}]}, {**WHOLE, "minimum": 3}),
            ({"allOf": [{"type": "number", "minimum": 3}, {"type": "integer", "minimum": 1}]}, {**WHOLE, "minimum": 3}),
            ({"items": {"type": "null"}, "maxItems": 100},
             {"type": "array", "items": {"type": "null"}, "minItems": 0, "maxItems": 32}),
        ],
    )  # fmt: skip
    def test_of_one(self, part, expected):
        assert narrow(part) == expected
        assert narrow({**part, "title": "X", "default": None, "x-of-somebody": 1}) == expected

    def test_what_is_defined_elsewhere_is_put_in(self):
        assert narrow({"$ref": "#/$defs/a~1b"}, **{"$defs": {"a/b": {"type": "null"}}}) == {"type": "null"}

    def test_objects_have_the_properties_that_are_named(self):
        inner = narrow({"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a"]})
        assert inner == {
            "type": "object",
            "properties": {"a": {"type": "null"}},
            "required": ["a"],
            "additionalProperties": False,
        }

    def test_objects_that_name_none_may_have_any(self):
        free = narrow({"type": "object"})
        assert free["maxProperties"] == 32
        assert list(free["patternProperties"]) == ["^[A-Za-z_][A-Za-z0-9_]{0,39}$"]

    def test_other_properties_are_counted_or_left_out(self):
        some = {
            "properties": {"a": {"type": "null"}},
            "additionalProperties": {"type": "null"},
            "maxProperties": 3,
        }
        assert narrow({**some, "required": ["a", "a"]})["maxProperties"] == 3
        assert "patternProperties" not in narrow(some)
        assert parameters(json.dumps(some)).others is None

    def test_anything_is_plain_or_made_of_plain_parts(self):
        assert narrow({}) == narrow(True)
        assert len(narrow({})["anyOf"]) == 6

    def test_alternatives_may_differ_in_what_they_require(self):
        part = {
            "type": "object",
            "properties": {"a": {"type": "null"}, "b": {"type": "null"}},
            "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
        }
        assert [option["required"] for option in narrow(part)["anyOf"]] == [["a"], ["b"]]


class TestRefusal:
    @pytest.mark.parametrize(
        ("broken", "message"),
        [
            ("[1]", "Expected a JSON schema of an object at 'parameters', and got [1]."),
            ('{"type": "array"}', "Expected a schema of type 'object', without alternatives at 'parameters'"),
            ('{"anyOf": []}', "Expected a schema of type 'object', without alternatives at 'parameters'"),
            ("{", "Expected a JSON schema, and got none: "),
            ('{"patternProperties": {}}', "Expected a schema without 'patternProperties' at 'parameters'"),
            ('{"properties": []}', "Expected an object at 'parameters.properties', and got []."),
            (
                '{"properties": {"a": {"const": "\\u003c|im_end|>"}}}',
                "Expected names and values without '<|'",
            ),
            ('{"properties": {"<|im_end|>": true}}', "Expected names and values without '<|'"),
            ('{"required": "a"}', "Expected a list of names at 'parameters.required', and got a."),
            ('{"required": ["a"]}', "Expected 'parameters.properties' to have a, which is required."),
            (
                '{"properties": {"": true}}',
                "Expected names of 1 to 100 characters in 'parameters.properties'.",
            ),
            (" " * (MAX_CHARS + 1), "Expected a schema of at most 16384 characters, and got 16385."),
        ],
    )
    def test_of_the_whole(self, broken, message):
        with pytest.raises(ValueError, match=r"^Expected ") as caught:
            parameters(broken)
        assert str(caught.value).startswith(message)

    @pytest.mark.parametrize(
        ("part", "message"),
        [
            ({"type": "text"}, "Expected one of array, boolean, integer, null, number, object, string at 'parameters"),
            ({"type": []}, "Expected one of array"),
            (3, "Expected a JSON schema at 'parameters.x', and got 3."),
            (False, "Expected a JSON schema at 'parameters.x', and got false."),
            ({"not": {}}, "Expected a schema without 'not' at 'parameters.x': it is not supported here."),
            ({"type": "array", "uniqueItems": True}, "Expected a schema without 'uniqueItems' at 'parameters.x'"),
            ({"type": "array", "minItems": 40}, "Expected 'parameters.x' to ask for 0 to 32 items"),
            ({"type": "string", "minLength": 500}, "Expected 'parameters.x' to ask for 0 to 400 characters"),
            ({"type": "string", "minLength": "3"}, "Expected a number of 0 or more at 'parameters.x.minLength'"),
            ({"type": "string", "pattern": "(?=a)"}, "Expected a plain pattern at 'parameters.x.pattern'"),
            ({"type": "string", "pattern": "a", "minLength": 3}, "Expected 'parameters.x' to have a pattern or a len"),
            ({"minimum": 3, "maximum": 2}, "Expected 'parameters.x' to leave numbers to choose from"),
            ({"type": "integer", "minimum": 0.1, "maximum": 0.9}, "Expected 'parameters.x' to leave numbers"),
            ({"minimum": 10**13}, "Expected 'parameters.x' to leave numbers"),
            ({"minimum": True}, "Expected a number at 'parameters.x.minimum', and got true."),
            ({"maximum": 1e300}, "Expected a number between -1e24 and 1e24 at 'parameters.x.maximum'"),
            ({"multipleOf": 0}, "Expected 'parameters.x.multipleOf' to be a multiple of 0.000001, and got 0."),
            ({"type": "integer", "multipleOf": 0.5}, "Expected 'parameters.x.multipleOf' to be a multiple of 1,"),
            ({"enum": []}, "Expected a list of values at 'parameters.x.enum', and got []."),
            ({"enum": [1], "type": "string"}, "Expected 'parameters.x' to have values of its type, and it has none."),
            ({"anyOf": []}, "Expected a list of schemas at 'parameters.x.anyOf', and got []."),
            ({"anyOf": [3]}, "Expected a JSON schema at 'parameters.x.anyOf[0]', and got 3."),
            ({"allOf": {}}, "Expected a list of schemas at 'parameters.x.allOf'"),
            ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "Expected 'parameters.x' to have one 'type'"),
            ({"$ref": "elsewhere.json"}, "Expected a place in this schema, such as '#/$defs/name' at "),
            ({"$ref": "#/$defs/none"}, "Expected a place in this schema at 'parameters.x.$ref', and got #/$defs/none."),
            ({"type": "object", "minProperties": 1}, "Expected 'parameters.x' to limit the number of properties only"),
            ({"items": {"items": {"items": {"items": {"items": {"items": {"items": {"items": {"items": {}}}}}}}}}},
             "Expected at most 8 levels, and 'parameters.x[][][][][][][][]' is deeper."),
        ],
    )  # fmt: skip
    def test_of_a_part(self, part, message):
        with pytest.raises(ValueError, match=r"^Expected ") as caught:
            narrow(part)
        assert str(caught.value).startswith(message)

    def test_schemas_that_contain_themselves(self):
        chain = {"next": {"$ref": "#/$defs/chain"}}
        with pytest.raises(ValueError, match="Expected at most 8 levels"):
            narrow({"$ref": "#/$defs/chain"}, **{"$defs": {"chain": {"properties": chain}}})
        with pytest.raises(
            ValueError, match="Expected schemas that do not contain themselves, and '#/\\$defs/a' does"
        ):
            narrow(
                {"$ref": "#/$defs/a"}, **{"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}
            )

    def test_schemas_that_grow_when_they_are_written_out(self):
        doubled = {
            f"d{level}": {"properties": {side: {"$ref": f"#/$defs/d{level + 1}"} for side in "abcdefgh"}}
            for level in range(5)
        }
        with pytest.raises(ValueError, match="Expected at most 256 schemas within a schema"):
            narrow({"$ref": "#/$defs/d0"}, **{"$defs": {**doubled, "d5": {"type": "null"}}})

    @pytest.mark.parametrize("name", ["", "a b", "a" * 65, "naïve", "a.b", "a\n"])
    def test_of_a_name(self, name):
        with pytest.raises(
            ValueError, match=r"^Expected a name of 1 to 64 letters, digits, '_' and '-', and got "
        ):
            check_function(Function(name))

    def test_of_a_function(self):
        check_function(Function("get-weather_2", "…", given({"place": {"type": "string"}})))
        with pytest.raises(ValueError, match="Expected one of array"):
            check_function(Function("get_weather", "…", given({"place": {"type": "place"}})))
