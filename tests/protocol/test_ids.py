import random
import re

import pytest

from tests.protocol.recorded import frames
from vivavoce.protocol.ids import Ids

SHAPES = {
    "event": "event_[0-9A-Za-z]{21}",
    "item": "item_[0-9A-Za-z]{21}",
    "response": "resp_[0-9A-Za-z]{21}",
    "session": "sess_[0-9A-Za-z]{21}",
    "conversation": "conv_[0-9A-Za-z]{21}",
    "call": "call_[0-9A-Za-z]{16}",
}


@pytest.mark.parametrize(("kind", "shape"), SHAPES.items())
def test_ids_look_as_on_the_wire(kind, shape):
    made = {getattr(Ids(), kind)() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(shape, each) for each in made)


def test_recorded_ids_have_these_shapes():
    sessions = {event["session"]["id"] for event in frames("S") if event["type"] == "session.created"}
    calls = {event["call_id"] for event in frames("S") if event["type"].startswith("response.function_call")}
    events = {
        event["event_id"] for event in frames("S") if not event["type"].startswith("output_audio_buffer")
    }
    for kind, ids in (("session", sessions), ("call", calls), ("event", events)):
        assert ids
        assert all(re.fullmatch(SHAPES[kind], each) for each in ids)


def test_a_seed_gives_the_same_ids_again():
    first, second = Ids(random.Random(7)), Ids(random.Random(7))
    assert [first.item(), first.event()] == [second.item(), second.event()]
    assert first.item() != Ids(random.Random(8)).item()
