import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engine.models.calling import describe, examples, grammar, written
from vivavoce.engine.models.protocols import Call, Function, Message, Prompt


def function(name="act", description="", required=(), **properties):
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return Function(name, description, json.dumps(schema))


def rules(functions=(), **options):
    lines = grammar(Prompt((Message("user", "Hello."),), functions=tuple(functions), **options)).splitlines()
    assert lines.pop(0) == "%llguidance {}"
    return dict(line.split(": ", 1) for line in lines)


class TestDescription:
    def test_is_one_line_of_python_for_each(self):
        told = describe(
            [
                function(
                    "get_weather",
                    "Get the weather\n  for a place.",
                    ["place"],
                    days={"type": "integer", "description": "how many"},
                    place={"type": "string"},
                ),
                Function("ping"),
            ]
        )
        assert told.splitlines()[1:3] == [
            "get_weather(place: str, days: int=None) # Get the weather for a place; days is how many",
            "ping()",
        ]

    @pytest.mark.parametrize(
        ("schema", "told"),
        [
            ({"type": "number"}, "float"),
            ({"type": "integer", "minimum": 0, "maximum": 255}, "int 0..255"),
            ({"type": "number", "exclusiveMaximum": 0.5, "multipleOf": 0.5}, "float ..0"),
            ({"type": "integer", "multipleOf": 7}, "int"),
            ({"type": "boolean"}, "bool"),
            ({"enum": ["on", 1, "é"]}, '"on"|1|"é"'),
            ({"type": ["string", "null"]}, "str|None"),
            ({"type": "array", "items": {"type": "string"}}, "list[str]"),
            ({"type": "object"}, "dict"),
            ({}, "Any"),
            (
                {
                    "type": "object",
                    "properties": {"a": {"type": "null"}, "b": {"type": "string"}},
                    "required": ["b"],
                },
                "{a?: None, b: str}",
            ),
        ],
    )
    def test_of_types(self, schema, told):
        assert f"act(x: {told}=None)\n" in describe([function(x=schema)])

    def test_of_names_that_are_none_in_python(self):
        assert 'act("how far?": int=None)' in describe([function(**{"how far?": {"type": "integer"}})])

    def test_of_parameters_of_any_name(self):
        free = Function("act", parameters='{"additionalProperties": {"type": "string"}}')
        assert "act(**others: str)" in describe([free])

    def test_of_what_cannot_be_called(self):
        with pytest.raises(ValueError, match="Expected one of array"):
            describe([function(x={"type": "thing"})])


class TestExamples:
    def test_are_words_and_a_call(self):
        hello, hi, request, call = examples(
            [function("go", "Go there. Or not.", ["to"], to={"type": "string"})]
        )
        assert (hello.role, hi.role, hi.calls) == ("user", "assistant", ())
        assert request == Message("user", "Go there, please.")
        assert call == Message("assistant", calls=(Call("", "go", '{"to": "..."}'),))

    def test_of_a_function_that_nobody_described(self):
        assert examples([Function("ping")])[2] == Message("user", "Call ping, please.")

    @pytest.mark.parametrize(
        "schema",
        [
            {"type": "string"},
            {"type": "integer", "minimum": 5},
            {"type": "number", "maximum": -0.5},
            {"type": "boolean"},
            {"type": "null"},
            {"enum": [["a"]]},
            {"anyOf": [{"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a"]}, {}]},
            {"type": "array", "items": {"type": "integer"}},
            {"type": "object"},
            {},
        ],
    )
    def test_fit_the_schema(self, schema):
        *_, message = examples([function(required=["x"], x=schema)])
        jsonschema.validate(json.loads(message.calls[0].arguments)["x"], schema)


class TestCall:
    def test_is_written_as_python_would(self):
        arguments = '{"place": "Paris", "how far?": 1.50, "deep": {"a": [1,2]}}'
        assert written(Call("c", "go", arguments)) == '@go(place="Paris", "how far?"=1.50, deep={"a": [1,2]})'
        assert written(Call("c", "ping", "{}")) == "@ping()"

    @pytest.mark.parametrize("arguments", ["", "[1]", "{", "\ud800", "null"])
    def test_of_somebody_else_is_written_as_it_stands(self, arguments):
        assert written(Call("c", "go", arguments)) == f"@go({arguments})"

    @given(st.text())
    def test_is_always_written(self, arguments):
        assert written(Call("c", "go", arguments)).startswith("@go(")


class TestGrammar:
    def test_without_functions_nothing_can_be_called(self):
        assert rules()["start"] == rules([function()], tool_choice="none")["start"] == "WORDS"

    def test_words_or_calls(self):
        assert rules([function()])["start"] == "calls | WORDS"
        assert rules([function()], tool_choice="required")["start"] == "calls"

    def test_several_calls_or_one(self):
        assert rules([function()])["calls"] == 'call ("\\n" call){0,7}'
        assert rules([function()], parallel_calls=False)["calls"] == "call"
        assert rules([function()], tool_choice="required", must_call="act")["calls"] == "call"

    def test_only_what_must_be_called(self):
        known = rules([function("one"), function("two")], tool_choice="required", must_call="two")
        assert known["call"] == "f0"
        assert known["f0"] == '"@two(" f0a ")"'

    def test_required_parameters_come_first_and_the_others_in_order(self):
        known = rules([function(required=["b"], a=True, b=True, c=True)])
        assert known["f0a"] == "f0v0 f0_1"
        assert known["f0v0"] == '"b=" f0j0'
        assert known["f0_1"] == '(", " f0v1)? f0_2'
        assert known["f0_2"] == '(", " f0v2)? f0_3'
        assert known["f0_3"] == '""'

    def test_where_none_is_required_any_may_be_the_first(self):
        assert rules([function(a=True, b=True)])["f0a"] == '"" | f0v0 f0_1 | f0v1 f0_2'

    def test_other_parameters_have_other_names(self):
        free = Function("act", parameters='{"properties": {"a": true}, "additionalProperties": true}')
        known = rules([free])
        assert known["F0KEY"] == '/[A-Za-z_][A-Za-z0-9_]{0,39}/ & ~"a"'
        assert known["f0_1"] == '(", " f0o){0,8}'

    def test_nothing_from_a_client_can_leave_its_place(self):
        odd = 'a"\n start: "b\\'
        known = rules([function(**{odd: {"enum": [odd]}})])
        assert json.loads(known["f0v0"].removesuffix(" f0j0")) == f"{json.dumps(odd)}="
        assert json.loads(known["f0j0"].removeprefix("%json "))["enum"] == [odd]
