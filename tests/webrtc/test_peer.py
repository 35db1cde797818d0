import asyncio
import base64
import json
from contextlib import asynccontextmanager

import aiohttp
import numpy as np
import pytest

from benchmarks.lossy import BadNetwork
from tests.gateway.doubles import ScriptedUpstream, gateway
from vivavoce import RealtimeClient
from vivavoce.errors import ConnectionFailed, ConnectionLost, ProtocolError
from vivavoce.gateway.upstreams.local import LocalUpstream
from vivavoce.protocol.session_params import RealtimeSessionParams
from vivavoce.testing.engine import ScriptedEngine
from vivavoce.testing.script import Script, Turn
from vivavoce.webrtc import peer as module
from vivavoce.webrtc.leg import Leg
from vivavoce.webrtc.peer import PeerTransport


def answering(*turns):
    return gateway(LocalUpstream(ScriptedEngine(Script(turns=[*turns]))))


def calling(running, **kwargs):
    return PeerTransport.connect(running.url("/v1"), **kwargs)


class Speaker:
    """Hears everything at once."""

    def __init__(self):
        self.samples = []

    @property
    def heard(self):
        return sum(map(len, self.samples))

    def play(self, samples):
        self.samples.append(samples)

    def clear(self):
        self.samples.clear()


async def test_a_client_talks_over_a_call_as_over_a_websocket():
    speaker = Speaker()
    async with (
        answering(Turn(expect="How are you?", say="Very well, thank you.")) as running,
        RealtimeClient(transport=lambda: calling(running), speaker=speaker) as client,
    ):
        stopped = asyncio.Event()
        client.on("output_audio_buffer.stopped", lambda _: stopped.set())
        reply = await client.send_text("How are you?")
        response = await reply
        assert response.status == "completed"
        assert client.conversation.items[-1].transcript == "Very well, thank you."
        async with asyncio.timeout(20):
            await stopped.wait()
        assert np.abs(np.concatenate(speaker.samples)).max() > 0.05


def says_a_second(data):
    """Answer ``response.create`` with a second of sound, as the response that it names."""
    asked = json.loads(data)
    if asked["type"] != "response.create":
        return []
    name, pcm = asked["event_id"], (8000 * np.sin(np.arange(24_000) / 9)).astype("<i2").tobytes()
    item = {
        "id": f"item_{name}",
        "type": "message",
        "role": "assistant",
        "content": [],
        "status": "completed",
    }
    response = {"object": "realtime.response", "id": name, "status": "completed", "output": []}
    where = {"response_id": name, "output_index": 0}
    speech = {"item_id": item["id"], "content_index": 0, "delta": base64.b64encode(pcm).decode()}
    events = [
        {"type": "response.output_item.added", **where, "item": item},
        {"type": "response.output_audio.delta", **where, **speech},
        {"type": "response.done", "response": response},
    ]
    return [{"event_id": "event_1", **event} for event in events]


async def hear_out(transport, response, then="stopped"):
    """Return what is heard until an answer has stopped, or been cleared."""
    heard = []
    async with asyncio.timeout(30):
        while (event := json.loads(await transport.receive()))["type"] != f"output_audio_buffer.{then}":
            if event["type"] == "response.output_audio.delta":
                assert (event["response_id"], event["item_id"]) == (response, f"item_{response}")
                heard.append(np.frombuffer(base64.b64decode(event["delta"]), "<i2"))
    assert event["response_id"] == response
    return np.concatenate([*heard, np.zeros(0, np.int16)])


def create(name):
    return json.dumps({"type": "response.create", "event_id": name})


async def test_an_answer_is_heard_to_its_end_and_the_next_from_its_beginning(monkeypatch):
    monkeypatch.setattr(module, "LAST_SECONDS", 10.0)  # of a machine that is busy with something else
    async with gateway(ScriptedUpstream(reply=says_a_second)) as running:
        transport = await calling(running)
        for name in ("first", "second"):
            await transport.send(create(name))
            heard = await hear_out(transport, name)
            loud = np.flatnonzero(np.abs(heard.astype(int)) > 500)
            assert len(loud) > 0.9 * 24_000
            assert loud[-1] - loud[0] > 0.99 * 24_000
            assert loud[0] < 0.1 * 24_000
            assert len(heard) < 1.3 * 24_000
            await asyncio.sleep(0.3)  # a pause between the two
        await transport.close()


async def test_where_the_last_of_an_answer_is_lost_it_has_stopped_nevertheless(monkeypatch):
    monkeypatch.setattr(module, "LAST_SAMPLES", 10 * 24_000)
    monkeypatch.setattr(module, "LAST_SECONDS", 0.0)
    async with gateway(ScriptedUpstream(reply=says_a_second)) as running:
        transport = await calling(running)
        await transport.send(create("only"))
        await hear_out(transport, "only")
        await transport.close()


async def test_what_is_silenced_is_so_at_once():
    async with gateway(ScriptedUpstream(reply=says_a_second)) as running:
        transport = await calling(running)
        await transport.send(create("only"))
        await until_told(transport, "output_audio_buffer.started")
        await transport.send(json.dumps({"type": "output_audio_buffer.clear"}))
        await hear_out(transport, "only", then="cleared")
        transport._heard(np.ones(480, np.int16))
        assert transport._events.empty()
        await transport.close()


async def test_speech_goes_out_at_its_own_pace_and_is_understood():
    async with answering(Turn(hear="Hello there.", say="Hello.")) as running:
        transport = await calling(running)
        async with RealtimeClient(transport=lambda: transport) as client:
            assert transport.call_id.startswith("rtc_")
            heard = asyncio.Event()
            client.on("conversation.item.input_audio_transcription.completed", lambda _: heard.set())
            await client.update_session(transcription="whisper-1", turn_detection="server_vad")
            at = np.arange(24_000) / 24_000
            speech = (0.5 * np.sin(2 * np.pi * 220 * at)).astype(np.float32)
            await client.send_audio(np.concatenate([speech, np.zeros(24_000, np.float32)]))
            async with asyncio.timeout(20):
                await heard.wait()


async def test_begins_with_the_session_that_is_asked_for():
    async with answering(Turn(say="Hello.")) as running:
        session = RealtimeSessionParams(instructions="Be brief.")
        async with RealtimeClient(transport=lambda: calling(running, session=session)) as client:
            assert (await client.update_session(voice="sage")).instructions == "Be brief."


async def test_a_refusal_says_why():
    async with answering(Turn(say="Hello.")) as running, aiohttp.ClientSession() as http:
        with pytest.raises(ConnectionFailed, match="401") as refused:
            await calling(running, api_key="ek_unknown", http=http)
        assert (refused.value.status, refused.value.code) == (401, "invalid_api_key")


async def test_nobody_there():
    with pytest.raises(ConnectionFailed, match="Cannot reach"):
        await PeerTransport.connect("http://127.0.0.1:9/v1")


async def freed(running):
    """Wait until no call holds a place any more."""
    async with asyncio.timeout(20):
        while len(running.sessions):  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)


async def test_a_call_that_is_given_up_before_it_came_about_frees_its_place(monkeypatch):
    monkeypatch.setattr("vivavoce.webrtc.leg.CONNECT_SECONDS", 600)
    async with gateway() as running:
        transport = await calling(running)
        await transport.close()
        await freed(running)


@pytest.mark.parametrize("why", [asyncio.CancelledError, ConnectionFailed])
async def test_so_does_one_whose_answer_is_not_taken(monkeypatch, why):
    monkeypatch.setattr("vivavoce.webrtc.leg.CONNECT_SECONDS", 600)
    accept = Leg.accept

    async def instead(leg, answer):
        if why is asyncio.CancelledError:
            raise why
        await accept(leg, "no SDP")

    async with gateway() as running:
        monkeypatch.setattr(Leg, "accept", instead)
        with pytest.raises(why):
            await calling(running)
        await freed(running)


async def test_what_is_no_audio_is_refused_here():
    async with answering(Turn(say="Hello.")) as running:
        transport = await calling(running)
        audio = base64.b64encode(b"x").decode()
        with pytest.raises(ProtocolError, match="PCM16"):
            await transport.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
        await transport.close()
        with pytest.raises(ConnectionLost):
            await transport.receive()


class Shaky:
    """A session for HTTP whose calls go through networks that can be cut, one for each answer."""

    closed = False

    def __init__(self, http):
        self._http = http
        self.networks, self.asked = [], []

    @asynccontextmanager
    async def request(self, method, url, **kwargs):
        self.asked.append(method)
        async with self._http.request(method, url, **kwargs) as response:
            text = await response.text()
            if response.ok:
                self.networks.append(BadNetwork())
                text = await self.networks[-1].between(text)

            async def read():
                return text

            response.text = read
            yield response


@asynccontextmanager
async def shaky(running):
    async with aiohttp.ClientSession() as http:
        shaky = Shaky(http)
        transport = await calling(running, http=shaky)
        yield shaky, transport
        await transport.close()
        for network in shaky.networks:
            network.close()


async def until_told(transport, kind):
    async with asyncio.timeout(50):
        while (event := json.loads(await transport.receive()))["type"] != kind:
            pass
    return event


UPDATE = json.dumps({"type": "session.update", "session": {"type": "realtime", "instructions": "Be brief."}})

ONE_PORT = {"call_port": 0, "public_address": "127.0.0.1"}


async def test_a_cut_of_two_seconds_is_survived():
    upstream = LocalUpstream(ScriptedEngine(Script(turns=[])))
    async with gateway(upstream, **ONE_PORT) as running, shaky(running) as (http, transport):
        await until_told(transport, "session.created")
        http.networks[0].cut = True
        await transport.send(UPDATE)
        await asyncio.sleep(2)
        http.networks[0].cut = False
        await until_told(transport, "session.updated")
        assert http.networks[0].lost
        assert len(running.calls) == 1


async def test_goes_on_over_another_way_where_the_old_one_is_dead_for_ever(monkeypatch):
    monkeypatch.setattr("vivavoce.webrtc.peer.LOOK_SECONDS", 0.1)
    upstream = LocalUpstream(ScriptedEngine(Script(turns=[])))
    async with gateway(upstream, **ONE_PORT) as running, shaky(running) as (http, transport):
        await until_told(transport, "session.created")
        for _ in range(2):
            http.networks[-1].cut = True
            await transport.send(UPDATE)
            await until_told(transport, "session.updated")
        assert http.asked == ["POST", "PATCH", "PATCH"]
        assert len(running.calls) == 1


async def test_an_endpoint_that_knows_no_other_way_is_asked_once(monkeypatch):
    monkeypatch.setattr("vivavoce.webrtc.peer.LOOK_SECONDS", 0.1)
    upstream = LocalUpstream(ScriptedEngine(Script(turns=[])))
    async with gateway(upstream, **ONE_PORT) as running, shaky(running) as (http, transport):
        await until_told(transport, "session.created")
        transport._signalling.call_id = "rtc_unknown"
        http.networks[0].cut = True
        async with asyncio.timeout(30):
            while transport._leg._tasks - waiting(transport):  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.05)
        assert http.asked == ["POST", "PATCH"]
        http.networks[0].cut = False
        await transport.send(UPDATE)
        await until_told(transport, "session.updated")


def waiting(transport):
    """Return what a leg does besides looking for another way."""
    return {task for task in transport._leg._tasks if "_mend" not in task.get_coro().__qualname__}
