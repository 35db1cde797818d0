"""The worklets of Chromium, rendered as fast as it can: five minutes without a gap or a click, silence at once.

An `OfflineAudioContext` stands still whenever the next chunk is due, so the times are exact on any machine.
"""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

SECONDS = 300
EDGE_SECONDS = 0.01
"""What a fade takes, and the filter's ringing where the tone begins and ends abruptly."""
TOLERANCE = 1e-3
"""Rounding to 16 bits, and what the filter leaves. A lost sample is off by 0.03, a gap or a click by more."""

LIGHT = "{}web/style.css"
"""A page of the endpoint's with nothing on it."""

TONE = """
const RATE = 48000, WIRE = 24000, CHUNK = 960, LEVEL = 0.5;
const TONE = Float64Array.from({length: 1200}, (_, at) => LEVEL * Math.sin((2 * Math.PI * 440 * at) / RATE));
const wire = (from, count) => Int16Array.from({length: count}, (_, at) => 32767 * TONE[2 * (from + at) % TONE.length]);
/* How far samples are off the tone, but for the first and last `edge` of them; and how many they are. */
const compare = (samples, {first, edge, scale = 1, step = 1}) => {
  const length = samples.findLastIndex((sample) => sample !== 0) + 1 - first;
  let worst = 0;
  for (let at = edge; at < length - edge; at++) {
    worst = Math.max(worst, Math.abs(samples[first + at] / scale - TONE[(step * at) % TONE.length]));
  }
  return {worst, length};
};
const player = async (seconds) => {
  const context = new OfflineAudioContext(1, seconds * RATE, RATE);
  await context.audioWorklet.addModule('/web/player-worklet.js');
  const node = new AudioWorkletNode(context, 'vivavoce-player', {numberOfInputs: 0, outputChannelCount: [1]});
  node.connect(context.destination);
  return {context, node};
};
"""


async def test_five_minutes_play_as_they_were_sent(visit, endpoint):
    """Chunks of 40 ms, each up to 100 ms late."""
    visitor = await visit(LIGHT.format(endpoint.url))
    found = await visitor.page.evaluate(
        "async (seconds) => {"
        + TONE
        + """
          const {context, node} = await player(seconds + 1);
          const late = (index) => (index < 10 ? 0 : index % 50 === 0 ? 100 : (index * 7919) % 101);
          const chunks = new Map();
          for (let index = 0, at = 0; index < (seconds * WIRE) / CHUNK; index++) {
            at = Math.max(at, Math.ceil(((index * 40 + late(index)) * RATE) / 1000 / 128) * 128);
            chunks.set(at, [...(chunks.get(at) ?? []), index]);
          }
          const part = {item_id: 'item', content_index: 0};
          const give = (indices) => {
            for (const index of indices) {
              node.port.postMessage({type: 'audio', ...part, samples: wire(index * CHUNK, CHUNK)});
              if ((index + 1) * CHUNK === seconds * WIRE) node.port.postMessage({type: 'finish', ...part});
            }
          };
          let taken = () => {};
          node.port.onmessage = ({data}) => data.type === 'recorded' && taken();
          const arrive = async (indices) => {
            give(indices);
            node.port.postMessage({type: 'record', on: false}); // its answer says that all has been taken
            await new Promise((resolve) => (taken = resolve));
          };
          for (const [at, indices] of chunks) {
            if (at === 0) give(indices);
            else void context.suspend(at / RATE).then(async () => { await arrive(indices); return context.resume(); });
          }
          const rendered = (await context.startRendering()).getChannelData(0);
          const first = Math.floor(rendered.findIndex((sample) => sample !== 0) / 128) * 128; // it begins with a block
          return compare(rendered, {first, edge: RATE / 100});
        }""",
        SECONDS,
    )
    assert found["worst"] < TOLERANCE
    assert abs(found["length"] / 48_000 - SECONDS) < EDGE_SECONDS


async def test_an_interruption_is_heard_within_50_ms(visit, endpoint):
    visitor = await visit(LIGHT.format(endpoint.url))
    silent_ms, heard = await visitor.page.evaluate(
        "async () => {"
        + TONE
        + """
          const {context, node} = await player(3);
          node.port.postMessage({type: 'audio', item_id: 'i', content_index: 0, samples: wire(0, 3 * WIRE)});
          const at = Math.round((1.5 * RATE) / 128) * 128;
          const told = new Promise((resolve) => {
            node.port.onmessage = ({data}) => data.type === 'interrupted' && resolve(data.heard);
          });
          void context.suspend(at / RATE).then(() => {
            node.port.postMessage({type: 'interrupt', id: 1});
            return context.resume();
          });
          const rendered = (await context.startRendering()).getChannelData(0);
          const last = rendered.findLastIndex((sample) => sample !== 0);
          return [((last + 1 - at) * 1000) / RATE, await told];
        }"""
    )
    assert 0 < silent_ms < 50
    assert heard["item_id"] == "i"
    assert abs(heard["audio_end_ms"] - 1500) < 50


async def test_five_minutes_of_a_microphone_go_out_as_they_were_said(visit, endpoint):
    visitor = await visit(LIGHT.format(endpoint.url))
    found = await visitor.page.evaluate(
        "async (seconds) => {"
        + TONE
        + """
          const context = new OfflineAudioContext(1, seconds * RATE, RATE);
          await context.audioWorklet.addModule('/web/recorder-worklet.js');
          const buffer = new AudioBuffer({length: TONE.length, sampleRate: RATE});
          buffer.copyToChannel(Float32Array.from(TONE), 0);
          const source = new AudioBufferSourceNode(context, {buffer, loop: true});
          const node = new AudioWorkletNode(context, 'vivavoce-recorder', {numberOfOutputs: 0});
          source.connect(node);
          source.start();
          const sent = new Int16Array(seconds * WIRE);
          let filled = 0;
          const sizes = new Set();
          node.port.onmessage = ({data}) => {
            if (data.type !== 'frame') return;
            sizes.add(data.samples.length);
            sent.set(data.samples, filled);
            filled += data.samples.length;
          };
          await context.startRendering();
          while (filled < (seconds - 0.1) * WIRE) await new Promise((resolve) => setTimeout(resolve));
          const whole = sent.subarray(0, filled);
          return {...compare(whole, {first: 0, edge: WIRE / 100, scale: 32767, step: 2}), sizes: [...sizes]};
        }""",
        SECONDS,
    )
    assert found["sizes"] == [960], "frames of 40 ms"
    assert found["worst"] < TOLERANCE
    assert SECONDS - found["length"] / 24_000 < 0.1
