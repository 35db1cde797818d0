import asyncio
import json

import pytest

from tests.gateway.doubles import ScriptedTransport, echo
from vivavoce.client.retrying import Reconnect
from vivavoce.errors import ConnectionFailed, ConnectionLost
from vivavoce.gateway.upstreams import attached as module
from vivavoce.gateway.upstreams.attached import Attached

DOWN = ConnectionFailed("down", status=503)
OVER = ConnectionFailed("no such call", status=404)


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", Reconnect(attempts=4, first_wait=0))


class Endpoint:
    """Lets attach as often as it has outcomes: a transport, or why there is none."""

    def __init__(self, *outcomes):
        self.first = line("first")
        self.outcomes = [*outcomes]
        self.attached = Attached(self.first, self.attach)

    async def attach(self):
        await asyncio.sleep(0)
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, ConnectionFailed):
            raise outcome
        return outcome

    async def heard(self):
        return json.loads(await self.attached.receive())["session"]["model"]


def line(name):
    """Make a transport whose first event says its name."""
    return ScriptedTransport(name, echo)


@pytest.mark.parametrize("code", [1006, 1012, 1013])
@pytest.mark.parametrize("failures", [[], [DOWN, DOWN, DOWN]])
async def test_goes_on_over_another_line(code, failures):
    endpoint = Endpoint(*failures, line("second"))
    assert await endpoint.heard() == "first"
    endpoint.first.hang_up(code)
    assert await endpoint.heard() == "second"
    assert endpoint.first.closed.done()
    await endpoint.attached.send('{"type":"still.there"}')
    assert json.loads(await endpoint.attached.receive())["event"] == {"type": "still.there"}


@pytest.mark.parametrize(
    ("code", "outcomes", "left"),
    [(1000, [DOWN], 1), (1001, [DOWN], 1), (1008, [DOWN], 1), (1006, [OVER, DOWN], 1), (1006, [DOWN] * 5, 1)],
    ids=["ended", "going", "refused", "over", "down"],
)
async def test_ends_with_the_call_or_where_nobody_can_be_asked(code, outcomes, left):
    endpoint = Endpoint(*outcomes)
    await endpoint.heard()
    endpoint.first.hang_up(code, "why")
    with pytest.raises(ConnectionLost) as lost:
        await endpoint.heard()
    assert (lost.value.code, lost.value.reason) == (code, "why")
    assert len(endpoint.outcomes) == left


async def test_an_endpoint_that_lets_in_and_cuts_off_is_not_asked_for_ever():
    broken = [line(str(number)) for number in range(9)]
    for one in broken:
        one._events.get_nowait()
        one.hang_up(1006)
    endpoint = Endpoint(*broken)
    await endpoint.heard()
    endpoint.first.hang_up(1006)
    with pytest.raises(ConnectionLost):
        await endpoint.heard()
    assert len(endpoint.outcomes) == 5


async def test_what_is_sent_waits_for_the_line():
    allowed, second = asyncio.Event(), line("second")

    async def attach():
        await allowed.wait()
        return second

    first = line("first")
    attached = Attached(first, attach)
    await attached.receive()
    first.hang_up(1006)
    receiving = asyncio.create_task(attached.receive())
    await first.closed
    sending = asyncio.create_task(attached.send('{"type":"x"}'))
    await asyncio.sleep(0)
    assert not sending.done()
    allowed.set()
    await receiving
    await sending
    assert second.heard == ['{"type":"x"}']
    assert first.heard == []
    await attached.close(1000, "done")
    assert await second.closed == (1000, "done")
