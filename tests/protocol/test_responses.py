import json

import msgspec

from tests.protocol.recorded import frames
from vivavoce.protocol.items import ItemReference, MessageItem
from vivavoce.protocol.responses import Response, ResponseAudio, ResponseAudioOutput, ResponseCreateParams


def test_a_new_response_is_as_recorded():
    recorded = next(event["response"] for event in frames("S") if event["type"] == "response.created")
    voice = recorded["audio"]["output"]["voice"]
    ours = Response(
        id=recorded["id"],
        conversation_id=recorded["conversation_id"],
        output_modalities=recorded["output_modalities"],
        audio=ResponseAudio(output=ResponseAudioOutput(voice=voice)),
    )
    assert json.loads(msgspec.json.encode(ours)) == recorded


def test_a_context_of_one_s_own_may_be_empty_or_name_items():
    assert msgspec.json.decode('{"input":[]}', type=ResponseCreateParams).input == []
    params = msgspec.convert(
        {
            "input": [
                {"type": "item_reference", "id": "item_1"},
                {"type": "message", "role": "user", "content": []},
            ]
        },
        ResponseCreateParams,
    )
    assert params.input == [ItemReference(id="item_1"), MessageItem(role="user", content=[])]
