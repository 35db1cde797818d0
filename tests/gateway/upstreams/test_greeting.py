import json

import pytest

from tests.gateway.doubles import ScriptedTransport
from vivavoce.errors import ConnectionFailed
from vivavoce.gateway.upstreams.greeting import MOST_EARLY, greet
from vivavoce.protocol.session_params import RealtimeSessionParams

ASKED = RealtimeSessionParams(model="m", instructions="Sing.")


def _changed(data):
    return [
        {"type": "rate_limits.updated"},
        {"type": "error", "error": {"event_id": "another", "message": "Not ours."}},
        {"type": "session.updated", "session": {"instructions": json.loads(data)["session"]["instructions"]}},
        {"type": "later"},
    ]


async def _events(transport, count):
    return [json.loads(await transport.receive()) for _ in range(count)]


async def test_nothing_asked_is_nothing_said():
    transport = ScriptedTransport("m", _changed)
    greeted = await greet(transport, RealtimeSessionParams(model="m"))
    assert (await _events(greeted, 1))[0]["type"] == "session.created"
    assert transport.heard == []


async def test_what_was_granted_is_what_the_session_was_created_with():
    transport = ScriptedTransport("m", _changed)
    greeted = await greet(transport, ASKED)
    types, created = [], None
    for event in await _events(greeted, 4):
        types.append(event["type"])
        created = created or event
    assert types == ["session.created", "rate_limits.updated", "error", "later"]
    assert created["session"] == {"instructions": "Sing."}
    (update,) = (json.loads(data) for data in transport.heard)
    assert update["session"] == {"type": "realtime", "instructions": "Sing."}
    await greeted.send(transport.heard[0])
    await greeted.close(1001)
    assert transport.closed.result()[0] == 1001


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (lambda data: [{"type": "error", "error": {"event_id": json.loads(data)["event_id"]}}], 502),
        (lambda data: [{"type": "error"}], 502),
        (lambda data: [{"type": "noise"}] * (MOST_EARLY + 1), 502),
    ],
)
async def test_an_endpoint_that_does_not_grant_it(reply, status):
    with pytest.raises(ConnectionFailed) as caught:
        await greet(ScriptedTransport("m", reply), ASKED)
    assert caught.value.status == status


async def test_an_endpoint_that_leaves_before_it_is_asked():
    transport = ScriptedTransport("m", _changed)
    await transport.close(1011)
    with pytest.raises(ConnectionFailed) as caught:
        await greet(transport, ASKED)
    assert caught.value.status == 503


async def test_an_endpoint_that_says_something_else():
    transport = ScriptedTransport("m", _changed)
    await transport.receive()
    transport._events.put_nowait(b"hello")
    with pytest.raises(ConnectionFailed, match="does not speak the protocol"):
        await greet(transport, ASKED)
