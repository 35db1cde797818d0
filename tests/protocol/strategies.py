"""Strategies that make the JSON of any event out of the struct that describes it."""

from typing import Any

from hypothesis import strategies as st
from msgspec import UNSET, Struct, inspect

from vivavoce.protocol.items import CONTENT_OF_ROLE

text = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
name = st.text("abcxyz_019", min_size=1, max_size=8)

CHOSEN: dict[tuple[str, str], st.SearchStrategy[Any]] = {
    # What is any text to us, and one of a list to OpenAI.
    ("AudioPcm", "rate"): st.just(24_000),
    ("McpServerTool", "connector_id"): st.just("connector_gmail"),
    ("RateLimit", "name"): st.sampled_from(["requests", "tokens"]),
    ("ResponseFunctionCallArgumentsDone", "name"): name,
    ("Transcription", "delay"): st.sampled_from(["minimal", "xhigh"]),
    # What is any JSON to us.
    ("Prompt", "variables"): st.dictionaries(name, text, max_size=2),
    # What is only wrong in combination.
    ("RealtimeSessionParams", "output_modalities"): st.sampled_from([["audio"], ["text"]]),
    ("ResponseCreateParams", "output_modalities"): st.sampled_from([["audio"], ["text"]]),
}


def json_of(struct: type[Struct]) -> st.SearchStrategy[dict[str, Any]]:
    """Make the JSON of a struct."""
    return _of(inspect.type_info(struct))


def _of(node: inspect.Type) -> st.SearchStrategy[Any]:
    match node:
        case inspect.UnionType(types):
            return st.one_of([_of(each) for each in types])
        case inspect.StructType():
            return _struct(node)
        case inspect.ListType(item_type):
            return st.lists(_of(item_type), max_size=2)
        case inspect.DictType(value_type=value_type):
            return st.dictionaries(name, _of(value_type), max_size=2)
        case _:
            return _scalar(node)


def _scalar(node: inspect.Type) -> st.SearchStrategy[Any]:
    match node:
        case inspect.LiteralType(values):
            return st.sampled_from(values)
        case inspect.NoneType():
            return st.none()
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType(ge=low, le=high):
            return st.integers(low if low is not None else -(2**31), high if high is not None else 2**31)
        case inspect.FloatType(ge=low, le=high):
            return st.floats(low, high, allow_nan=False, allow_infinity=False)
        case inspect.StrType():
            return text
        case inspect.AnyType():
            return st.dictionaries(name, st.none() | st.booleans() | st.integers(0, 9) | text, max_size=2)
    raise NotImplementedError(node)


def _struct(node: inspect.StructType) -> st.SearchStrategy[dict[str, Any]]:
    if node.cls.__name__ == "MessageItem":
        return st.one_of([_message(node, role) for role in CONTENT_OF_ROLE])
    return _fields(node, {})


def _message(node: inspect.StructType, role: str) -> st.SearchStrategy[dict[str, Any]]:
    """A message whose content suits its role."""
    (content,) = (field.type for field in node.fields if field.name == "content")
    assert isinstance(content, inspect.ListType)
    assert isinstance(content.item_type, inspect.UnionType)
    parts = [
        _of(part)
        for part in content.item_type.types
        if isinstance(part, inspect.StructType) and part.tag in CONTENT_OF_ROLE[role]  # type: ignore[index]
    ]
    return _fields(node, {"role": st.just(role), "content": st.lists(st.one_of(parts), max_size=2)})


def _fields(
    node: inspect.StructType, chosen: dict[str, st.SearchStrategy[Any]]
) -> st.SearchStrategy[dict[str, Any]]:
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    if node.tag_field:
        required[node.tag_field] = st.just(node.tag)
    for field in node.fields:
        values = optional if field.default is UNSET else required
        if field.name in chosen:
            values[field.name] = chosen[field.name]
        elif (node.cls.__name__, field.name) in CHOSEN:
            values[field.name] = CHOSEN[node.cls.__name__, field.name]
        elif field.default == "":  # an identifier, and "" stands for none
            values[field.name] = name
        else:
            values[field.name] = _of(field.type)
    return st.fixed_dictionaries(required, optional=optional)
