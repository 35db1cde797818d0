import asyncio
import base64
import json

import aiohttp
import numpy as np
import pytest

from tests.gateway.doubles import gateway
from vivavoce import RealtimeClient
from vivavoce.errors import ConnectionFailed, ConnectionLost, ProtocolError
from vivavoce.gateway.upstreams.local import LocalUpstream
from vivavoce.protocol.session_params import RealtimeSessionParams
from vivavoce.testing.engine import ScriptedEngine
from vivavoce.testing.script import Script, Turn
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
        assert refused.value.status == 401


async def test_nobody_there():
    with pytest.raises(ConnectionFailed, match="Cannot reach"):
        await PeerTransport.connect("http://127.0.0.1:9/v1")


async def test_what_is_no_audio_is_refused_here():
    async with answering(Turn(say="Hello.")) as running:
        transport = await calling(running)
        audio = base64.b64encode(b"x").decode()
        with pytest.raises(ProtocolError, match="PCM16"):
            await transport.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
        await transport.close()
        with pytest.raises(ConnectionLost):
            await transport.receive()
