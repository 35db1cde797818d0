import json

from vivavoce.gateway.server_tools.hiding import Hiding
from vivavoce.protocol.codec import Frame


def seen(hiding, **event):
    frame = Frame(json.dumps({"event_id": "e", **event}).encode())
    return [json.loads(each.data) for each in hiding.seen(frame, frame.server_event())]


def test_what_is_not_ours_passes_as_it_is():
    hiding = Hiding(frozenset({"a"}), show=False, ours="gateway_")
    call = {"type": "function_call", "id": "i", "name": "b", "call_id": "c", "arguments": ""}
    for event in (
        {"type": "conversation.item.added", "item": call, "previous_item_id": "x"},
        {"type": "session.updated", "session": {"instructions": "x"}},
        {"type": "session.updated", "session": None},
        {"type": "response.done", "response": None},
        {"type": "response.done", "response": {"id": "r", "output": [call]}},
        {"type": "input_audio_buffer.speech_started"},
    ):
        assert seen(hiding, **event) == [{"event_id": "e", **event}]


def test_an_item_of_ours_is_hidden_through_its_life():
    hiding = Hiding(frozenset({"a"}), show=False, ours="gateway_")
    call = {"type": "function_call", "id": "i", "name": "a", "call_id": "c", "arguments": ""}
    output = {"type": "function_call_output", "id": "o", "call_id": "c", "output": "x"}
    for event in (
        {"type": "response.output_item.added", "item": call, "response_id": "r", "output_index": 0},
        {"type": "response.function_call_arguments.delta", "item_id": "i", "delta": "x"},
        {"type": "conversation.item.added", "item": output, "previous_item_id": "i"},
    ):
        assert seen(hiding, **event) == []
    (done,) = seen(hiding, type="response.done", response={"id": "r", "output": [call, {"id": "m"}]})
    assert done["response"]["output"] == [{"id": "m"}]
