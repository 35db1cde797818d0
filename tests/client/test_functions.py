import dataclasses
import enum
import inspect
import json
import keyword
import typing
from typing import Annotated, Any, Literal, TypedDict

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.client.functions import describe
from vivavoce.client.tool import ToolCall, ToolContext


async def get_weather(lat: float, lng: float, location: str, unit: Literal["C", "F"] = "C") -> dict[str, Any]:
    """Retrieves the weather for a given coordinate pair.

    The more exact the better.

    Args:
        lat: Latitude, north is positive.
        lng (float): Longitude,
            east is positive.
        location: What to call the place.

    Returns:
        What a forecast says.

    """


def test_a_function_tells_all_that_a_model_must_know():
    function = describe(get_weather)
    assert function.name == "get_weather"
    assert (
        function.description
        == "Retrieves the weather for a given coordinate pair. The more exact the better."
    )
    assert function.parameters == {
        "type": "object",
        "properties": {
            "lat": {"type": "number", "description": "Latitude, north is positive."},
            "lng": {"type": "number", "description": "Longitude, east is positive."},
            "location": {"type": "string", "description": "What to call the place."},
            "unit": {"enum": ["C", "F"], "default": "C"},
        },
        "required": ["lat", "lng", "location"],
        "additionalProperties": False,
    }
    assert function.definition.name == "get_weather"
    assert function.definition.parameters == function.parameters


def test_a_name_and_a_description_of_its_own():
    function = describe(get_weather, name="weather", description="Tell it.")
    assert (function.name, function.description) == ("weather", "Tell it.")


class Room(enum.Enum):
    KITCHEN = "kitchen"
    HALL = "hall"


@dataclasses.dataclass
class Lamp:
    room: Room
    brightness: Annotated[int, msgspec.Meta(ge=0, le=100, description="Percent.")] = 100


class Scene(TypedDict):
    lamps: list[Lamp]


def test_nested_types_are_written_out():
    def set_scene(scene: Scene, fade: float | None = None) -> None:
        """Set it.

        :param scene: All the lamps
          of it.
        :return: nothing
        """

    schema = describe(set_scene).parameters
    assert "$defs" not in schema
    scene = schema["properties"]["scene"]
    assert scene["description"] == "All the lamps of it."
    lamp = scene["properties"]["lamps"]["items"]
    assert lamp["properties"]["room"]["enum"] == ["hall", "kitchen"]
    assert lamp["properties"]["brightness"]["maximum"] == 100
    assert lamp["properties"]["brightness"]["description"] == "Percent."
    assert schema["required"] == ["scene"]


class Tree(msgspec.Struct):
    children: list["Tree"] = []


def test_what_holds_itself_keeps_its_reference():
    def plant(tree: Tree) -> None: ...

    schema = describe(plant).parameters
    branch = schema["properties"]["tree"]["properties"]["children"]["items"]
    assert branch == {"$ref": "#/$defs/Tree"}
    assert "Tree" in schema["$defs"]


def test_arguments_are_checked_and_converted():
    def dim(lamp: Lamp, rooms: list[Room], names: list[str] = []) -> None: ...  # noqa: B006

    function = describe(dim)
    read = function.read('{"lamp": {"room": "hall"}, "rooms": ["kitchen"]}')
    assert read == {"lamp": Lamp(Room.HALL, 100), "rooms": [Room.KITCHEN], "names": []}
    assert function.read('{"lamp": {"room": "hall"}, "rooms": []}')["names"] is not read["names"]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("{", "truncated"),
        ('{"lat": 1, "lng": 2}', "missing required field `location`"),
        ('{"lat": "north", "lng": 2, "location": "x"}', "Expected `float`, got `str`"),
        ('{"lat": 1, "lng": 2, "location": "x", "planet": "Mars"}', "unknown field `planet`"),
        ('{"lat": 1, "lng": 2, "location": "x", "unit": "K"}', "Invalid enum value 'K'"),
    ],
)
def test_arguments_that_do_not_fit_say_so(written, words):
    with pytest.raises(ValueError, match=words) as refused:
        describe(get_weather).read(written)
    assert str(refused.value).startswith("The arguments of get_weather do not fit")


def test_no_arguments_are_an_empty_object():
    def now() -> str: ...

    assert describe(now).read("") == {}
    assert describe(now).parameters["properties"] == {}


def test_what_cannot_be_told_is_refused():
    def untyped(x): ...

    def variadic(*x: int): ...

    def strange(x: type(pytest)): ...

    for function, words in (
        (untyped, "type hint"),
        (variadic, "by name"),
        (strange, "no counterpart in JSON"),
    ):
        with pytest.raises(TypeError, match=words):
            describe(function)
    with pytest.raises(TypeError, match="name"):
        describe(get_weather, name="get weather")


def test_bound_methods_lose_their_self():
    class Home:
        def open(self, door: str) -> str:
            """Open a door."""

    assert describe(Home().open).parameters["required"] == ["door"]


def test_objects_that_can_be_called():
    class Opener:
        def __call__(self, door: str) -> str: ...

    assert describe(Opener()).name == "Opener"
    assert describe(Opener()).parameters["required"] == ["door"]


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_who_asks_for_the_context_is_told_of_the_call(asynchronous):
    def note(text: str, here: ToolContext) -> str:
        return f"{here.user}: {text} ({here.call.call_id})"

    async def note_later(text: str, here: ToolContext) -> str:
        return note(text, here)

    tool = describe(note_later if asynchronous else note)
    assert list(tool.parameters["properties"]) == ["text"]
    context = ToolContext("ada").at(ToolCall("call_1", "note", {}))
    assert await tool.call({"text": "tea"}, context) == "ada: tea (call_1)"


def test_limits_are_those_of_a_tool():
    def book(table: int) -> None: ...

    tool = describe(book, background=True, seconds=5, approve=bool, characters=100)
    assert (tool.background, tool.seconds, tool.approve, tool.characters) == (True, 5, bool, 100)


JSON_TYPES = st.recursive(
    st.sampled_from([int, float, str, bool, type(None)]),
    lambda inner: st.one_of(inner.map(lambda kind: list[kind]), inner.map(lambda kind: dict[str, kind])),
    max_leaves=3,
)


@settings(deadline=None, derandomize=True)
@given(fields=st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), JSON_TYPES, max_size=5))
def test_what_a_schema_asks_for_is_what_is_taken(fields):
    def act(**_: object) -> None: ...

    names = [name for name in fields if not keyword.iskeyword(name)]
    act.__signature__ = inspect.Signature(
        [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in names]
    )
    act.__annotations__ = {name: fields[name] for name in names}
    tool = describe(act)
    assert sorted(tool.parameters["required"]) == sorted(names)
    simplest = {name: _simplest(fields[name]) for name in names}
    jsonschema.validate(simplest, tool.parameters)
    assert tool.read(json.dumps(simplest)) == simplest
    with pytest.raises(ValueError, match="unknown field"):
        tool.read(json.dumps({**simplest, "more_than_asked": 1}))


def _simplest(kind):
    return None if kind is type(None) else (typing.get_origin(kind) or kind)()
