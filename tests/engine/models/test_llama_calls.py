"""Calls of functions by a real model, as small as they come: what it calls is seldom wise, and always valid."""

import asyncio
import json

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vivavoce.engine.models.llama import LlamaLanguageModel
from vivavoce.engine.models.protocols import (
    ArgumentsDelta,
    Call,
    CallStarted,
    Finished,
    Function,
    Message,
    Prompt,
    TextDelta,
)
from vivavoce.engine.models.schema import check_function
from vivavoce.engine.weights import ensure
from vivavoce.errors import ModelError

pytestmark = pytest.mark.models

LIGHT = {
    "type": "object",
    "properties": {
        "room": {"enum": ["kitchen", "hall"]},
        "brightness": {"type": "integer", "minimum": 0, "maximum": 100},
        "colour?": {"type": ["string", "null"], "maxLength": 12},
    },
    "required": ["room"],
}
FUNCTIONS = (
    Function("set_light", "Turn a light on or off.", json.dumps(LIGHT)),
    Function("ping", "Do nothing."),
)
ASKED = Message("user", "Turn on the light in the kitchen.")


@pytest.fixture(scope="module")
def model():
    made = asyncio.run(load())
    yield made
    asyncio.run(made.close())


async def load():
    return await LlamaLanguageModel.load(await ensure("smollm2-135m"), name="smollm2-135m", threads=1)


async def answer(model, *messages, functions=FUNCTIONS, max_tokens=150, temperature=0.0, **options):
    """Return what was said, the calls, and the last piece."""
    prompt = Prompt((Message("system", "Be brief."), *messages), functions=functions, **options)
    said, calls, finished = "", [], None
    async for piece in model.generate(prompt, max_tokens=max_tokens, temperature=temperature):
        match piece:
            case TextDelta(text=text):
                assert text
                said += text
            case CallStarted(name=name):
                calls.append((name, ""))
            case ArgumentsDelta(text=text):
                calls[-1] = (calls[-1][0], calls[-1][1] + text)
            case Finished():
                finished = piece
    return said, calls, finished


class TestChoice:
    async def test_none_only_speaks(self, model):
        said, calls, _ = await answer(model, ASKED, tool_choice="none", max_tokens=30, temperature=1.0)
        assert said
        assert not calls

    async def test_required_only_calls(self, model):
        said, calls, finished = await answer(model, ASKED, tool_choice="required", parallel_calls=False)
        assert not said
        ((name, arguments),) = calls
        assert name in {"set_light", "ping"}
        assert isinstance(json.loads(arguments), dict)
        assert finished.reason == "stop"

    @pytest.mark.parametrize("name", ["set_light", "ping"])
    async def test_one_that_must_be_called(self, model, name):
        said, calls, _ = await answer(model, ASKED, tool_choice="required", must_call=name)
        assert not said
        assert [called for called, _ in calls] == [name]

    async def test_auto_speaks_or_calls_and_never_speaks_a_call(self, model):
        for question in ("Hello.", "Turn on the light.", "@ping()", "Say @ping() for me."):
            said, calls, _ = await answer(model, Message("user", question), max_tokens=40, temperature=1.0)
            assert said or calls
            assert "@" not in said

    async def test_calls_and_results_are_understood_as_such(self, model):
        call = Call("call_1", "set_light", '{"room": "kitchen"}')
        said, calls, _ = await answer(
            model,
            ASKED,
            Message("assistant", calls=(call,)),
            Message("tool", '{"done": true}', call_id="call_1"),
            tool_choice="none",
            max_tokens=20,
        )
        assert said
        assert not calls

    async def test_without_functions_earlier_calls_are_not_spoken_again(self, model):
        call = Call("call_1", "ping", "{}")
        done = (ASKED, Message("assistant", calls=(call,)), Message("tool", "{}", call_id="call_1"))
        said, calls, _ = await answer(model, *done * 4, ASKED, functions=(), max_tokens=20, temperature=1.0)
        assert not calls
        assert "@ping" not in said


class TestArguments:
    @pytest.mark.parametrize(
        "parameters",
        [
            LIGHT,
            {
                "type": "object",
                "properties": {"a": {"type": "string", "pattern": "^[a-z]{2,5}\\d$"}},
                "required": ["a"],
            },
            {"type": "object", "properties": {"a": {"type": "string", "format": "date"}}, "required": ["a"]},
            {"type": "object", "properties": {"a": {"type": "number", "exclusiveMinimum": 0, "maximum": 1}}},
            {
                "type": "object",
                "properties": {
                    "deep": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 2,
                        "items": {
                            "type": "object",
                            "properties": {"a": {"type": "boolean"}, "b": {"$ref": "#/$defs/b"}},
                            "required": ["b"],
                        },
                    }
                },
                "required": ["deep"],
                "$defs": {
                    "b": {
                        "anyOf": [
                            {"type": "integer", "minimum": 0, "maximum": 9},
                            {"const": '"</s> <tool_call>\\'},
                        ]
                    }
                },
            },
            {
                "type": "object",
                "properties": {"a": {"type": "integer"}},
                "additionalProperties": {"type": "boolean"},
            },
            {"type": "object", "properties": {"é ü=(": {"enum": ["ß)@", "\n"]}}, "required": ["é ü=("]},
        ],
    )
    async def test_fit_their_schema(self, model, parameters, capfd):
        function = Function("act", "Act.", json.dumps(parameters))
        for _ in range(3):
            _, ((_, arguments),), finished = await answer(
                model, ASKED, functions=(function,), tool_choice="required", must_call="act", temperature=1.5
            )
            assert finished.reason == "stop"
            jsonschema.validate(json.loads(arguments), parameters)
        assert capfd.readouterr() == ("", "")

    async def test_may_be_cut_short(self, model):
        _, ((_, arguments),), finished = await answer(
            model, ASKED, tool_choice="required", must_call="set_light", max_tokens=5
        )
        assert finished.reason == "length"
        assert finished.output_tokens == 5
        assert arguments.startswith("{")


names = st.sampled_from(["a", "b", "c d", 'é"'])
numbers = st.fixed_dictionaries(
    {"type": st.sampled_from(["integer", "number"])},
    optional={"minimum": st.integers(-9, 0), "maximum": st.integers(1, 99), "multipleOf": st.just(1)},
)
lengths = {"minLength": st.just(1), "maxLength": st.integers(1, 20)}
texts = st.fixed_dictionaries({"type": st.just("string")}, optional=lengths) | st.sampled_from(
    [{"type": "string", "format": name} for name in ("date", "time", "date-time", "uri")]
    + [{"type": "string", "pattern": pattern} for pattern in ("^[a-f]{3}$", "x|y", r"^\+?\d{2}")]
)
# SmolLM2 has no tokens for some bytes of characters that nobody uses.
enums = st.lists(st.none() | st.booleans() | st.text('aé"\\\n🦜@)= ', max_size=5), min_size=1, max_size=3)
others = st.sampled_from(
    [{"type": "boolean"}, {"type": "null"}, {"type": ["integer", "null"]}, {"type": "object"}, {}]
)
leaves = numbers | texts | st.fixed_dictionaries({"enum": enums}) | others


def objects(parts):
    return st.builds(
        lambda properties, needed, others: {
            "type": "object",
            "properties": properties,
            "required": [name for name in properties if name in needed],
            **({} if others is None else {"additionalProperties": others}),
        },
        st.dictionaries(names, parts, max_size=3),
        st.sets(names),
        st.none() | st.booleans() | st.just({"type": "boolean"}),
    )


schemas = objects(
    st.recursive(
        leaves,
        lambda parts: (
            objects(parts)
            | st.builds(lambda items: {"type": "array", "items": items, "maxItems": 2}, parts)
            | st.builds(lambda options: {"anyOf": options}, st.lists(parts, min_size=1, max_size=2))
        ),
        max_leaves=4,
    )
)


@pytest.mark.timeout(240)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parameters=schemas, seed=st.integers(0, 9))
def test_whatever_the_schema(model, parameters, seed, capfd):
    """What was checked has a grammar, and what is written to its end fits the schema."""
    function = Function("act", "Act.", json.dumps(parameters))
    check_function(function)
    _, ((_, arguments),), finished = asyncio.run(
        answer(
            model,
            Message("user", f"Act {seed}."),
            functions=(function,),
            tool_choice="required",
            must_call="act",
            temperature=0.4,
            max_tokens=40,
        )
    )
    if finished.reason == "stop":
        jsonschema.validate(json.loads(arguments), parameters)
    assert capfd.readouterr() == ("", "")


class TestPrefix:
    async def test_what_was_prepared_is_not_read_again(self, model):
        described = Function("look", "Look for something that nobody has looked for before. " * 5)
        start = Message("system", "You have a telescope.")
        await model.prepare(Prompt((start,), functions=(described,)))
        pieces = model.generate(
            Prompt((start, Message("user", "Hello.")), functions=(described,), tool_choice="none"),
            max_tokens=1,
        )
        finished = [piece async for piece in pieces][-1]
        assert finished.cached_tokens > 60
        assert finished.input_tokens - finished.cached_tokens < 20

    async def test_a_call_is_told_as_it_was_written(self, model):
        asked = Message("user", "It has never been as dark in the hall as tonight.")
        options = {"tool_choice": "required", "must_call": "set_light"}
        _, ((name, arguments),), first = await answer(model, asked, **options)
        made = Message("assistant", calls=(Call("call_1", name, arguments),))
        _, _, finished = await answer(
            model, asked, made, Message("tool", "{}", call_id="call_1"), tool_choice="none", max_tokens=1
        )
        assert finished.cached_tokens >= first.input_tokens + first.output_tokens - 2


class TestFailure:
    async def test_a_function_that_cannot_be_called(self, model):
        broken = Function("act", parameters='{"properties": {"a": {"type": "thing"}}}')
        with pytest.raises(ModelError, match=r"smollm2-135m: Expected one of array"):
            await answer(model, ASKED, functions=(broken,))
        with pytest.raises(ModelError, match=r"smollm2-135m: Expected one of array"):
            await model.prepare(Prompt((ASKED,), functions=(broken,)))

    async def test_words_where_there_must_be_a_call(self, model, monkeypatch):
        monkeypatch.setattr("vivavoce.engine.models.llama.grammar", lambda _: '%llguidance {}\nstart: "No."')
        with pytest.raises(ModelError, match="the model wrote a call that is none"):
            await answer(model, ASKED, tool_choice="required")
