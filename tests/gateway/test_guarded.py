import asyncio
import json

import pytest

from tests.gateway.doubles import ScriptedTransport, echo
from vivavoce.errors import ConnectionLost
from vivavoce.gateway import guarded as module
from vivavoce.gateway.guarded import Guarded, Sideband
from vivavoce.gateway.passage import Down, End, Passage, Run, Stage, Up
from vivavoce.protocol.codec import Frame


class Busy(Stage):
    wants_up = frozenset({"ask", "work", "leave"})
    ended_with = None

    def up(self, frame, now):
        match frame.type:
            case "ask":
                return [Down(Frame('{"type":"answered"}'))]
            case "work":
                return [Run(self._work)]
            case _:
                return [End(4000, "enough")]

    async def _work(self):
        return [Up(Frame('{"type":"worked"}'))]

    def tick(self, now):
        return [Down(Frame('{"type":"tick"}'))]

    def ended(self, end, now):
        self.ended_with = end


@pytest.fixture
async def made():
    transport, stage = ScriptedTransport("m", echo), Busy()
    session = Guarded(transport, Passage([stage]))
    assert (await said(session))["type"] == "session.created"
    yield session, transport, stage
    await session.close()


async def said(session):
    async with asyncio.timeout(10):
        return json.loads(await session.receive())


async def test_events_pass_the_stages_both_ways(made):
    session, transport, _ = made
    await session.send('{"type":"x"}')
    assert (await said(session))["event"] == {"type": "x"}
    await session.send('{"type":"ask"}')
    assert await said(session) == {"type": "answered"}
    assert [json.loads(data)["type"] for data in transport.heard] == ["x"]


async def test_work_of_the_stages_goes_on_beside(made):
    session, _, _ = made
    await session.send('{"type":"work"}')
    assert (await said(session))["event"] == {"type": "worked"}


async def test_the_stages_are_asked_for_what_is_due(monkeypatch):
    monkeypatch.setattr(module, "TICK_SECONDS", 0.01)
    session = Guarded(ScriptedTransport("m", echo), Passage([Busy()]))
    await said(session)
    assert await said(session) == {"type": "tick"}
    await session.close()


async def test_a_stage_can_end_the_session(made):
    session, _, _ = made
    await session.send('{"type":"leave"}')
    with pytest.raises(ConnectionLost) as lost:
        await session.receive()
    assert (lost.value.code, lost.value.reason) == (4000, "enough")
    with pytest.raises(ConnectionLost):
        await session.send('{"type":"x"}')


async def test_the_endpoint_may_leave_and_what_it_said_is_heard_first(made):
    session, transport, _ = made
    transport.say({"type": "last"})
    transport.hang_up(1001, "gone")
    assert await said(session) == {"type": "last"}
    with pytest.raises(ConnectionLost, match="gone"):
        await session.receive()


async def test_closing_tells_everybody_once(made):
    session, transport, stage = made
    for _ in range(2):
        await session.close(1000, "done")
    assert stage.ended_with == End(1000, "done")
    assert await transport.closed == (1000, "done")


async def test_an_endpoint_that_says_no_events_is_at_fault(made):
    session, transport, _ = made
    transport._events.put_nowait(b"{")
    with pytest.raises(ConnectionLost) as lost:
        await session.receive()
    assert lost.value.code == 1011


async def test_a_sideband_hears_from_now_on_and_leaves_alone(made):
    session, transport, _ = made
    sideband = Sideband(session)
    await sideband.send('{"type":"x"}')
    assert (await said(sideband))["event"] == {"type": "x"} == (await said(session))["event"]
    await sideband.close()
    await session.send('{"type":"y"}')
    assert (await said(session))["event"] == {"type": "y"}
    assert not transport.closed.done()


async def test_a_sideband_hears_what_the_one_that_reads_knows_by_itself(made):
    session, _, _ = made
    sideband = Sideband(session)
    session.tell(b'{"type":"output_audio_buffer.started"}')
    assert await sideband.receive() == b'{"type":"output_audio_buffer.started"}'


@pytest.mark.parametrize("played_here", [True, False])
async def test_a_sideband_silences_what_is_played(made, played_here):
    session, _, _ = made
    silenced = []

    def silence():
        silenced.append(True)
        return played_here

    sideband = Sideband(session, silence)
    await sideband.send('{"type":"output_audio_buffer.clear"}')
    await sideband.send('{"type":"x"}')
    assert silenced == [True]
    heard = [(await said(session))["event"]["type"] for _ in range(1 if played_here else 2)]
    assert heard[-1] == "x"
    assert ("output_audio_buffer.clear" in heard) != played_here


async def test_a_sideband_learns_of_the_end(made):
    session, transport, _ = made
    sideband = Sideband(session)
    transport.hang_up(1001, "gone")
    with pytest.raises(ConnectionLost, match="gone"):
        await sideband.receive()
    with pytest.raises(ConnectionLost, match="gone"):
        await Sideband(session).receive()


async def test_who_falls_behind_is_cut_off_and_nobody_else(made, monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 4)
    session, _, _ = made
    slow = Sideband(session)
    for _ in range(10):
        await session.send('{"type":"x"}')
        await said(session)
    for _ in range(4):
        await slow.receive()
    with pytest.raises(ConnectionLost) as lost:
        await slow.receive()
    assert lost.value.code == 1008
