import asyncio

import pytest

from tests.gateway.doubles import ScriptedTransport, echo
from vivavoce.errors import ConnectionLost
from vivavoce.gateway.late import MOST_WAITING, Late


@pytest.fixture
async def transport():
    transport = ScriptedTransport("m", echo)
    await transport.receive()
    return transport


async def test_what_is_sent_arrives_in_order_and_later(transport):
    late = Late(transport, 0.02)
    before = asyncio.get_running_loop().time()
    for number in range(5):
        await late.send(b'{"type":"n","number":%d}' % number)
    assert transport.heard == []
    for _ in range(5):
        await late.receive()
    assert [data[-2:-1] for data in transport.heard] == [b"0", b"1", b"2", b"3", b"4"]
    assert asyncio.get_running_loop().time() - before >= 0.02
    await late.close()


async def test_a_request_for_a_response_is_kept_apart_and_nothing_else_is(transport):
    late = Late(transport, 0.02)
    clock = asyncio.get_running_loop().time
    before = clock()
    for _ in range(20):
        await late.send(b'{"type":"conversation.item.create"}')
    await late.send(b'{"type":"response.create"}')
    assert late._last <= clock() + 0.06  # rather than twenty times as late
    arrived = [(await late.receive(), clock() - before) for _ in range(21)]
    assert arrived[0][1] >= 0.04  # after what the endpoint says first
    assert arrived[-1][1] >= 0.06
    await late.close()


async def test_the_end_of_the_other_is_told(transport):
    late = Late(transport, 0.0)
    await transport.close(1001, "over")

    async def insist():
        for _ in range(3 * MOST_WAITING):  # more than may wait: nobody is kept waiting for what is over
            await late.send(b'{"type":"n"}')

    with pytest.raises(ConnectionLost) as lost:
        await insist()
    assert (lost.value.code, lost.value.reason) == (1001, "over")
    await late.close()


async def test_closing_ends_the_other(transport):
    late = Late(transport, 60.0)
    await late.send(b'{"type":"n"}')
    await late.close(1000, "enough")
    await late.close(1001, "again")
    assert await transport.closed == (1000, "enough")
    assert transport.heard == []
    with pytest.raises(ConnectionLost):
        await late.send(b'{"type":"n"}')
