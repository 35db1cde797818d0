import json

import msgspec
import pytest

from vivavoce.client.frames import REDACTED, Frame, redacted


@pytest.mark.parametrize(
    ("event", "kept"),
    [
        ({"type": "x", "authorization": "abc"}, {"type": "x", "authorization": REDACTED}),
        ({"tools": [{"headers": {"X-Any": "abc"}}]}, {"tools": [{"headers": {"X-Any": REDACTED}}]}),
        ({"text": "It is sk-abcdefgh1234."}, {"text": f"It is {REDACTED}."}),
        ({"client_secret": {"value": "ek_1234567890"}}, {"client_secret": {"value": REDACTED}}),
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
