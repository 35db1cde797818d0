import assert from 'node:assert/strict';
import {test} from 'node:test';

import {encode} from '../../src/vivavoce/web/pcm.js';
import {Sounds} from '../../src/vivavoce/web/sounds.js';

/** @param {number} level of a frame of 40 ms */
const frame = (level) => encode(new Int16Array(960).fill(level));

/** @param {Sounds} sounds @param {string} id */
const levels = (sounds, id) => [...new Set(Array.from(sounds.of(id), (sample) => Math.round(sample * 32768)))];

test('an answer is heard again as it came', () => {
  const sounds = new Sounds();
  sounds.apply('S', {type: 'response.output_audio.delta', item_id: 'a', delta: frame(100)});
  sounds.apply('S', {type: 'response.output_audio.delta', item_id: 'a', delta: frame(200)});
  assert.deepEqual(levels(sounds, 'a'), [100, 200]);
  assert.equal(sounds.of('a').length, 1920);
  sounds.apply('S', {type: 'conversation.item.deleted', item_id: 'a'});
  assert.equal(sounds.has('a'), false);
  assert.equal(sounds.of('a').length, 0);
});

test('a turn that was held is all since the one before', () => {
  const sounds = new Sounds();
  sounds.apply('S', {type: 'session.created'});
  sounds.apply('C', {type: 'input_audio_buffer.append', audio: frame(1)});
  sounds.apply('S', {type: 'input_audio_buffer.committed', item_id: 'a'});
  sounds.apply('C', {type: 'input_audio_buffer.append', audio: frame(2)});
  sounds.apply('S', {type: 'input_audio_buffer.cleared'});
  sounds.apply('C', {type: 'input_audio_buffer.append', audio: frame(3)});
  sounds.apply('S', {type: 'input_audio_buffer.committed', item_id: 'b'});
  assert.deepEqual([levels(sounds, 'a'), levels(sounds, 'b')], [[1], [3]]);
});

test('hands-free, a turn is what the server heard, though more was sent before it said so', () => {
  const sounds = new Sounds();
  for (const level of [1, 2, 3, 4, 5]) sounds.apply('C', {type: 'input_audio_buffer.append', audio: frame(level)});
  sounds.apply('S', {type: 'input_audio_buffer.speech_started', item_id: 'a', audio_start_ms: 40});
  sounds.apply('S', {type: 'input_audio_buffer.speech_stopped', item_id: 'a', audio_end_ms: 120});
  sounds.apply('S', {type: 'input_audio_buffer.committed', item_id: 'a'});
  assert.deepEqual(levels(sounds, 'a'), [2, 3]);
});

test('the oldest go when there is too much, and what is no sound is none', () => {
  const sounds = new Sounds();
  const minute = encode(new Int16Array(24_000 * 60));
  for (let at = 0; at < 22; at++) sounds.apply('S', {type: 'response.output_audio.delta', item_id: `i${at}`, delta: minute});
  assert.deepEqual([sounds.has('i0'), sounds.has('i1'), sounds.has('i2'), sounds.has('i21')], [false, false, true, true]);
  sounds.apply('S', {type: 'response.output_audio.delta', item_id: 'x', delta: '%%%'});
  assert.equal(sounds.has('x'), false);
});
