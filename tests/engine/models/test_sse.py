import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.engine.models.sse import LONGEST, EventStream
from vivavoce.errors import ModelError

STREAM = (
    ': keep-alive\n\nevent: chunk\nid: 7\ndata: {"a":1}\r\n\r\n'
    "data:no space\n\ndata: two\ndata: lines\n\n\n\n"
    "data: Grüße 🦜\r\rretry: 10\n\ndata\n\ndata: [DONE]\n\ndata: never ended\n"
).encode()
EVENTS = ['{"a":1}', "no space", "two\nlines", "Grüße 🦜", "", "[DONE]"]


def test_what_an_event_says():
    assert EventStream().push(STREAM) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_it_may_be_cut_anywhere(cuts):
    stream = EventStream()
    edges = [0, *sorted(cuts), len(STREAM)]
    events = []
    for start, end in itertools.pairwise(edges):
        events += stream.push(STREAM[start:end])
    assert events == EVENTS


def test_byte_by_byte():
    stream = EventStream()
    assert [event for byte in STREAM for event in stream.push(bytes([byte]))] == EVENTS


@pytest.mark.parametrize("chunk", [b"data: " + b"x" * 4096, b"data: " + b"x" * 4096 + b"\n"])
def test_an_event_without_end_is_refused(chunk):
    stream = EventStream()
    for _ in range(LONGEST // 4102):
        assert stream.push(chunk) == []
    with pytest.raises(ModelError, match=f"at most {LONGEST} characters"):
        stream.push(2 * chunk)
