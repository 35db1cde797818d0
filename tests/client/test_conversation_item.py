import base64

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.client.conversation_item import MOST_PARTS, ConversationItem, audio_bytes
from vivavoce.protocol.items import Item


def described(*given):
    item = ConversationItem("a")
    for one in given:
        audio = item.describe(msgspec.convert({"id": "a", **one}, Item))
    return item, audio


def message(*content, role="assistant", **fields):
    return {"type": "message", "role": role, "content": list(content), **fields}


def test_words_are_what_is_written_and_what_is_said():
    item, _ = described(
        message({"type": "output_text", "text": "See: "}, {"type": "output_audio", "transcript": "hear."})
    )
    assert (item.text, item.transcript, item.words) == ("See: ", "hear.", "See: hear.")
    assert (item.type, item.role) == ("message", "assistant")


def test_a_description_that_says_less_takes_nothing_away():
    whole = message({"type": "output_audio", "transcript": "hear."}, status="completed")
    item, _ = described(whole, message({"type": "output_audio", "transcript": None}))
    assert (item.transcript, item.status) == ("hear.", "completed")


def test_audio_is_handed_back_with_its_part():
    sound = base64.b64encode(b"abcd").decode()
    item, audio = described(
        message({"type": "output_text", "text": ""}, {"type": "output_audio", "audio": sound})
    )
    assert audio == [(item.content[1], b"abcd")]
    assert item.audio == b"", "what is kept is not for the item to decide"


def test_a_call_and_its_output():
    call, _ = described({"type": "function_call", "name": "f", "call_id": "c", "arguments": "{}"})
    assert (call.name, call.call_id, call.arguments) == ("f", "c", "{}")
    output, _ = described({"type": "function_call_output", "call_id": "c", "output": "42"})
    assert (output.call_id, output.output) == ("c", "42")


@pytest.mark.parametrize("index", [-1, 10**9])
def test_no_server_can_make_it_grow_without_end(index):
    item = ConversationItem("a")
    item.part(index).text = "here"
    assert item.part(index).text == "here"
    assert len(item.content) <= MOST_PARTS


@pytest.mark.parametrize("wrong", ["é", "a"])
def test_what_is_no_base64_is_no_audio(wrong):
    assert audio_bytes(wrong) == b""


@given(st.binary(max_size=200))
def test_base64_is_decoded_with_line_breaks_or_without(data):
    assert audio_bytes(base64.b64encode(data).decode()) == data
    assert audio_bytes(base64.encodebytes(data).decode()) == data
