import pytest

from tests.client.doubles import ScriptedTransport
from vivavoce.client.connection import Connection
from vivavoce.errors import ConnectionLost, ProtocolError
from vivavoce.protocol.client_events import InputAudioBufferCommit
from vivavoce.protocol.codec import UnknownEvent
from vivavoce.protocol.server_events import InputAudioBufferCleared


async def test_it_sends_events_as_json():
    transport = ScriptedTransport()
    await Connection(transport).send(InputAudioBufferCommit(event_id="evt_1"))
    assert transport.sent == [{"type": "input_audio_buffer.commit", "event_id": "evt_1"}]


async def test_it_receives_typed_events_and_keeps_those_it_does_not_know():
    transport = ScriptedTransport({"type": "input_audio_buffer.cleared"}, {"type": "of.the.future", "a": 1})
    transport.lose(1000)
    cleared, unknown = [event async for event in Connection(transport)]
    assert isinstance(cleared, InputAudioBufferCleared)
    assert isinstance(unknown, UnknownEvent)
    assert unknown.data["a"] == 1


async def test_iteration_tells_of_an_end_that_is_not_regular():
    transport = ScriptedTransport()
    transport.lose(1001, "The server shuts down.")
    with pytest.raises(ConnectionLost, match="The server shuts down") as caught:
        async for _ in Connection(transport):
            pass
    assert caught.value.code == 1001


async def test_what_is_no_event_is_an_error():
    transport = ScriptedTransport()
    transport.say_raw("no JSON")
    with pytest.raises(ProtocolError):
        await Connection(transport).receive()


async def test_leaving_it_closes_it():
    transport = ScriptedTransport()
    async with Connection(transport):
        assert transport.closed is None
    assert transport.closed == (1000, "")
