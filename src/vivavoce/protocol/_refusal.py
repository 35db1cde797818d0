"""Why an event was refused: msgspec's findings in the protocol's words, and checks that types cannot make."""

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, UnsetType, inspect

from vivavoce.errors import ProtocolError

from . import errors
from .client_events import ClientEvent, ConversationItemCreate, ResponseCreate, SessionUpdate
from .items import CONTENT_OF_ROLE, Item, ItemReference, MessageItem
from .session import PCM_RATE, AudioPcm

__all__ = ["check", "refusal"]

_NAMES = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "a boolean",
    "array": "an array",
    "object": "an object",
}
_AT = r"(?: - at `(?:key` in `)?\$([^`]*)`)?"
_FIELD = re.compile(rf"Object (missing required|contains unknown) field `(.*?)`{_AT}", re.DOTALL)
_OTHER = re.compile(rf"(.*?){_AT}", re.DOTALL)
_BOUND = re.compile(r"Expected `(\w+)`( of length)? ([<>]=? .*)")
_EXPECTED = re.compile(r"Expected `([^`]*)`")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


def refusal(finding: str, sent: Any, expected: Any = ClientEvent) -> ProtocolError:
    """Turn msgspec's ``finding`` about ``sent``, plain JSON where ``expected`` was, into the protocol's error."""
    if match := _FIELD.fullmatch(finding):
        name = f"{_param(match[3])}.{match[2]}".removeprefix(".")
        if match[1] == "missing required":
            return errors.missing_required_parameter(name)
        return errors.unknown_parameter(name)
    match = _OTHER.fullmatch(finding)
    told, path = (match[1], match[2] or "") if match else (finding, "")
    try:
        return _of_value(told, path, sent, expected)
    except (LookupError, TypeError, AttributeError):
        # A name that stands twice in one object: msgspec objects to the first, but JSON's last one counts.
        return _plain(told, _param(path))


def _of_value(told: str, path: str, sent: Any, expected: Any) -> ProtocolError:
    param, value = _param(path), _value(sent, path)
    if told.startswith("Invalid"):
        return errors.invalid_value(param, value, _supported(sent, path, expected))
    if match := _BOUND.fullmatch(told):
        return _out_of_bounds(param, match[1], bool(match[2]), match[3], value)
    if match := _EXPECTED.match(told):
        names = [_NAMES.get(name, name) for name in match[1].split(" | ") if name != "null"]
        return errors.invalid_type(param or None, " or ".join(names), _kind(value))
    return _plain(told, param)


def _plain(told: str, param: str) -> ProtocolError:
    return ProtocolError(f"Invalid '{param}': {told}.", code=errors.INVALID_VALUE, param=param or None)


def _param(path: str | None) -> str:
    """Turn ``.session.tools[0]`` into ``session.tools[0]``; what lies inside a free object is named by it."""
    return (path or "").partition("[...]")[0].removeprefix(".")


def _out_of_bounds(param: str, kind: str, of_length: bool, bound: str, value: Any) -> ProtocolError:  # noqa: FBT001
    if not of_length:
        return errors.out_of_bounds(param, "integer" if kind == "int" else "decimal", bound, value)
    message = f"Invalid '{param}': expected {_NAMES[kind]} of length {bound}."
    return ProtocolError(message, code=errors.INVALID_VALUE, param=param)


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal number"
        case str():
            return "a string"
        case list():
            return "an array"
    return "an object"


def _steps(path: str) -> Iterator[str | int]:
    for name, index in _STEP.findall(path):
        yield name or int(index)


def _value(sent: Any, path: str) -> Any:
    for step in _steps(path):
        sent = sent[step]
    if path.endswith("[...]"):  # a value in an object of strings, and msgspec does not say which
        return next((value for value in sent.values() if not isinstance(value, str)), None)
    return sent


def _supported(sent: Any, path: str, expected: Any) -> list[Any]:
    """Return the values that the protocol knows at a path."""
    alternatives = list(_alternatives(inspect.type_info(expected)))
    for step in _steps(path):
        tags = [a.tag for a in alternatives if isinstance(a, inspect.StructType) and a.tag_field == step]
        if tags:
            return tags
        alternatives = list(_inside(alternatives, sent, step))
        sent = sent[step]
    return [value for a in alternatives if isinstance(a, inspect.LiteralType) for value in a.values]


def _alternatives(node: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(node, inspect.UnionType):
        for each in node.types:
            yield from _alternatives(each)
    else:
        yield node


def _inside(alternatives: list[inspect.Type], sent: Any, step: str | int) -> Iterator[inspect.Type]:
    for node in alternatives:
        if isinstance(node, inspect.ListType) and isinstance(step, int):
            yield from _alternatives(node.item_type)
        elif isinstance(node, inspect.StructType) and node.tag in {None, sent.get("type")}:
            for field in node.fields:
                if field.encode_name == step:
                    yield from _alternatives(field.type)


def check(event: ClientEvent, sent: Any) -> None:
    """Refuse what the types let through; ``sent`` is the event's plain JSON.

    Raises:
        ProtocolError: there is an unknown field in a part that servers send too, content that does not suit
            its message's role, a sample rate or a combination of modalities that does not exist.

    """
    if unknown := _unknown(sent, event, ""):
        raise errors.unknown_parameter(unknown)
    match event:
        case ConversationItemCreate():
            _check_content(event.item, "item")
        case SessionUpdate():
            _check_formats(event.session.audio, "session.audio")
            _check_modalities(getattr(event.session, "output_modalities", None), "session")
        case ResponseCreate(response=params) if params:
            for index, item in enumerate(params.input or []):
                _check_content(item, f"response.input[{index}]")
            _check_formats(params.audio, "response.audio")
            _check_modalities(params.output_modalities, "response")


def _unknown(sent: Any, known: Any, path: str) -> str | None:
    """Return the path of the first field that has no place in the struct that it was decoded into."""
    if isinstance(known, Struct):
        for name, value in sent.items():
            here = f"{path}.{name}" if path else name
            if name in known.__struct_encode_fields__:
                if found := _unknown(value, getattr(known, name), here):
                    return found
            elif name != known.__struct_config__.tag_field:
                return here
    elif isinstance(known, list):
        for index, (value, each) in enumerate(zip(sent, known, strict=True)):
            if found := _unknown(value, each, f"{path}[{index}]"):
                return found
    return None


def _check_content(item: Item | ItemReference, path: str) -> None:
    if isinstance(item, MessageItem):
        for index, content in enumerate(item.content):
            supported = CONTENT_OF_ROLE[item.role]
            if content.type not in supported:
                raise errors.invalid_value(f"{path}.content[{index}].type", content.type, supported)


def _check_formats(audio: Any, path: str) -> None:
    for side in ("input", "output"):
        format_ = getattr(getattr(audio, side, None), "format", None)
        if isinstance(format_, AudioPcm) and format_.rate != PCM_RATE:
            raise errors.invalid_value(f"{path}.{side}.format.rate", format_.rate, [PCM_RATE])


def _check_modalities(modalities: list[Any] | UnsetType | None, path: str) -> None:
    if isinstance(modalities, list) and len(modalities) != 1:
        raise errors.invalid_modalities(f"{path}.output_modalities", modalities)
