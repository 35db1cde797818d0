import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';

import {read} from '../../src/vivavoce/web/inspect/recording.js';
import {clock, offset, span} from '../../src/vivavoce/web/inspect/times.js';
import {quantile, tokens} from '../../src/vivavoce/web/measure/tokens.js';
import {Turns} from '../../src/vivavoce/web/measure/turns.js';
import {encode} from '../../src/vivavoce/web/pcm.js';

/** @param {[number, string, any?][]} events `[t, 'S type', fields]` */
function measure(...events) {
  const turns = new Turns();
  for (const [t, kind, fields = {}] of events) {
    const [dir, type] = kind.split(' ');
    turns.feed(/** @type {any} */ ({dir, t, event: {type, ...fields}}));
  }
  return turns;
}

/** @param {number} t @param {number} level @returns {[number, string, any]} */
const frame = (t, level) => [t, 'C input_audio_buffer.append', {audio: encode(new Int16Array(960).fill(level))}];

test('a spoken turn counts from when the voice fell silent', () => {
  const {turns} = measure(
    frame(0, 50),
    frame(40, 8000),
    frame(80, 9000),
    frame(120, 60),
    frame(160, 40),
    [400, 'S input_audio_buffer.speech_stopped', {item_id: 'i'}],
    [410, 'S input_audio_buffer.committed', {item_id: 'i'}],
    [420, 'S response.created', {response: {id: 'r'}}],
    [500, 'S conversation.item.input_audio_transcription.completed', {item_id: 'i', transcript: 'Hello?'}],
    [600, 'S response.output_audio_transcript.delta', {response_id: 'r'}],
    [700, 'S response.output_audio.delta', {response_id: 'r'}],
    [800, 'S response.output_audio.delta', {response_id: 'r'}],
  );
  assert.equal(turns.length, 1);
  const [{anchor, spoken, stages, question}] = turns;
  assert.deepEqual([anchor, spoken, question], [80, true, 'Hello?']);
  assert.deepEqual(stages, {decided: 320, created: 340, transcript: 420, text: 520, audio: 620});
});

test('the voice falls silent in telephone audio as well', () => {
  const frame = (/** @type {number} */ t, /** @type {string} */ code) => /** @type {[number, string, any]} */ ([t, 'C input_audio_buffer.append', {audio: btoa(code.repeat(320))}]);
  const {turns} = measure(
    [0, 'S session.updated', {session: {audio: {input: {format: {type: 'audio/pcmu'}}}}}],
    frame(40, '\x8f'),
    frame(80, '\x7f'), // silence, which as PCM16 would be loud
    frame(120, '\x80'),
    frame(160, '\x7f'),
    [400, 'S input_audio_buffer.committed', {item_id: 'i'}],
    [420, 'S response.created', {response: {id: 'r'}}],
  );
  assert.equal(turns[0].anchor, 120);
});

test('a written turn counts from its response.create, and is done with its words and tokens', () => {
  const turns = measure(
    [0, 'C conversation.item.create', {item: {role: 'user', content: [{text: 'Hi'}]}}],
    [5, 'C response.create'],
    [10, 'S response.created', {response: {id: 'r'}}],
    [100, 'S response.output_audio.delta', {response_id: 'r'}],
  );
  turns.played(230);
  turns.played(300);
  turns.feed(/** @type {any} */ ({dir: 'S', t: 400, event: {
    type: 'response.done',
    response: {id: 'r', status: 'completed', usage: {total_tokens: 3}, output: [{content: [{transcript: 'Ho.'}]}]},
  }}));
  const [turn] = turns.turns;
  assert.deepEqual(turn.stages, {created: 5, audio: 95, played: 225, done: 395});
  assert.deepEqual([turn.question, turn.answer, turn.status, turn.usage.total_tokens], ['Hi', 'Ho.', 'completed', 3]);
});

test('a transcript that comes before the response, or long after it, is counted', () => {
  const {turns} = measure(
    [0, 'S input_audio_buffer.committed', {item_id: 'i'}],
    [10, 'S conversation.item.input_audio_transcription.completed', {item_id: 'i', transcript: 'One'}],
    [20, 'S response.created', {response: {id: 'r'}}],
    [30, 'S input_audio_buffer.committed', {item_id: 'j'}],
    [40, 'S response.created', {response: {id: 's'}}],
    [90, 'S conversation.item.input_audio_transcription.completed', {item_id: 'j', transcript: 'Two'}],
  );
  assert.deepEqual(turns.map(({question, stages}) => [question, stages.transcript]), [['One', 10], ['Two', 60]]);
});

test('the turns of a recorded session with OpenAI', () => {
  const turns = new Turns();
  const text = readFileSync(new URL('../wire/test_openai_ws__test_tool_call_round.jsonl', import.meta.url), 'utf8');
  for (const entry of read(text).entries) turns.feed(entry);
  assert.ok(turns.turns.length >= 2);
  assert.ok(turns.turns.every(({status, usage}) => status === 'completed' && usage.total_tokens > 0));
});

test('audio that is no base64 is silence', () => {
  assert.doesNotThrow(() => measure([0, 'C input_audio_buffer.append', {audio: '%%%'}]));
});

test('tokens are summed by modality; what is unknown counts as none', () => {
  const usage = {
    input_tokens: 30,
    output_tokens: 9,
    input_token_details: {text_tokens: 10, audio_tokens: 20, cached_tokens: 5},
    output_token_details: {text_tokens: 2, audio_tokens: 7},
  };
  const sum = tokens([usage, null, {input_tokens: 1}]);
  assert.deepEqual(sum.input, {text: 10, audio: 20, image: 0, cached: 5, total: 31});
  assert.deepEqual([sum.output.audio, sum.responses], [7, 2]);
});

test('quantiles are values that were there', () => {
  assert.equal(quantile([], 0.5), null);
  assert.equal(quantile([3, 1, 2], 0.5), 2);
  assert.equal(quantile([3, 1, 2], 0.95), 3);
});

test('times are short', () => {
  assert.deepEqual([offset(1234), offset(62_345)], ['1.234', '1:02.345']);
  assert.deepEqual([span(undefined), span(340.4), span(1250)], ['–', '340 ms', '1.25 s']);
  assert.match(clock(0), /^\d\d:\d\d:00\.000$/);
});
