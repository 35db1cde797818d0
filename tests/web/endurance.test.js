/**
 * Five minutes without a gap or a click, sample by sample: what is rendered is the tone that was sent, and nothing else.
 *
 * Chunks of 40 ms come in order, each up to 100 ms late, from a sender whose clock is not the sound card's.
 */

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Playback} from '../../src/vivavoce/web/playback.js';
import {Resampler} from '../../src/vivavoce/web/resampler.js';

const WIRE = 24000;
const CARD = 48000;
const QUANTUM = 128;
const CHUNK = 960;
const SECONDS = 300;
const LEVEL = 0.5;

/** Samples of a fade, and of what the filter rings where the tone begins and ends abruptly. */
const EDGE = 0.01;

/** Rounding to 16 bits, and what the filter leaves. A sample that is lost is off by 0.03, a gap or a click by more. */
const TOLERANCE = 1e-3;

/** Eleven periods of 440 Hz at 48 kHz; every second sample is the same at 24 kHz. */
const TONE = Float64Array.from({length: 1200}, (_, at) => LEVEL * Math.sin((2 * Math.PI * 440 * at) / CARD));

/** @param {number} index @returns {Int16Array} the n-th chunk of the tone */
function chunkOf(index) {
  return Int16Array.from({length: CHUNK}, (_, at) => Math.round(32767 * TONE[(2 * (index * CHUNK + at)) % TONE.length]));
}

/** Milliseconds by which the n-th chunk is late: the first come at once, others as late as may be. @param {number} index */
const lateness = (index) => (index < 10 ? 0 : index % 50 === 0 ? 100 : (index * 7919) % 101);

/**
 * Render what comes, each sample compared with the tone.
 * @param {number} drift of the sound card's clock against the sender's: 0.0001 when it is faster by 100 ppm
 * @returns {{worst: number, seconds: number}} how far any sample is off, and how long there was sound
 */
function hear(drift) {
  const playback = new Playback({fromRate: WIRE, toRate: CARD});
  const quantum = new Float32Array(QUANTUM);
  const chunks = (SECONDS * WIRE) / CHUNK;
  let chunk = 0;
  let arrival = 0;
  let begun = -1;
  let last = 0;
  let worst = 0;
  for (let at = 0; at < (SECONDS + 1) * CARD; at += QUANTUM) {
    const now = (at / CARD) * 1000 * (1 - drift);
    for (; chunk < chunks && (arrival = Math.max(arrival, chunk * 40 + lateness(chunk))) <= now; chunk++) {
      playback.push('item', 0, chunkOf(chunk));
      if (chunk === chunks - 1) playback.finish('item', 0);
    }
    playback.render(quantum);
    if (begun < 0 && playback.state === 'playing') begun = at;
    for (let index = 0; begun >= 0 && index < QUANTUM; index++) {
      const time = (at + index - begun) / CARD;
      if (quantum[index] !== 0) last = time;
      if (time < EDGE || time > SECONDS - EDGE) continue;
      worst = Math.max(worst, Math.abs(quantum[index] - TONE[(at + index - begun) % TONE.length]));
    }
  }
  return {worst, seconds: last};
}

for (const drift of [1e-4, -1e-4]) {
  test(`five minutes are heard as they were sent by a sound card that is ${drift * 1e6} ppm fast`, () => {
    const {worst, seconds} = hear(drift);
    assert.ok(worst < TOLERANCE, `off by ${worst}`);
    assert.ok(Math.abs(seconds - SECONDS) < EDGE, `${seconds} s`);
  });
}

test('five minutes of a microphone go out as they were said', () => {
  const resampler = new Resampler(CARD, WIRE);
  const block = new Float32Array(QUANTUM);
  let told = 0;
  let worst = 0;
  for (let at = 0; at < SECONDS * CARD; at += QUANTUM) {
    for (let index = 0; index < QUANTUM; index++) block[index] = TONE[(at + index) % TONE.length];
    for (const sample of resampler.process(block)) {
      if (told > EDGE * WIRE) worst = Math.max(worst, Math.abs(sample - TONE[(2 * told) % TONE.length]));
      told++;
    }
  }
  assert.ok(worst < TOLERANCE, `off by ${worst}`);
  assert.ok(SECONDS * WIRE - told < EDGE * WIRE, `${told} samples`);
});
