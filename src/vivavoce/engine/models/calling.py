"""How functions are told to a language model in this process, and how it calls them. Pure.

Functions are told as Python would declare them, in the system message, and called in a line of its own::

    get_weather(place: str, days: int=None) # Get the weather forecast for a place.

    @get_weather(place="Paris")

An "@" at the beginning of an answer, or behind white space, begins a call and nothing else: what is said has none
there. So the first token tells what an answer is, and words can be spoken from the first one on. Values are JSON,
held to their schemas by a grammar (`grammar`); `call_reader` makes of the calls what everybody else understands.
"""

import json
import re
from collections.abc import Sequence

import msgspec

from vivavoce.engine.models.protocols import Call, Function, Prompt
from vivavoce.engine.models.schema import Parameter, Parameters, parameters
from vivavoce.engine.models.values import Schema

__all__ = ["MAX_CALLS", "describe", "grammar", "written"]

MAX_CALLS = 8
"""Calls in one answer."""

MAX_OTHERS = 8
"""Parameters in one call that the function does not name."""

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_JSON = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
_TYPES = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_SPACE = r" \t\r\n"

_HOW = """\
Answer a request or question that a function is made for with its call alone. Answer everything else in words."""


def describe(functions: Sequence[Function]) -> str:
    """Return what a model is told of functions. Raises `ValueError` for one that cannot be called."""
    return "Functions that you can call:\n" + "\n".join([*map(_signature, functions), _HOW])


def written(call: Call) -> str:
    """Return a call as the model has written it."""
    try:
        values = msgspec.json.decode(call.arguments, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return f"@{call.name}({call.arguments})"  # by a client that has other models
    arguments = (f"{_key(name)}={bytes(value).decode()}" for name, value in values.items())
    return f"@{call.name}({', '.join(arguments)})"


def grammar(prompt: Prompt) -> str:
    """Return what an answer may be, in the language of LLGuidance. Raises `ValueError`."""
    functions = prompt.functions
    if prompt.must_call is not None:
        functions = tuple(one for one in functions if one.name == prompt.must_call)
    # What is said: no "@" in front, nor behind white space.
    words = rf"[^@{_SPACE}]@?([^@{_SPACE}]@?|[{_SPACE}])*"
    rules = ["%llguidance {}", f"WORDS: /{words}/", f"LEAD: /{words}[{_SPACE}]/"]
    if prompt.tool_choice == "none" or not functions:
        return "\n".join([*rules, "start: WORDS"])
    rules.append("start: calls" if prompt.tool_choice == "required" else "start: calls | WORDS | LEAD calls")
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
    about = "; ".join(filter(None, [_line(function.description), *notes]))
    return f"{function.name}({', '.join(told)})" + (f" # {about}" if about else "")


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
    rules.append(f"{rule}: {_literal(f'@{name}(')} {rule}a {_literal(')')}")
    return rules


def _ordered(known: Parameters) -> list[Parameter]:
    return sorted(known.named, key=lambda one: not one.required)


def _key(name: str) -> str:
    return name if _IDENTIFIER.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _line(text: str) -> str:
    return " ".join(text.split())
