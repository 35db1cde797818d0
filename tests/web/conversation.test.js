import assert from 'node:assert/strict';
import {readFileSync, readdirSync} from 'node:fs';
import {test} from 'node:test';

import {Conversation, splitAtHeard, textOf} from '../../src/vivavoce/web/conversation.js';

const WIRE = new URL('../wire/', import.meta.url);

/** @param {string} name @returns {any[]} the server's events of a recorded session */
function recorded(name) {
  return readFileSync(new URL(name, WIRE), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter((frame) => frame.dir === 'S')
    .map((frame) => frame.event);
}

/** @param {any[]} events */
function fold(events) {
  const conversation = new Conversation();
  for (const event of events) conversation.apply(event);
  return conversation;
}

/** @param {Conversation} conversation */
function lines(conversation) {
  return conversation.items.map((item) => [item.role ?? item.type, textOf(item)]);
}

for (const name of readdirSync(WIRE).filter((file) => file.endsWith('.jsonl'))) {
  test(`${name}: words are those of the last event that tells them, in the order of the links`, () => {
    const events = recorded(name);
    const conversation = fold(events);
    /** @type {Map<string, string>} */
    const words = new Map();
    for (const event of events) {
      if (event.type === 'conversation.item.input_audio_transcription.completed') {
        words.set(event.item_id, event.transcript.trim());
      }
      if (event.type !== 'conversation.item.done') continue;
      const content = (event.item.content ?? []).map((/** @type {any} */ part) => part.text ?? part.transcript ?? '');
      if (!words.has(event.item.id)) words.set(event.item.id, content.join(' ').trim());
    }
    for (const item of conversation.items) {
      if (words.has(item.id)) assert.equal(textOf(item), words.get(item.id), item.id);
    }
    const places = new Map(conversation.items.map((item, index) => [item.id, index]));
    for (const event of events.filter(({type}) => type === 'conversation.item.added')) {
      if (!places.has(event.previous_item_id)) continue;
      assert.ok((places.get(event.previous_item_id) ?? 0) < (places.get(event.item.id) ?? 0));
    }
    assert.ok(conversation.items.every((item) => item.placed));
  });
}

test('a spoken turn: the transcript that comes during the answer stands above it', () => {
  const conversation = fold(recorded('test_openai_ws__test_audio_in_server_vad_turn.jsonl'));
  assert.deepEqual(lines(conversation).slice(0, 2), [
    ['user', 'Hello, my name is Marcelo.'],
    ['assistant', 'Hello, Marcelo! Great to meet you. How can I help you today?'],
  ]);
  const [user, answer] = conversation.items;
  assert.equal(user.transcription, 'final');
  assert.ok(answer.receivedMs > 0);
});

test('at every moment the words grow from what was there', () => {
  const conversation = new Conversation();
  let seen = '';
  for (const event of recorded('test_openai_ws__test_text_in_audio_out_turn.jsonl')) {
    conversation.apply(event);
    const answer = conversation.items.find((item) => item.role === 'assistant');
    const text = answer ? textOf(answer) : '';
    assert.ok(text.startsWith(seen.trim()), `"${text}" after "${seen}"`);
    seen = text;
  }
  assert.ok(seen.length > 0);
});

test('transcripts that come before their items find them', () => {
  const delta = 'conversation.item.input_audio_transcription.delta';
  const conversation = fold([
    {type: 'input_audio_buffer.speech_started', item_id: 'u', audio_start_ms: 0},
    {type: delta, item_id: 'u', content_index: 0, delta: ' Good'},
    {type: 'conversation.item.added', previous_item_id: null, item: {id: 'a', type: 'message', role: 'assistant', status: 'in_progress', content: []}},
    {type: delta, item_id: 'u', content_index: 0, delta: ' morning'},
    {type: 'input_audio_buffer.speech_stopped', item_id: 'u', audio_end_ms: 900},
    {type: 'input_audio_buffer.committed', item_id: 'u', previous_item_id: 'a'},
    {type: 'conversation.item.added', previous_item_id: 'a', item: {id: 'u', type: 'message', role: 'user', status: 'completed', content: [{type: 'input_audio', transcript: null}]}},
  ]);
  assert.deepEqual(lines(conversation), [['assistant', ''], ['user', 'Good morning']]);
  assert.equal(conversation.items[1].transcription, 'pending');
});

test('an item that is put in the middle goes there', () => {
  const item = (/** @type {string} */ id) => ({id, type: 'message', role: 'user', status: 'completed', content: []});
  const conversation = fold([
    {type: 'conversation.item.added', previous_item_id: null, item: item('1')},
    {type: 'conversation.item.added', previous_item_id: '1', item: item('3')},
    {type: 'conversation.item.added', previous_item_id: '1', item: item('2')},
    {type: 'conversation.item.added', previous_item_id: 'unknown', item: item('4')},
  ]);
  assert.deepEqual(conversation.items.map(({id}) => id), ['1', '2', '3', '4']);
  conversation.apply({type: 'conversation.item.deleted', item_id: '2'});
  assert.deepEqual(conversation.items.map(({id}) => id), ['1', '3', '4']);
});

test('an interrupted answer is split at about the word where the sound stopped', () => {
  const audio = Buffer.alloc(48000).toString('base64');
  const conversation = fold([
    {type: 'response.output_audio_transcript.delta', item_id: 'a', content_index: 0, delta: 'one two three four'},
    {type: 'response.output_audio.delta', item_id: 'a', content_index: 0, delta: audio},
    {type: 'conversation.item.truncated', item_id: 'a', content_index: 0, audio_end_ms: 450},
  ]);
  assert.deepEqual(splitAtHeard(conversation.items[0]), ['one two', ' three four']);
  assert.equal(conversation.items[0].heardMs, 450);
});

test('telephone audio lasts longer than PCM16 of its bytes', () => {
  const conversation = fold([
    {type: 'session.updated', session: {audio: {output: {format: {type: 'audio/pcmu'}}}}},
    {type: 'response.output_audio.delta', item_id: 'a', content_index: 0, delta: Buffer.alloc(8000).toString('base64')},
    {type: 'session.updated', session: {audio: {output: {format: {type: 'audio/pcm', rate: 24_000}}}}},
    {type: 'response.output_audio.delta', item_id: 'b', content_index: 0, delta: Buffer.alloc(48_000).toString('base64')},
  ]);
  assert.deepEqual(conversation.items.map(({receivedMs}) => receivedMs), [1000, 1000]);
});

test('a failed transcription stays failed', () => {
  const conversation = fold([
    {type: 'input_audio_buffer.committed', item_id: 'u', previous_item_id: null},
    {type: 'conversation.item.input_audio_transcription.failed', item_id: 'u', content_index: 0, error: {message: 'no'}},
    {type: 'conversation.item.done', item: {id: 'u', type: 'message', role: 'user', status: 'completed', content: [{type: 'input_audio', transcript: null}]}},
  ]);
  assert.equal(conversation.items[0].transcription, 'failed');
});

test('a new session leaves nothing under way', () => {
  const conversation = fold([
    {type: 'response.output_audio_transcript.delta', item_id: 'a', content_index: 0, delta: 'half a'},
    {type: 'input_audio_buffer.speech_started', item_id: 'u', audio_start_ms: 0},
  ]);
  conversation.settle();
  assert.deepEqual(lines(conversation), [['assistant', 'half a']]);
  assert.equal(conversation.items[0].status, 'incomplete');
});

test('events that it does not know change nothing', () => {
  const conversation = new Conversation();
  for (const type of ['rate_limits.updated', 'constructor', '__proto__', 'new.event']) {
    assert.equal(conversation.apply({type}), false);
  }
  assert.deepEqual(conversation.items, []);
});

test('memory is bounded: the oldest items leave', () => {
  const conversation = new Conversation();
  for (let index = 0; index < 1200; index++) {
    conversation.apply({type: 'response.output_text.delta', item_id: `i${index}`, content_index: 0, delta: 'x'});
  }
  assert.equal(conversation.items.length, 1000);
  assert.equal(conversation.items[0].id, 'i200');
});
