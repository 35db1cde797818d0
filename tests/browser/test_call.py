"""Call the engine from a browser: the question and the answer go as media, and what was heard is recognised."""

import base64

import numpy as np
import pytest

from tests.gateway.doubles import gateway
from vivavoce.audio.resample import resample
from vivavoce.engine.engine import Engine

from .test_voice import QUESTION, spoken, words

pytestmark = [pytest.mark.browser, pytest.mark.models, pytest.mark.asyncio(loop_scope="session")]

CALL = """async (session) => {
  const peer = new RTCPeerConnection();
  const call = window.call = {peer, events: [], states: []};
  const microphone = await navigator.mediaDevices.getUserMedia({audio: true});
  for (const track of microphone.getTracks()) peer.addTrack(track, microphone);
  const channel = call.channel = peer.createDataChannel('oai-events');
  channel.onmessage = ({data}) => call.events.push(JSON.parse(data));
  const context = new AudioContext();
  const sounds = [];
  peer.ontrack = ({track}) => {
    const stream = new MediaStream([track]);
    const player = new Audio();   // Chromium decodes a remote track only while an element plays it
    player.srcObject = stream;
    player.muted = true;
    void player.play();
    const tap = context.createScriptProcessor(4096, 1, 1);
    tap.onaudioprocess = ({inputBuffer}) => sounds.push(new Float32Array(inputBuffer.getChannelData(0)));
    context.createMediaStreamSource(stream).connect(tap);
    tap.connect(context.destination);
    call.player = player;
  };
  call.forget = () => { sounds.length = 0; };
  call.heard = () => {
    const whole = new Float32Array(sounds.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of sounds) { whole.set(piece, at); at += piece.length; }
    const bytes = new Uint8Array(whole.buffer);
    let binary = '';
    for (let i = 0; i < bytes.length; i += 32768) binary += String.fromCharCode(...bytes.subarray(i, i + 32768));
    return {rate: context.sampleRate, base64: btoa(binary)};
  };
  await peer.setLocalDescription(await peer.createOffer());
  const form = new FormData();
  form.set('sdp', peer.localDescription.sdp);
  form.set('session', JSON.stringify(session));
  const response = await fetch('/v1/realtime/calls', {method: 'POST', body: form});
  if (response.status !== 201) throw new Error(await response.text());
  call.location = response.headers.get('Location');
  await peer.setRemoteDescription({type: 'answer', sdp: await response.text()});
}"""

UNTIL = """async (kind) => {
  const seen = () => window.call.events.find(({type}) => type === kind);
  while (!seen()) await new Promise((resolve) => setTimeout(resolve, 20));
  return seen();
}"""

SESSION = {
    "type": "realtime",
    "audio": {"input": {"transcription": {"model": "whisper-1"}}},
}


@pytest.mark.parametrize("port", [{}, {"call_port": 0, "public_address": "127.0.0.1"}], ids=["own", "shared"])
async def test_a_spoken_question_is_answered_over_rtp(visit, port):
    async with gateway(Engine("small"), **port) as running:
        models = running.upstream._loaded.models
        visitor = await visit(running.url("/"), microphone=await spoken(models, QUESTION))
        page = visitor.page
        page.set_default_timeout(50_000)
        await page.evaluate(CALL, SESSION)
        created = await page.evaluate(UNTIL, "session.created")
        assert created["session"]["object"] == "realtime.session"
        asked = await page.evaluate(UNTIL, "conversation.item.input_audio_transcription.completed")
        assert "france" in words(asked["transcript"])
        said = await page.evaluate(UNTIL, "response.output_audio_transcript.done")
        await page.evaluate(UNTIL, "output_audio_buffer.stopped")
        heard = await page.evaluate("() => window.call.heard()")
        kinds = {event["type"] for event in await page.evaluate("() => window.call.events")}
        assert "output_audio_buffer.started" in kinds
        assert "response.output_audio.delta" not in kinds
        samples = np.frombuffer(base64.b64decode(heard["base64"]), "<f4")
        understood = await models.recogniser.transcribe(resample(samples, int(heard["rate"]), 16_000))
        common = set(words(understood.text)) & set(words(said["transcript"]))
        assert common, f"wrote {said['transcript']!r}, said {understood.text!r}"
        assert visitor.complaints == []
        await page.evaluate("() => window.call.peer.close()")
