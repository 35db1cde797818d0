import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Resampler} from '../../src/vivavoce/web/resampler.js';
import {sine, levelAt} from './signals.js';

/** @param {Resampler} resampler @param {Float32Array} input @param {number} block */
function stream(resampler, input, block) {
  const output = [];
  for (let start = 0; start < input.length; start += block) {
    output.push(...resampler.process(input.subarray(start, start + block)));
  }
  return Float32Array.from(output);
}

for (const [from, to] of [[48000, 24000], [44100, 24000], [16000, 24000], [24000, 48000], [24000, 44100], [96000, 24000]]) {
  test(`${from} to ${to}: a tone keeps its pitch, level and time`, () => {
    const output = stream(new Resampler(from, to), sine(1000, from, 0.5), 128);
    assert.ok(Math.abs(output.length - to / 2) < to * 0.006, `${output.length} samples`);
    const expected = sine(1000, to, output.length / to);
    let worst = 0;
    for (let at = Math.round(to * 0.01); at < output.length; at++) {
      worst = Math.max(worst, Math.abs(output[at] - expected[at]));
    }
    assert.ok(worst < 2e-4, `off by ${worst}`);
  });
}

test('what lies above the new Nyquist frequency does not fold back', () => {
  const output = stream(new Resampler(48000, 24000), sine(15000, 48000, 0.5), 128).subarray(240);
  assert.ok(levelAt(output, 9000, 24000) < 1e-4, 'alias at 9 kHz');
  assert.ok(output.every((sample) => Math.abs(sample) < 1e-4));
});

test('speech up to 9.5 kHz passes within half a decibel', () => {
  for (const frequency of [100, 3000, 8000, 9500]) {
    const output = stream(new Resampler(48000, 24000), sine(frequency, 48000, 0.5), 128).subarray(240);
    const decibels = 20 * Math.log10(levelAt(output, frequency, 24000));
    assert.ok(Math.abs(decibels) < 0.5, `${frequency} Hz at ${decibels} dB`);
  }
});

test('blocks of any length give the same samples', () => {
  const input = sine(777, 44100, 0.2);
  const whole = stream(new Resampler(44100, 24000), input, input.length);
  for (const block of [1, 7, 128, 1000]) assert.deepEqual(stream(new Resampler(44100, 24000), input, block), whole);
});

test('equal rates change nothing', () => {
  const input = sine(500, 24000, 0.1);
  assert.deepEqual(stream(new Resampler(24000, 24000), input, 128), input);
});

test('a rate that is none is refused', () => {
  assert.throws(() => new Resampler(0, 24000), /whole samples per second, got 0 and 24000/);
  assert.throws(() => new Resampler(44100.5, 24000), RangeError);
});
