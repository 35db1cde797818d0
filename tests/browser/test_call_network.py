"""A call of a real browser whose network is cut, or gone for good."""

import asyncio
import base64
from contextlib import asynccontextmanager

import numpy as np
import pytest

from benchmarks.lossy import BadNetwork
from tests.gateway.doubles import gateway

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="session")]

CALL = """async () => {
  const {Call} = await import('/web/call.js');
  const told = [];
  const states = [];
  const audio = {echoCancellation: false, noiseSuppression: false, autoGainControl: false};
  const [microphone] = (await navigator.mediaDevices.getUserMedia({audio})).getAudioTracks();
  const call = new Call(
    location.origin + '/v1/realtime/calls?model=gpt-realtime',
    {
      onevent: (event) => told.push(event),
      onstate: (state) => states.push(state),
    },
    {microphone},
  );
  window.line = {call, told, states};
  await call.open();
  call.hear(true);
  return states;
}"""

TELL = "(type) => window.line.call.send({type})"

TOLD = """async (type) => {
  while (!window.line.told.some(({event}) => event?.type === type)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}"""


class Line:
    """A call of a page through networks that can be cut, one for each answer of the gateway."""

    def __init__(self, running, page):
        self.running, self.page = running, page
        self.networks, self.asked = [], []

    async def through_a_network(self, route):
        """Pass on a request for a call, or for another way; the answer's address is that of a new network."""
        self.asked.append(route.request.method)
        answer = await route.fetch()
        body = await answer.text()
        if answer.ok and "a=candidate" in body:
            self.networks.append(BadNetwork())
            body = await self.networks[-1].between(body)
        await route.fulfill(response=answer, body=body)

    async def talk(self, word):
        """Say something in both directions."""
        await self.page.evaluate(TELL, word)
        await self.page.evaluate(TOLD, word)

    async def speak(self):
        """Wait until something is heard of what the microphone gives."""
        (session,) = self.running.upstream.sessions
        before = len(session.heard)
        async with asyncio.timeout(30):
            while not any(_loud(event) for event in session.heard[before:]):  # noqa: ASYNC110 - media has no event
                await asyncio.sleep(0.02)


def _loud(event):
    data = bytes(event) if not isinstance(event, str) else event.encode()
    if b"input_audio_buffer.append" not in data:
        return False
    audio = base64.b64decode(data.partition(b'"audio":"')[2].partition(b'"')[0])
    return np.abs(np.frombuffer(audio, "<i2")).max() > 3000


@pytest.fixture
def dial(visit):
    @asynccontextmanager
    async def begin():
        at = np.arange(60 * 48_000) / 48_000
        microphone = 0.5 * np.sin(2 * np.pi * 330 * at)
        async with gateway(call_port=0, public_address="127.0.0.1") as running:
            visitor = await visit(running.url("/ready"), microphone=microphone)  # a page that weighs nothing
            visitor.page.set_default_timeout(100_000)
            line = Line(running, visitor.page)
            await visitor.page.route("**/v1/realtime/calls**", line.through_a_network)
            try:
                assert await visitor.page.evaluate(CALL) == ["connecting", "open"]
                await line.talk("hello")
                await line.speak()
                yield line
                assert await visitor.page.evaluate("() => window.line.states") == ["connecting", "open"]
                assert len(running.upstream.sessions) == len(running.calls) == 1
                await visitor.page.evaluate("() => window.line.call.close()")
            finally:
                for network in line.networks:
                    network.close()

    return begin


async def test_a_cut_of_two_seconds_is_survived(dial):
    async with dial() as line:
        (network,) = line.networks
        network.cut = True
        await line.page.evaluate(TELL, "during")
        await asyncio.sleep(2)
        network.cut = False
        await line.page.evaluate(TOLD, "during")
        await line.talk("after")
        await line.speak()
        assert network.lost


async def test_goes_on_over_another_way_where_the_old_one_is_dead_for_ever(dial):
    async with dial() as line:
        line.networks[0].cut = True
        await line.page.evaluate(TELL, "during")
        await line.page.evaluate(TOLD, "during")
        await line.talk("after")
        await line.speak()
        assert line.asked[:2] == ["POST", "PATCH"]
        assert "POST" not in line.asked[1:]
