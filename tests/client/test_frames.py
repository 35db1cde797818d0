import json

import msgspec
import pytest

from vivavoce.client.frames import REDACTED, Frame, redacted
from vivavoce.gateway.auth.keys import API_KEY_PREFIX


@pytest.mark.parametrize(
    ("event", "kept"),
    [
        ({"type": "x", "authorization": "abc"}, {"type": "x", "authorization": REDACTED}),
        ({"tools": [{"headers": {"X-Any": "abc"}}]}, {"tools": [{"headers": {"X-Any": REDACTED}}]}),
        ({"text": "It is sk-abcdefgh1234."}, {"text": f"It is {REDACTED}."}),
        ({"client_secret": {"value": "ek_1234567890"}}, {"client_secret": {"value": REDACTED}}),
        ({"text": f"It is {API_KEY_PREFIX}abcdefgh1234."}, {"text": f"It is {REDACTED}."}),
        (
            {"arguments": '{"api_key": "abc", "days": [1.50]}'},
            {"arguments": f'{{"api_key":"{REDACTED}","days":[1.5]}}'},
        ),
        ({"output": ' [{"headers": {"a": "b"}}]'}, {"output": f'[{{"headers":{{"a":"{REDACTED}"}}}}]'}),
        ({"arguments": '{ "days": 1.50 }'}, {"arguments": '{ "days": 1.50 }'}),
        ({"delta": '{"api_key": "sk-abcdefgh1234'}, {"delta": f'{{"api_key": "{REDACTED}'}),
        ({"text": "[" * 100_000}, {"text": "[" * 100_000}),
        ({"text": "ask-me", "number": 1}, {"text": "ask-me", "number": 1}),
    ],
)
def test_secrets_are_not_kept(event, kept):
    assert redacted(event) == kept


@pytest.mark.parametrize("t", [None, 1.5])
def test_a_frame_is_a_line(t):
    frame = Frame("C", {"type": "x"}, t)
    line = msgspec.json.encode(frame)
    assert ("t" in json.loads(line)) == (t is not None)
    assert msgspec.json.decode(line, type=Frame) == frame
