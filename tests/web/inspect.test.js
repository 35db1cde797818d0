import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';

import {EventLog} from '../../src/vivavoce/web/inspect/event-log.js';
import {read, redacted, write} from '../../src/vivavoce/web/inspect/recording.js';
import {Rows} from '../../src/vivavoce/web/inspect/rows.js';
import {summary} from '../../src/vivavoce/web/inspect/summary.js';
import {tapped} from '../../src/vivavoce/web/inspect/tap.js';

/** @param {string[]} lines such as `C response.create {"event_id": "e"}` */
function logOf(...lines) {
  const log = new EventLog();
  for (const line of lines) {
    const [dir, type, ...rest] = line.split(' ');
    log.add(/** @type {any} */ (dir), {type, ...JSON.parse(rest.join(' ') || '{}')}, 1000 + log.entries.length * 10);
  }
  return log;
}

/** @param {EventLog} log */
const causes = (log) => log.entries.map(({cause}) => cause);

/** @param {Rows} rows */
const shape = ({rows}) => rows.map(({first, entries}) => `${first.event.type} ×${entries.length}`);

test('times count from the first event', () => {
  assert.deepEqual(logOf('C a', 'S b', 'S c').entries.map(({t}) => t), [0, 10, 20]);
});

test('the oldest leave when there are too many, and the others keep their numbers', () => {
  const log = new EventLog({mostEntries: 20});
  for (let index = 0; index < 30; index++) log.add('S', {type: 'x', index}, index);
  assert.ok(log.entries.length <= 20);
  assert.equal(log.dropped + log.entries.length, 30);
  assert.equal(log.at(29)?.event.index, 29);
  assert.equal(log.at(0), undefined);
});

test('what has been dropped is no effect of anything', () => {
  const log = new EventLog({mostEntries: 20});
  log.add('S', {type: 'response.created', response: {id: 'r'}}, 0);
  for (let index = 1; index < 19; index++) log.add('S', {type: 'x', response_id: 'r'}, index);
  const [first] = log.entries;
  assert.equal(log.effectsOf(first).length, 18);
  for (let index = 19; index < 60; index++) log.add('S', {type: 'y'}, index);
  assert.deepEqual(log.effectsOf(first), []);
});

test('a run that grows is measured on', () => {
  const rows = new Rows();
  const audio = Buffer.alloc(4800).toString('base64');
  const log = new EventLog();
  for (const long of ['0.10', '0.20', '0.30']) {
    rows.add(log.add('C', {type: 'input_audio_buffer.append', audio}, 0));
    assert.equal(summary(rows.rows[0]), `${long} s of sound`);
  }
});

test('audio is bounded by its size, not only by the count', () => {
  const log = new EventLog({mostCharacters: 10_000});
  for (let index = 0; index < 20; index++) log.add('S', {type: 'x', delta: 'A'.repeat(1000)}, index);
  assert.ok(log.entries.length < 10);
});

test('an error is tied to the event that it names, which then has no other answer', () => {
  const log = logOf(
    'C response.create {"event_id": "a"}',
    'C response.create {"event_id": "b"}',
    'S error {"error": {"event_id": "a"}}',
    'S response.created {"response": {"id": "r"}}',
  );
  assert.deepEqual(causes(log), [null, null, 0, 1]);
});

test('a spoken turn is one chain: committed, response, and what belongs to it', () => {
  const log = logOf(
    'S input_audio_buffer.committed {"item_id": "i"}',
    'S conversation.item.added {"item": {"id": "i"}}',
    'S response.created {"response": {"id": "r"}}',
    'S response.output_audio.delta {"response_id": "r", "item_id": "j"}',
    'S conversation.item.input_audio_transcription.completed {"item_id": "i"}',
    'S response.done {"response": {"id": "r", "status": "completed"}}',
  );
  assert.deepEqual(causes(log), [null, 0, 0, 2, 1, 2]);
  assert.deepEqual(log.effectsOf(log.entries[2]).map(({number}) => number), [3, 5]);
});

test('answers come in the order of their requests', () => {
  const log = logOf('C session.update', 'C session.update', 'S session.updated', 'S session.updated', 'S session.updated');
  assert.deepEqual(causes(log), [null, null, 0, 1, null]);
});

test('a cancelled response and a tool result know what they answer', () => {
  const log = logOf(
    'C response.create',
    'S response.created {"response": {"id": "r"}}',
    'S response.output_item.done {"response_id": "r", "item": {"id": "k", "type": "function_call", "call_id": "c"}}',
    'C conversation.item.create {"item": {"type": "function_call_output", "call_id": "c"}}',
    'C response.cancel',
    'S response.done {"response": {"id": "r", "status": "cancelled"}}',
  );
  assert.deepEqual(causes(log), [null, 0, 1, 2, null, 4]);
});

test('deltas fold into one row for each kind and item, though they come mingled', () => {
  const rows = new Rows();
  rows.show(
    logOf(
      'S response.output_audio.delta {"item_id": "i"}',
      'C input_audio_buffer.append',
      'S response.output_audio_transcript.delta {"item_id": "i"}',
      'S response.output_audio.delta {"item_id": "i"}',
      'C input_audio_buffer.append',
      'S response.done {"response": {}}',
      'C input_audio_buffer.append',
    ).entries,
  );
  assert.deepEqual(shape(rows), [
    'response.output_audio.delta ×2',
    'input_audio_buffer.append ×2',
    'response.output_audio_transcript.delta ×1',
    'response.done ×1',
    'input_audio_buffer.append ×1',
  ]);
  assert.equal(rows.find(4), 1);
  assert.equal(rows.find(5), 3);
});

test('unfolded, each event has its row', () => {
  const rows = new Rows();
  rows.show(logOf('S a.delta', 'S a.delta').entries, {}, false);
  assert.equal(rows.rows.length, 2);
});

test('filters by direction, type, words and failure', () => {
  const {entries} = logOf(
    'C response.create {"event_id": "one"}',
    'S response.done {"response": {"status": "failed"}}',
    'S error {"error": {"message": "Too Loud"}}',
    'S session.updated',
  );
  const rows = new Rows();
  const left = (/** @type {any} */ filter) => {
    rows.show(entries, {text: '', dir: '', type: '', errors: false, ...filter});
    return rows.rows.map(({first}) => first.number);
  };
  assert.deepEqual(left({dir: 'C'}), [0]);
  assert.deepEqual(left({type: 'response.'}), [0, 1]);
  assert.deepEqual(left({text: 'loud too'}), [2]);
  assert.deepEqual(left({errors: true}), [1, 2]);
  assert.deepEqual(left({dir: 'S', text: '"one"'}), []);
});

test('100,000 events are filtered in no time that anyone notices, and nobody searches in audio', () => {
  const log = new EventLog({mostCharacters: Infinity});
  const audio = 'needle'.repeat(600);
  for (let index = 0; index < 100_000; index++) {
    log.add('S', {type: index % 100 ? 'response.output_audio.delta' : 'response.done', item_id: `i${index >> 8}`, delta: audio}, index);
  }
  const rows = new Rows();
  rows.show(log.entries, {text: 'needle'});
  assert.equal(rows.rows.length, 0);
  rows.show(log.entries, {text: 'i7'});
  assert.ok(rows.rows.length > 0);
});

test('a row says in one line what it is about', () => {
  const rows = new Rows();
  const said = (/** @type {string[]} */ ...lines) => {
    rows.show(logOf(...lines).entries);
    return rows.rows.map(summary);
  };
  assert.deepEqual(said('S x_transcript.delta {"delta": "Good "}', 'S x_transcript.delta {"delta": "day"}'), ['Good day']);
  const audio = Buffer.alloc(4800).toString('base64');
  assert.deepEqual(said(`S response.output_audio.delta {"delta": "${audio}"}`), ['0.10 s of sound']);
  const telephone = 'S session.updated {"session": {"audio": {"input": {"format": {"type": "audio/pcmu"}}}}}';
  const [, heard, spoken] = said(telephone, `C input_audio_buffer.append {"audio": "${audio}"}`, `S response.output_audio.delta {"delta": "${audio}"}`);
  assert.deepEqual([heard, spoken], ['0.60 s of sound', '0.10 s of sound']);
  assert.deepEqual(said('S error {"error": {"code": "bad", "message": "No."}}'), ['bad: No.']);
  assert.deepEqual(said('C conversation.item.create {"item": {"role": "user", "content": [{"text": "Hi"}]}}'), ['user: Hi']);
  assert.deepEqual(said('S response.done {"response": {"status": "completed", "usage": {"total_tokens": 5}}}'), ['completed, 5 tokens']);
});

test('what is written is read again, in milliseconds', () => {
  const log = logOf('C session.update', 'S session.updated {"session": {"id": "s"}}');
  const again = read(write(log.entries).join(''));
  assert.deepEqual(again.entries, log.entries);
});

test('a recorded session with OpenAI is read, and its turns are tied together', () => {
  const text = readFileSync(new URL('../wire/test_openai_ws__test_tool_call_round.jsonl', import.meta.url), 'utf8');
  const {entries} = read(text);
  const answered = entries.filter(({event, cause}) => event.type === 'response.created' && cause !== null);
  assert.ok(answered.length > 0);
  for (const {cause} of answered) assert.equal(entries[cause ?? 0].event.type, 'response.create');
});

test('a file that is no recording is refused with the line', () => {
  assert.throws(() => read('{"dir": "C", "event": {"type": "a"}}\nnonsense'), /Line 2: expected JSON/);
  assert.throws(() => read('{"dir": "X", "event": {"type": "a"}}'), /Line 1: expected "dir"/);
  assert.throws(() => read('{"dir": "C", "event": {}}'), /an "event" with a type/);
  assert.throws(() => read('\n'), /empty/);
});

test('no key is written', () => {
  const event = {headers: {cookie: 'x'}, tools: [{authorization: 'abc'}], text: 'my key is sk-1234567890abc, mind'};
  assert.deepEqual(redacted(event), {
    headers: {cookie: 'REDACTED'},
    tools: [{authorization: 'REDACTED'}],
    text: 'my key is REDACTED, mind',
  });
});

test('no key is written that stands in JSON within a string, and other JSON stays as it is', () => {
  const arguments_ = '{"api_key": "abc", "inner": "[{\\"headers\\": {\\"x\\": \\"y\\"}}]"}';
  const kept = JSON.parse(redacted({arguments: arguments_}).arguments);
  assert.deepEqual(kept, {api_key: 'REDACTED', inner: '[{"headers":{"x":"REDACTED"}}]'});
  for (const text of ['{ "days": 1.50 }', '[' + '['.repeat(99_999), '{no JSON']) assert.equal(redacted(text), text);
  assert.equal(redacted('{"api_key": "vv_abcdefgh1234'), '{"api_key": "REDACTED');
});

test('a connection is overheard in both directions, and its events are named', () => {
  /** @type {any[]} */
  const told = [];
  /** @type {any[]} */
  const sent = [];
  /** @type {any} */
  let network;
  const parts = tapped(/** @type {any} */ ({
    connection: (/** @type {any} */ handlers) => {
      network = handlers;
      return {open: async () => {}, close: () => {}, send: (/** @type {any} */ event) => event.type !== 'lost' && sent.push(event) > 0};
    },
  }), (dir, event) => told.push([dir, event.type]));
  /** @type {any[]} */
  const received = [];
  const line = parts.connection(/** @type {any} */ ({onevent: (/** @type {any} */ event) => received.push(event.type)}));
  line.send({type: 'response.create'});
  line.send({type: 'response.create', event_id: 'mine'});
  line.send({type: 'input_audio_buffer.append'});
  line.send({type: 'lost'});
  network.onevent({type: 'response.created'});
  assert.deepEqual(told, [['C', 'response.create'], ['C', 'response.create'], ['C', 'input_audio_buffer.append'], ['S', 'response.created']]);
  assert.deepEqual(sent.map(({event_id}) => event_id), ['console_1', 'mine', undefined]);
  assert.deepEqual(received, ['response.created']);
});
