import assert from 'node:assert/strict';
import {test} from 'node:test';

import {PCM, duration} from '../../src/vivavoce/web/formats.js';
import {decode, encode, loudness, toInt16} from '../../src/vivavoce/web/pcm.js';

test('samples survive base64, little-endian', () => {
  const samples = Int16Array.of(0, 1, -1, 32767, -32768, 256);
  assert.equal(encode(samples), Buffer.from([0, 0, 1, 0, 255, 255, 255, 127, 0, 128, 0, 1]).toString('base64'));
  assert.deepEqual(decode(encode(samples)), samples);
});

test('more bytes than fit on the stack', () => {
  const samples = Int16Array.from({length: 100_000}, (_, at) => at % 30_000);
  assert.deepEqual(decode(encode(samples)), samples);
});

test('a last odd byte is left out', () => {
  assert.deepEqual(decode(Buffer.from([1, 0, 9]).toString('base64')), Int16Array.of(1));
});

test('duration counts bytes, not letters', () => {
  for (const length of [0, 1, 2, 3, 960]) assert.equal(duration(PCM, encode(new Int16Array(length))), length / 24);
});

test('floats are clipped, not wrapped', () => {
  assert.deepEqual([-2, -1, 0, 0.5, 1, 2].map(toInt16), [-32768, -32768, 0, 16384, 32767, 32767]);
});

test('loudness is the root mean square', () => {
  assert.equal(loudness(Float32Array.of(0.5, -0.5)), 0.5);
  assert.equal(loudness(new Float32Array(0)), 0);
});
