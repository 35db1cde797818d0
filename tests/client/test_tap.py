import pytest

from tests.client.doubles import ScriptedTransport
from vivavoce.client.tap import tapped


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_all_that_passes_is_told(asynchronous):
    transport = ScriptedTransport({"type": "session.created"})
    noted = []

    async def later():
        return transport

    connect = tapped(later if asynchronous else lambda: transport, lambda *frame: noted.append(frame))
    tap = await connect()
    await tap.send('{"type": "x"}')
    received = await tap.receive()
    await tap.close(1001, "bye")
    assert transport.sent == [{"type": "x"}]
    assert noted == [("C", '{"type": "x"}'), ("S", received)]
    assert transport.closed == (1001, "bye")
