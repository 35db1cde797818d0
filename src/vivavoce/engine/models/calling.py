"""How functions are told to a language model in this process, and how it calls them. Pure.

Functions are told as Python would declare them, in the system message, and called in a line of its own::

    get_weather(place: str, days: int=None) # Get the weather forecast for a place.

    @get_weather(place="Paris")

An answer that begins with "@" is made of calls and nothing else, and in words there is no "@". So the first token
tells what an answer is, and words can be spoken from the first one on. Values are JSON, held to their schemas by a
grammar (`grammar`); `call_reader` makes of the calls what everybody else understands.

The wording, the two examples and `CALL_BIAS` were chosen by how far Qwen2.5-Coder-1.5B tells twenty requests from
twenty chats and questions that need no call, at the beginning of a conversation, after some talk and after a call.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from vivavoce.engine.models.protocols import Call, Function, Message, Prompt
from vivavoce.engine.models.schema import Parameter, Parameters, parameters
from vivavoce.engine.models.values import MAX_NUMBER, Schema

__all__ = ["CALL_BIAS", "MARK", "MAX_CALLS", "RESULT_BIAS", "describe", "examples", "grammar", "written"]

MARK = "@"
"""What begins a call."""

CALL_BIAS = 0.5
"""What is added to the log-odds of a call where the user has just spoken: at even odds more requests are only talked
about than small talk is taken for one."""

RESULT_BIAS = -3.0
"""The same behind the result of a call: the next thing is seldom another one, and small models repeat themselves."""

MAX_CALLS = 8
"""Calls in one answer."""

MAX_OTHERS = 8
"""Parameters in one call that the function does not name."""

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ENDLESS = 0.99 * MAX_NUMBER
_JSON = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
_TYPES = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_HOW = """\
For each call, return @ and the call with its arguments by name, such as:
{example}
Do not guess what a function can find out, and do not say that you did what only a function can do: call it. \
Small talk and general knowledge need no call."""


def describe(functions: Sequence[Function]) -> str:
    """Return what a model is told of functions. Raises `ValueError` for one that cannot be called."""
    told = "\n".join(map(_signature, functions))
    how = _HOW.format(example=written(_example(functions[0])))
    return f"You may call these functions to assist with the user query:\n{told}\n{how}"


def examples(functions: Sequence[Function]) -> tuple[Message, ...]:
    """Return how a conversation could go: a greeting needs no call, and a request for the first function does."""
    first = functions[0]
    request = _line(first.description).split(". ")[0].removesuffix(".") or f"Call {first.name}"
    return (
        Message("user", "Hello!"),
        Message("assistant", "Hello! What can I do for you?"),
        Message("user", f"{request}, please."),
        Message("assistant", calls=(_example(first),)),
    )


def written(call: Call) -> str:
    """Return a call as the model has written it."""
    try:
        values = msgspec.json.decode(call.arguments, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return f"{MARK}{call.name}({call.arguments})"  # by a client that has other models
    arguments = (f"{_key(name)}={bytes(value).decode()}" for name, value in values.items())
    return f"{MARK}{call.name}({', '.join(arguments)})"


def grammar(prompt: Prompt) -> str:
    """Return what an answer may be, in the language of LLGuidance. Raises `ValueError`."""
    functions = prompt.functions
    if prompt.must_call is not None:
        functions = tuple(one for one in functions if one.name == prompt.must_call)
    rules = ["%llguidance {}", r"WORDS: /[^@ \t\r\n][^@]*/"]
    if prompt.tool_choice == "none" or not functions:
        return "\n".join([*rules, "start: WORDS"])
    rules.append("start: calls" if prompt.tool_choice == "required" else "start: calls | WORDS")
    several = prompt.parallel_calls and prompt.must_call is None
    rules.append("calls: call" + (f' ("\\n" call){{0,{MAX_CALLS - 1}}}' if several else ""))
    rules.append("call: " + " | ".join(f"f{number}" for number in range(len(functions))))
    for number, function in enumerate(functions):
        rules += _call_rules(f"f{number}", function.name, parameters(function.parameters))
    return "\n".join(rules)


def _signature(function: Function) -> str:
    known = parameters(function.parameters)
    told = [
        f"{_key(one.name)}: {_type(one.schema)}{'' if one.required else '=None'}" for one in _ordered(known)
    ]
    if known.others is not None:
        told.append(f"**others: {_type(known.others)}")
    notes = [f"{one.name} is {_line(one.description)}" for one in _ordered(known) if one.description.strip()]
    about = "; ".join(filter(None, [_line(function.description).removesuffix("."), *notes]))
    return f"{function.name}({', '.join(told)})" + (f" # {about}" if about else "")


def _example(function: Function) -> Call:
    known = parameters(function.parameters)
    values = {one.name: _sample(one.schema) for one in _ordered(known) if one.required}
    return Call("", function.name, json.dumps(values, ensure_ascii=False))


def _sample(schema: Schema) -> Any:
    """Return a value of about the right kind."""
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return _sample(schema["anyOf"][0])
    match schema["type"]:
        case "string":
            return "..."
        case "integer" | "number":
            return max(schema["minimum"], min(1, schema["maximum"]))
        case "boolean":
            return True
        case "array":
            return [_sample(schema["items"])]
        case "object":
            return {name: _sample(schema["properties"][name]) for name in schema["required"]}
    return None


def _type(schema: Schema) -> str:
    """Return a type as Python has it."""
    if "enum" in schema:
        return "|".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    if "anyOf" in schema:
        return "Any" if len(schema["anyOf"]) > len(_TYPES) else "|".join(map(_type, schema["anyOf"]))
    match schema["type"]:
        case "array":
            return f"list[{_type(schema['items'])}]"
        case "object" if schema["properties"]:
            parts = schema["properties"].items()
            needed = schema["required"]
            return (
                "{"
                + ", ".join(f"{name}{'' if name in needed else '?'}: {_type(one)}" for name, one in parts)
                + "}"
            )
        case "object":
            return "dict"
        case "integer" | "number" as kind:
            low, high = (
                schema[name] if abs(schema[name]) < _ENDLESS else "" for name in ("minimum", "maximum")
            )
            return _TYPES[kind] + (f" {low}..{high}" if f"{low}{high}" else "")
        case kind:
            return _TYPES[kind]


def _call_rules(rule: str, name: str, known: Parameters) -> list[str]:
    """Return the rules for the calls of one function.

    Required parameters come first, and the others in order, each or not: ``{rule}_3`` is what may stand behind the
    third, and a comma is only written between two.
    """
    rules = []
    ordered = _ordered(known)
    needed = sum(one.required for one in ordered)
    for place, one in enumerate(ordered):
        rules.append(f"{rule}v{place}: {_literal(_key(one.name) + '=')} {rule}j{place}")
        rules.append(f"{rule}j{place}: %json {json.dumps({**one.schema, 'x-guidance': _JSON})}")
    last = len(ordered)
    rules.append(f"{rule}_{last}: " + (f'(", " {rule}o){{0,{MAX_OTHERS}}}' if known.others else '""'))
    if known.others:
        named = "".join(f" & ~{_literal(one.name)}" for one in ordered)
        rules.append(f"{rule.upper()}KEY: /[A-Za-z_][A-Za-z0-9_]{{0,39}}/{named}")
        rules.append(f'{rule}o: {rule.upper()}KEY "=" {rule}oj')
        rules.append(f"{rule}oj: %json {json.dumps({**known.others, 'x-guidance': _JSON})}")
    rules += [f'{rule}_{place}: (", " {rule}v{place})? {rule}_{place + 1}' for place in range(needed, last)]
    if needed:
        required = ' ", " '.join(f"{rule}v{place}" for place in range(needed))
        rules.append(f"{rule}a: {required} {rule}_{needed}")
    else:
        firsts = [f"{rule}v{place} {rule}_{place + 1}" for place in range(last)]
        others = [f"{rule}o {rule}_{last}"] if known.others else []
        rules.append(f"{rule}a: " + " | ".join(['""', *firsts, *others]))
    rules.append(f"{rule}: {_literal(f'{MARK}{name}(')} {rule}a {_literal(')')}")
    return rules


def _ordered(known: Parameters) -> list[Parameter]:
    return sorted(known.named, key=lambda one: not one.required)


def _key(name: str) -> str:
    return name if _IDENTIFIER.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _line(text: str) -> str:
    return " ".join(text.split())
