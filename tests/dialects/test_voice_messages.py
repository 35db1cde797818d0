import json

import pytest

from vivavoce.dialects.voice_messages import (
    AudioInput,
    Cancel,
    Changes,
    Commit,
    ItemInput,
    Ping,
    SessionChange,
    Stamp,
    TextInput,
    Truncate,
    decode_message,
)
from vivavoce.errors import ProtocolError


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (
            {
                "type": "session.update",
                "session_update": {"voice": "ash", "language": "fr", "temperature": 0.8},
            },
            SessionChange(session_update=Changes(voice="ash", language="fr", temperature=0.8)),
        ),
        (
            {"type": "session.update", "session_update": {"max_response_output_tokens": 4096, "later": 1}},
            SessionChange(session_update=Changes(max_response_output_tokens=4096)),
        ),
        (
            {
                "type": "conversation.item.input",
                "conversation_item_input": {"type": "input_audio_buffer", "audio": "AAAA"},
            },
            ItemInput(conversation_item_input=AudioInput(audio="AAAA")),
        ),
        (
            {
                "type": "conversation.item.input",
                "conversation_item_input": {"type": "input_text", "text": "Hi"},
            },
            ItemInput(conversation_item_input=TextInput(text="Hi")),
        ),
        ({"type": "ping", "ping": {"timestamp": 12.5}}, Ping(ping=Stamp(timestamp=12.5))),
        ({"type": "ping"}, Ping()),
        ({"type": "input_audio_buffer.commit"}, Commit()),
        ({"type": "response.cancel"}, Cancel()),
        (
            {"type": "conversation.item.truncate", "item_id": "item_1", "audio_end_ms": 100},
            Truncate(item_id="item_1", audio_end_ms=100),
        ),
    ],
)
def test_each_message_is_read(sent, read):
    assert decode_message(json.dumps(sent).encode()) == read


@pytest.mark.parametrize(
    ("data", "code", "param"),
    [
        (b"hello", "invalid_json", None),
        (b"{}", "missing_required_parameter", "type"),
        (b'{"type":"response.create"}', "invalid_value", "type"),
        (b'{"type":"session.update"}', "missing_required_parameter", "session_update"),
        (b'{"type":"session.update","session_update":{"voice":3}}', "invalid_type", "session_update.voice"),
        (
            b'{"type":"session.update","session_update":{"input_audio_format":"mp3"}}',
            "invalid_value",
            "session_update.input_audio_format",
        ),
        (
            b'{"type":"conversation.item.input","conversation_item_input":{"type":"input_text"}}',
            "missing_required_parameter",
            "conversation_item_input.text",
        ),
        (b"\xff\xfe", "invalid_json", None),
    ],
)
def test_all_else_is_refused_with_what_is_wrong(data, code, param):
    with pytest.raises(ProtocolError) as refused:
        decode_message(data)
    assert (refused.value.code, refused.value.param) == (code, param)
