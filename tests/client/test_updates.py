import asyncio

import pytest

from vivavoce.client.updates import Updates
from vivavoce.errors import ConnectionLost, ProtocolError
from vivavoce.protocol import errors
from vivavoce.protocol.client_events import SessionUpdate
from vivavoce.protocol.server_events import ErrorEvent, SessionUpdated
from vivavoce.protocol.session import RealtimeSession
from vivavoce.protocol.session_params import RealtimeSessionParams


@pytest.fixture
async def updates():
    return Updates()


def update(event_id):
    return SessionUpdate(event_id=event_id, session=RealtimeSessionParams())


def refused(event_id):
    error = errors.unknown_parameter("session.mood")
    error.event_id = event_id
    return ErrorEvent.of(error)


async def test_are_answered_in_order(updates):
    waiting = [updates.expect(update(f"event_{number}")) for number in range(2)]
    sessions = [RealtimeSession(id=f"sess_{number}") for number in range(2)]
    for session in sessions:
        updates.fold(SessionUpdated(session=session))
    assert [await one for one in waiting] == sessions


async def test_an_error_refuses_the_one_that_it_names(updates):
    first, second = (updates.expect(update(event_id)) for event_id in ("event_1", "event_2"))
    updates.fold(refused("event_2"))
    with pytest.raises(ProtocolError) as wrong:
        await second
    assert (wrong.value.param, wrong.value.event_id) == ("session.mood", "event_2")
    updates.fold(refused("event_9"))
    session = RealtimeSession(id="sess_1")
    updates.fold(SessionUpdated(session=session))
    assert await first is session
    updates.fold(SessionUpdated(session=session))  # one that nobody asked for


async def test_who_gave_up_is_not_told(updates):
    gone, there = updates.expect(update("event_1")), updates.expect(update("event_2"))
    gone.cancel()
    await asyncio.sleep(0)
    session = RealtimeSession(id="sess_1")
    for _ in range(2):
        updates.fold(SessionUpdated(session=session))
    assert await there is session


async def test_a_lost_connection_answers_none(updates):
    waiting = updates.expect(update("event_1"))
    updates.lost(ConnectionLost(1006))
    with pytest.raises(ConnectionLost):
        await waiting
