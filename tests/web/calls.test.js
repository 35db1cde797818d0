import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Calls} from '../../src/vivavoce/web/shape/calls.js';
import {EXAMPLE} from '../../src/vivavoce/web/shape/tools.js';

/** @param {[string, string][]} made `[call_id, name]` */
const done = (...made) => ({
  type: 'response.done',
  response: {
    status: 'completed',
    output: made.map(([call_id, name]) => ({type: 'function_call', call_id, name, arguments: '{}'})),
  },
});

const BY_HAND = {...EXAMPLE, name: 'ask', result: ''};

test('a made-up result is given at once', () => {
  const calls = new Calls();
  assert.deepEqual(calls.apply(done(['c', EXAMPLE.name]), [EXAMPLE]), [['c', EXAMPLE.result]]);
});

test('the results of one response go together, when the last was given by hand', () => {
  const calls = new Calls();
  assert.deepEqual(calls.apply(done(['c', EXAMPLE.name], ['d', 'ask']), [EXAMPLE, BY_HAND]), []);
  assert.equal(calls.calls.get('d')?.output, null);
  assert.deepEqual(calls.answer('d', 'yes'), [['c', EXAMPLE.result], ['d', 'yes']]);
  assert.deepEqual(calls.answer('d', 'again'), []);
});

test('a tool of somebody else is not for us to answer, and its result is shown', () => {
  const calls = new Calls();
  assert.deepEqual(calls.apply(done(['c', 'theirs']), [EXAMPLE]), []);
  calls.apply({type: 'conversation.item.added', item: {type: 'function_call_output', call_id: 'c', output: 'so'}}, []);
  assert.deepEqual(calls.calls.get('c'), {id: 'c', name: 'theirs', args: '{}', output: 'so', ours: false, runs: false});
});

test('what is run is begun once, and answered with what it gave', () => {
  const calls = new Calls();
  const run = {name: 'look', result: '', runs: true};
  assert.deepEqual(calls.apply(done(['c', 'look'], ['d', EXAMPLE.name]), [run, EXAMPLE]), []);
  assert.deepEqual(calls.begin().map(({id, args}) => [id, args]), [['c', '{}']]);
  assert.deepEqual(calls.begin(), []);
  assert.deepEqual(calls.answer('c', 'seen'), [['c', 'seen'], ['d', EXAMPLE.result]]);
});

test('a response that was cancelled asks for nothing', () => {
  const event = {...done(['c', EXAMPLE.name])};
  event.response.status = 'cancelled';
  assert.deepEqual(new Calls().apply(event, [EXAMPLE]), []);
});
