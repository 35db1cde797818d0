"""Calls that go on over another way: ICE restarts."""

import asyncio

import numpy as np
import pytest

from tests.gateway.doubles import gateway
from tests.gateway.routes.test_calls import CALLS, calling, only_this_machine
from vivavoce.errors import ConnectionFailed
from vivavoce.webrtc.leg import Leg
from vivavoce.webrtc.playout import FRAME_SAMPLES

__all__ = ["only_this_machine", "patched"]


def patched(running, location, offer, content_type="application/sdp", **headers):
    headers["Content-Type"] = content_type
    return running.client.patch(running.url(location), data=offer, headers=headers)


def asks(caller):
    """Return what asks the gateway for the answer to an offer of another way."""

    async def exchange(offer):
        async with patched(caller.running, caller.location, offer) as response:
            assert response.status == 200, await response.text()
            assert response.content_type == "application/sdp"
            return await response.text()

    return exchange


async def told_but_of_speech(caller):
    while (event := (await caller.told())["event"])["type"] == "input_audio_buffer.append":
        pass
    return event


@pytest.mark.parametrize("port", [{}, {"call_port": 0, "public_address": "127.0.0.1"}], ids=["own", "shared"])
async def test_the_conversation_goes_on(port, monkeypatch):
    monkeypatch.setattr("vivavoce.webrtc.way.LINGER_SECONDS", 0)
    async with gateway(**port) as running, calling(running) as caller:
        assert (await caller.told())["type"] == "session.created"
        for number in range(3):
            assert await caller.leg.restart(asks(caller))
            await caller.tell({"type": f"round.{number}"})
            assert await told_but_of_speech(caller) == {"type": f"round.{number}"}
            caller.frames += [np.full(FRAME_SAMPLES, 1000, np.int16)] * 10
            caller.leg.wake()
            while (await caller.told())["event"]["type"] != "input_audio_buffer.append":
                pass
        assert len(running.upstream.sessions) == len(running.calls) == 1
        door = running.calls.door
        if door is not None:
            async with asyncio.timeout(20):
                while len(door._calls) > 1:  # noqa: ASYNC110 - there is no event for it
                    await asyncio.sleep(0.01)
            assert len(door._callers) == 1
    assert door is None or (door._calls, door._callers) == ({}, {})


async def test_with_an_ephemeral_key_as_it_began():
    async with gateway() as running:
        async with running.client.post(running.url("/v1/realtime/client_secrets"), json={}) as response:
            key = (await response.json())["value"]
        async with calling(running) as caller:
            await caller.told()

            async def exchange(offer):
                authorization = {"Authorization": f"Bearer {key}"}
                async with patched(running, caller.location, offer, **authorization) as response:
                    return await response.text()

            assert await caller.leg.restart(exchange)


async def test_what_cannot_be_is_refused_and_the_call_goes_on():
    async with gateway() as running, calling(running) as caller, calling(running) as another:
        await caller.told()
        await another.told()

        async def refused(offer):
            for location, content, content_type, expected in (
                (f"{CALLS}/rtc_unknown", offer, "application/sdp", (404, "call_not_found")),
                (caller.location, "{}", "application/json", (400, "unsupported_content_type")),
                (caller.location, b"\xff", "application/sdp", (400, "invalid_offer")),
                (caller.location, "v=0", "application/sdp", (400, "invalid_offer")),
                (another.location, offer, "application/sdp", (400, "invalid_offer")),
            ):
                async with patched(running, location, content, content_type) as response:
                    error = (await response.json())["error"]
                    assert (response.status, error["code"]) == expected
            raise ConnectionFailed("refused")

        with pytest.raises(ConnectionFailed):
            await caller.leg.restart(refused)
        for one in (caller, another):
            await one.tell({"type": "still.there"})
            assert (await one.told())["event"] == {"type": "still.there"}


async def test_before_the_call_has_come_about_it_is_too_early():
    async with gateway() as running:
        leg = Leg(lambda: None, lambda _: None, lambda _: None)
        offer = await leg.offer()
        headers = {"Content-Type": "application/sdp"}
        async with running.client.post(running.url(CALLS), data=offer, headers=headers) as response:
            location = response.headers["Location"]
        fragment = offer.partition("a=ice-ufrag:")[2][:4]
        async with patched(running, location, offer.replace(fragment, "anew")) as response:
            assert (response.status, (await response.json())["error"]["code"]) == (
                409,
                "call_not_connected",
            )
        await leg.close()
