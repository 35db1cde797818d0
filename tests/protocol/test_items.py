import msgspec
import pytest
from msgspec import UNSET

from vivavoce.protocol.items import (
    CONTENT_OF_ROLE,
    FunctionCallOutput,
    InputAudio,
    Item,
    MessageItem,
    OutputText,
)


@pytest.mark.parametrize("sent", ["{%s}", '{"id":"",%s}'])
def test_no_id_is_not_sent(sent):
    item = msgspec.json.decode(sent % '"type":"message","role":"user","content":[]', type=Item)
    assert item == MessageItem(role="user", content=[])
    assert msgspec.json.encode(item) == b'{"type":"message","role":"user","content":[]}'


def test_an_item_is_written_in_the_order_of_the_wire():
    item = MessageItem(
        phase="final_answer",
        content=[OutputText(text="Hi")],
        role="assistant",
        status="completed",
        id="item_1",
    )
    assert msgspec.json.encode(item) == (
        b'{"type":"message","id":"item_1","status":"completed","role":"assistant",'
        b'"content":[{"type":"output_text","text":"Hi"}],"phase":"final_answer"}'
    )


def test_a_transcript_that_is_not_known_yet_is_null():
    assert msgspec.json.encode(InputAudio(transcript=None)) == b'{"type":"input_audio","transcript":null}'
    assert InputAudio().transcript is UNSET


def test_an_output_has_no_status_unless_told():
    assert msgspec.json.encode(FunctionCallOutput(call_id="call_1", output="{}")) == (
        b'{"type":"function_call_output","call_id":"call_1","output":"{}"}'
    )


def test_every_role_has_its_content():
    assert {tag for tags in CONTENT_OF_ROLE.values() for tag in tags} == {
        "input_text",
        "input_audio",
        "input_image",
        "output_text",
        "output_audio",
    }
    assert MessageItem(role="user", content=[]).type == "message"
