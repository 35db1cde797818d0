import random

from vivavoce.engine.session.effects import CancelRecognition, Close, Send
from vivavoce.engine.session.outgoing import Outgoing
from vivavoce.protocol.ids import Ids
from vivavoce.protocol.server_events import InputAudioBufferCleared


def test_everything_comes_out_once_and_in_order():
    out = Outgoing(Ids(random.Random(7)))
    first, second = InputAudioBufferCleared(), InputAudioBufferCleared()
    out.send(first)
    out.ask(CancelRecognition(1))
    out.send(second)
    assert out.take() == [Send(first), CancelRecognition(1), Send(second)]
    assert out.take() == []
    out.ask(Close(1001, "over"))
    assert out.take() == [Close(1001, "over")]


def test_every_event_has_an_id_of_its_own():
    out = Outgoing(Ids())
    for _ in range(100):
        out.send(InputAudioBufferCleared())
    ids = [effect.event.event_id for effect in out.take()]
    assert len(set(ids)) == 100
    assert all(event_id.startswith("event_") for event_id in ids)
