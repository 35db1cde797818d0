"""Offers of callers that never come, and what is no offer at all: they are answered, and nothing of them is left."""

import asyncio
import gc
import logging
import random
from collections import Counter
from contextlib import asynccontextmanager

import pytest

from tests.gateway.doubles import gateway
from tests.gateway.routes.test_calls import CALLS, calling, only_this_machine
from vivavoce.errors import ConnectionFailed
from vivavoce.webrtc.leg import Leg

__all__ = ["only_this_machine"]

OFFERS = 500
AT_ONCE = 20
FUZZED = 60

PORTS = pytest.mark.parametrize(
    "port", [{}, {"call_port": 0, "public_address": "127.0.0.1"}], ids=["own", "shared"]
)

KINDS = {"Call", "Leg", "Guarded", "RTCPeerConnection", "RTCIceTransport", "StunProtocol", "Passage", "Way"}
"""What a call is made of."""

HOSTILE = ["", " ", "-1", "0", "65536", "9" * 40, "nan", "\0", "%s%n", "é\u202e", "a" * 5000, "::", "0.0.0.0"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Let nobody wait long for who does not come."""
    for name, seconds in (
        ("leg.CONNECT_SECONDS", 0.3),
        ("leg.ANSWER_SECONDS", 30),  # however busy the machine is
        ("restart.MEET_SECONDS", 0.5),
        ("way.SEARCH_SECONDS", 0.2),
    ):
        monkeypatch.setattr(f"vivavoce.webrtc.{name}", seconds)


@pytest.fixture(autouse=True)
def unlogged(monkeypatch):
    """Let pytest keep no record of what aiortc finds wrong with an offer: a record holds the call it was found in."""
    monkeypatch.setattr(logging.getLogger("asyncio"), "disabled", True)


def remains():
    """Return what is there of calls, by its kind."""
    gc.collect()
    return Counter(type(one).__name__ for one in gc.get_objects() if type(one).__name__ in KINDS)


def at_work():
    """Return what is being done, by its name, but for connections that are kept for the next request."""
    names = [task.get_coro().__qualname__ for task in asyncio.all_tasks() - {asyncio.current_task()}]
    return Counter(name for name in names if name != "RequestHandler.start")


async def nothing(look):
    """Wait until there is nothing more to be seen."""
    try:
        async with asyncio.timeout(20):
            while look():  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.05)
    except TimeoutError:
        assert not look()


@asynccontextmanager
async def leaving_nothing(**settings):
    """Run a gateway; whatever is done with it, in the end it is as it was."""
    async with gateway(max_sessions=1000, **settings) as running:
        before, working = remains(), at_work()
        yield running
        await nothing(lambda: len(running.sessions) + len(running.calls))
        await nothing(lambda: at_work() - working)
        running.upstream.sessions.clear()
        await nothing(lambda: remains() - before)
        door = running.calls.door
        assert door is None or (door._calls, door._callers) == ({}, {})


async def offered():
    leg = Leg(lambda: None, lambda _: None, lambda _: None)
    offer = await leg.offer()
    await leg.close()
    return offer


async def send(running, offer, path=CALLS, method="POST"):
    """Send an offer; return the status and, where it is refused, the code of the error."""
    headers = {"Content-Type": "application/sdp"}
    data = offer.encode(errors="surrogatepass")
    async with running.client.request(method, running.url(path), data=data, headers=headers) as response:
        refused = response.status >= 400
        return response.status, (await response.json())["error"]["code"] if refused else None


def changed(offer, chance):
    """Return what a careless or hostile client makes of an offer."""
    lines = offer.splitlines()
    for _ in range(chance.randint(1, 5)):
        at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        line, text = lines[at], chance.choice(HOSTILE)
        match chance.choice(["cut", "drop", "double", "swap", "word", "value", "insert"]):
            case "cut":
                lines[at] = line[: chance.randrange(len(line) + 1)] + text
            case "drop" if len(lines) > 1:
                del lines[at]
            case "double":
                lines.insert(other, line)
            case "swap":
                lines[at], lines[other] = lines[other], lines[at]
            case "word":
                words = line.split(" ")
                words[chance.randrange(len(words))] = text
                lines[at] = " ".join(words)
            case "value":
                lines[at] = line.partition(":")[0] + ":" + text
            case _:
                lines.insert(at, text)
    return "\r\n".join(lines) + "\r\n"


@PORTS
async def test_many_offers_that_never_connect_leave_nothing(port):
    offer, most = await offered(), 0
    async with leaving_nothing(**port) as running:
        for _ in range(OFFERS // AT_ONCE):
            answers = await asyncio.gather(*(send(running, offer) for _ in range(AT_ONCE)))
            assert set(answers) == {(201, None)}
            most = max(most, len(running.calls))
        assert most > 1
        assert {(await session.closed)[0] for session in running.upstream.sessions} == {1006}


@PORTS
async def test_whatever_is_offered_is_answered_or_refused_and_leaves_nothing(port):
    offer, chance, seen = await offered(), random.Random(1), set()
    async with leaving_nothing(**port) as running:
        for _ in range(FUZZED):
            seen.add(await send(running, sdp := changed(offer, chance)))
            assert seen <= {(201, None), (400, "invalid_offer")}, sdp
    assert len(seen) == 2


async def test_whatever_is_offered_for_a_call_leaves_it_as_it_is(monkeypatch):
    monkeypatch.setattr("vivavoce.webrtc.leg.CONNECT_SECONDS", 30)
    async with leaving_nothing() as running:
        await disturb(running, random.Random(1))


async def disturb(running, chance):
    """Call, and offer the call what is no other way for it."""
    kept, seen = [], set()

    async def keep(offer):
        kept.append(offer)
        raise ConnectionFailed("kept")

    async with calling(running) as caller:
        await caller.told()
        with pytest.raises(ConnectionFailed):
            await caller.leg.restart(keep)
        for _ in range(FUZZED):
            seen.add(await send(running, sdp := changed(kept[0], chance), caller.location, "PATCH"))
            assert seen <= {(200, None), (400, "invalid_offer")}, sdp
        await caller.tell({"type": "still.there"})
        assert (await caller.told())["event"] == {"type": "still.there"}
        assert len(running.calls) == 1
    assert (400, "invalid_offer") in seen
