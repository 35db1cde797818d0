import json

import msgspec
from hypothesis import given, settings

from tests.protocol.strategies import json_of
from vivavoce.dialects.beta_items import (
    ASSISTANT_CONTENT,
    BETA_ITEMS,
    OTHER_CONTENT,
    item_to_beta,
    item_to_ga,
    response_to_beta,
)
from vivavoce.protocol.items import CONTENT_OF_ROLE, FunctionCallOutput, Item, MessageItem

ITEM = json_of(msgspec.defstruct("OneItem", [("item", Item)]))

PICTURE = {"type": "input_text", "text": ""}
"""What the beta has for a picture."""


def test_content_is_renamed_to_what_there_is():
    assert set(ASSISTANT_CONTENT.values()) == set(CONTENT_OF_ROLE["assistant"])
    assert set(OTHER_CONTENT.values()) < set(CONTENT_OF_ROLE["user"])


@settings(max_examples=150, deadline=None, derandomize=True)
@given(made=ITEM)
def test_an_item_survives_the_way_there_and_back(made):
    item = made["item"]
    told = item_to_beta(item)
    if item["type"] not in BETA_ITEMS:
        assert told is None
        return
    assert told.pop("object") in {item.get("object"), "realtime.item"}
    told.pop("status", None)
    told["id"] = told["id"] or ""
    kept = {name: value for name, value in item.items() if name not in {"object", "phase", "status"}}
    if "content" in kept:
        kept["content"] = [PICTURE if part["type"] == "input_image" else part for part in kept["content"]]
    assert item_to_ga(told) == {"id": "", **kept}
    assert {part["type"] for part in told.get("content", [])}.isdisjoint(ASSISTANT_CONTENT.values())


@settings(max_examples=50, deadline=None, derandomize=True)
@given(message=json_of(MessageItem))
def test_what_is_said_as_today_is_left_alone(message):
    assert item_to_ga(message) == message


def test_the_output_of_a_function_is_complete():
    output = {"type": "function_call_output", "id": "item_1", "call_id": "call_1", "output": "4"}
    assert item_to_beta(output)["status"] == "completed"
    msgspec.convert(item_to_beta(output), FunctionCallOutput)


def test_the_items_of_a_response_are_told_too():
    speech = {"type": "output_audio", "transcript": "Hi."}
    message = {"type": "message", "id": "item_1", "role": "assistant", "content": [speech]}
    told = response_to_beta({"id": "resp_1", "output": [message, None], "audio": None}, 1.0)
    assert json.loads(json.dumps(told)) == {
        "id": "resp_1",
        "output": [{**message, "object": "realtime.item", "content": [{**speech, "type": "audio"}]}],
        "temperature": 1.0,
    }
