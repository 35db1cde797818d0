import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Playback} from '../../src/vivavoce/web/playback.js';
import {roughness, sine, toPcm} from './signals.js';

const RATE = 48000;
const QUANTUM = 128;
const CHUNK = 960;
/** The roughness of a 440 Hz sine at 48 kHz with amplitude 1, and some room for the fades. */
const SMOOTH = 1.6 * (2 * Math.PI * 440 / RATE) ** 2;

/**
 * Render while chunks arrive at their times.
 * @param {Playback} playback
 * @param {{at: number, act: () => void}[]} arrivals in seconds
 * @param {number} seconds
 */
function play(playback, arrivals, seconds) {
  const rendered = new Float32Array(Math.floor((seconds * RATE) / QUANTUM) * QUANTUM);
  const due = [...arrivals].sort((a, b) => a.at - b.at);
  for (let at = 0; at < rendered.length; at += QUANTUM) {
    while (due.length && due[0].at <= at / RATE) due.shift()?.act();
    playback.render(rendered.subarray(at, at + QUANTUM));
  }
  return rendered;
}

/**
 * @param {Playback} playback
 * @param {Int16Array} samples
 * @param {(index: number) => number} time of the n-th chunk's arrival, in seconds
 */
function chunks(playback, samples, time) {
  const arrivals = [];
  let last = 0;
  for (let start = 0, index = 0; start < samples.length; start += CHUNK, index++) {
    last = Math.max(last, time(index));
    arrivals.push({at: last, act: () => playback.push('item', 0, samples.subarray(start, start + CHUNK))});
  }
  arrivals.push({at: last, act: () => playback.finish('item', 0)});
  return arrivals;
}

/** @param {Float32Array} rendered */
function sounding(rendered) {
  const first = rendered.findIndex((sample) => sample !== 0);
  const last = rendered.findLastIndex((sample) => sample !== 0);
  return rendered.subarray(first, last + 1);
}

/** Without the first and last 10 ms, where the tone itself begins and ends abruptly. @param {Float32Array} sound */
function inner(sound) {
  return sound.subarray(RATE / 100, -RATE / 100);
}

/** @param {Float32Array} samples @returns {number} the longest run of near silence, in samples */
function longestSilence(samples) {
  let longest = 0;
  let run = 0;
  for (const sample of samples) {
    run = Math.abs(sample) < 1e-4 ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}

test('chunks with 100 ms of jitter play without gap or click for a minute', () => {
  const playback = new Playback({fromRate: 24000, toRate: RATE});
  const samples = toPcm(sine(440, 24000, 60));
  const jitter = (/** @type {number} */ index) => ((index * 7919) % 101) / 1000;
  const sound = sounding(play(playback, chunks(playback, samples, (index) => index * 0.04 + jitter(index)), 61));
  assert.ok(Math.abs(sound.length / RATE - 60) < 0.01, `${sound.length / RATE} s`);
  assert.ok(longestSilence(sound) < 4);
  assert.ok(roughness(inner(sound)) < SMOOTH, `click of ${roughness(inner(sound))}`);
  assert.equal(playback.active, false);
});

test('a chunk that comes much too late makes a pause without a click, and no sample is lost', () => {
  const playback = new Playback({fromRate: 24000, toRate: RATE});
  const samples = toPcm(sine(440, 24000, 2));
  const late = chunks(playback, samples, (index) => index * 0.04 + (index > 20 ? 0.6 : 0));
  const sound = sounding(play(playback, late, 4));
  assert.ok(longestSilence(sound) > 0.3 * RATE);
  assert.ok(roughness(inner(sound)) < SMOOTH, `click of ${roughness(inner(sound))}`);
  const audible = sound.filter((sample) => Math.abs(sample) >= 1e-4).length / RATE;
  assert.ok(Math.abs(audible - 2) < 0.02, `${audible} s`);
});

test('the start buffer doubles after a pause, up to its limit', () => {
  const playback = new Playback({fromRate: 24000, toRate: RATE});
  const quantum = new Float32Array(QUANTUM);
  const seen = [playback.startSamples];
  for (let round = 0; round < 4; round++) {
    playback.push('item', 0, toPcm(sine(440, 24000, 0.6)));
    for (let at = 0; at < RATE; at += QUANTUM) playback.render(quantum);
    seen.push(playback.startSamples);
  }
  assert.deepEqual(seen, [4800, 9600, 11520, 11520, 11520]);
});

test('a short answer is played although it is less than the start buffer', () => {
  const playback = new Playback({fromRate: 24000, toRate: RATE});
  playback.push('item', 0, toPcm(sine(440, 24000, 0.05)));
  playback.finish('item', 0);
  const sound = sounding(play(playback, [], 0.2));
  assert.ok(Math.abs(sound.length / RATE - 0.05) < 0.002);
});

test('an interruption is silent after one quantum and tells what was played', () => {
  const playback = new Playback({fromRate: 24000, toRate: RATE});
  playback.push('first', 0, toPcm(sine(440, 24000, 0.5)));
  playback.push('second', 1, toPcm(sine(440, 24000, 1)));
  play(playback, [], 0.8);
  assert.deepEqual(playback.interrupt(), {item_id: 'second', content_index: 1, audio_end_ms: 300});
  const fade = new Float32Array(QUANTUM);
  playback.render(fade);
  assert.ok(fade[0] !== 0 && Math.abs(fade[QUANTUM - 1]) < 0.05);
  const after = new Float32Array(QUANTUM).fill(1);
  playback.render(after);
  assert.ok(after.every((sample) => sample === 0));
  assert.equal(playback.active, false);
});

test('what was played never exceeds what was received', () => {
  const playback = new Playback({fromRate: 24000, toRate: RATE, startSeconds: 0});
  const samples = toPcm(sine(440, 24000, 0.1));
  playback.push('item', 0, samples);
  const quantum = new Float32Array(QUANTUM);
  for (let at = 0; at < RATE; at += QUANTUM) {
    playback.render(quantum);
    assert.ok((playback.heard?.audio_end_ms ?? 0) <= 100);
  }
  assert.ok((playback.heard?.audio_end_ms ?? 0) > 90);
});

test('nothing was heard before sound, nor after its end', () => {
  const playback = new Playback({fromRate: 24000, toRate: RATE});
  assert.equal(playback.interrupt(), null);
  playback.push('item', 0, toPcm(sine(440, 24000, 0.05)));
  assert.deepEqual(playback.interrupt(), {item_id: 'item', content_index: 0, audio_end_ms: 0});
  assert.equal(playback.active, false);
  playback.push('item', 0, toPcm(sine(440, 24000, 0.05)));
  playback.finish('item', 0);
  play(playback, [], 0.2);
  assert.equal(playback.interrupt(), null);
});

test('two items follow each other without a seam', () => {
  const playback = new Playback({fromRate: 24000, toRate: RATE});
  const samples = toPcm(sine(440, 24000, 1));
  playback.push('first', 0, samples.subarray(0, 12000));
  playback.finish('first', 0);
  playback.push('second', 0, samples.subarray(12000));
  playback.finish('second', 0);
  const sound = sounding(play(playback, [], 1.2));
  assert.ok(roughness(inner(sound)) < SMOOTH);
});
