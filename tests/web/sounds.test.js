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

/** @param {Sounds} sounds @param {number} level a frame of 40 ms that the microphone of a call gives */
const speak = (sounds, level) => sounds.take('C', new Int16Array(960).fill(level));

test('in a call, the microphone and what is heard come beside the events', () => {
  const sounds = new Sounds();
  sounds.apply('S', {type: 'session.created'});
  for (const level of [1, 2, 3, 4, 5]) {
    sounds.apply('C', {type: 'input_audio_buffer.append', audio: ''});
    speak(sounds, level);
  }
  sounds.apply('S', {type: 'input_audio_buffer.speech_started', item_id: 'u', audio_start_ms: 40});
  sounds.apply('S', {type: 'input_audio_buffer.speech_stopped', item_id: 'u', audio_end_ms: 120});
  sounds.apply('S', {type: 'input_audio_buffer.committed', item_id: 'u'});
  sounds.apply('S', {type: 'response.output_item.added', response_id: 'r', item: {type: 'message', id: 'a'}});
  sounds.take('S', new Int16Array(960).fill(999));
  sounds.apply('S', {type: 'output_audio_buffer.started', response_id: 'r'});
  sounds.take('S', new Int16Array(960).fill(500));
  assert.deepEqual([levels(sounds, 'u'), levels(sounds, 'a')], [[2, 3], [500]]);
});

test("a call's server that counts otherwise is understood by when it speaks", () => {
  const sounds = new Sounds();
  sounds.apply('S', {type: 'session.created'});
  for (let at = 0; at < 100; at++) speak(sounds, at < 80 ? 1 : 2);
  // 20 frames are the 0.8 s from the beginning of speech to when one is told
  sounds.apply('S', {type: 'input_audio_buffer.speech_started', item_id: 'u', audio_start_ms: 90_000});
  for (let at = 0; at < 20; at++) speak(sounds, 3);
  sounds.apply('S', {type: 'input_audio_buffer.speech_stopped', item_id: 'u', audio_end_ms: 91_600});
  sounds.apply('S', {type: 'input_audio_buffer.committed', item_id: 'u'});
  assert.deepEqual(levels(sounds, 'u'), [2, 3]);
  assert.equal(sounds.of('u').length, 1.6 * 24_000);
  for (let at = 0; at < 10; at++) speak(sounds, 4);
  sounds.apply('S', {type: 'input_audio_buffer.speech_started', item_id: 'v', audio_start_ms: 91_600});
  sounds.apply('S', {type: 'input_audio_buffer.committed', item_id: 'v'});
  assert.deepEqual(levels(sounds, 'v'), [4]);
});

test('a turn begins where the buffer was cleared, though the server says so later', () => {
  const sounds = new Sounds();
  speak(sounds, 1);
  sounds.apply('C', {type: 'input_audio_buffer.clear'});
  speak(sounds, 2);
  sounds.apply('S', {type: 'input_audio_buffer.cleared'});
  speak(sounds, 3);
  sounds.apply('S', {type: 'input_audio_buffer.committed', item_id: 'u'});
  assert.deepEqual(levels(sounds, 'u'), [2, 3]);
});

test('telephone audio is heard again at its pitch', () => {
  const sounds = new Sounds();
  const formats = {input: {format: {type: 'audio/pcmu'}}, output: {format: {type: 'audio/pcma'}}};
  sounds.apply('S', {type: 'session.updated', session: {audio: formats}});
  const pcmu = btoa('\x8f'.repeat(800)); // a hundred milliseconds of 16764
  const pcma = btoa('\xa5'.repeat(800)); // and of 16896
  sounds.apply('C', {type: 'input_audio_buffer.append', audio: pcmu});
  sounds.apply('C', {type: 'input_audio_buffer.append', audio: pcmu});
  sounds.apply('S', {type: 'input_audio_buffer.committed', item_id: 'u'});
  sounds.apply('S', {type: 'response.output_audio.delta', item_id: 'a', delta: pcma});
  sounds.apply('S', {type: 'response.output_audio.delta', item_id: 'a', delta: pcma});
  for (const [id, level] of /** @type {const} */ ([['u', 16_764], ['a', 16_896]])) {
    const heard = sounds.of(id);
    assert.ok(Math.abs(heard.length - 4800) < 200, `${heard.length} samples`);
    for (const sample of heard.subarray(300)) assert.ok(Math.abs(sample * 32768 - level) < 20, `${sample * 32768}`);
  }
});
