import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Turns} from '../../src/vivavoce/web/measure/turns.js';
import {KNOWN} from '../../src/vivavoce/web/measure/price-list.js';
import {FREE, Prices, cost, isFree, money} from '../../src/vivavoce/web/measure/prices.js';

/** A browser's storage. @param {string | null} [kept] */
function keeper(kept = null) {
  return {kept, getItem: () => keeping.kept, setItem: (/** @type {string} */ _key, /** @type {string} */ value) => (keeping.kept = value)};
}
let keeping = keeper();

const PRICE = {...FREE, text: 4, text_cached: 0.4, text_output: 24, audio: 32, audio_cached: 0.4, audio_output: 64, image: 5, image_cached: 0.5};

test('each kind of token has its price, and cached ones are not paid twice', () => {
  const usage = {
    input_tokens: 1600,
    input_token_details: {
      text_tokens: 1000, audio_tokens: 500, image_tokens: 100, cached_tokens: 650,
      cached_tokens_details: {text_tokens: 400, audio_tokens: 200, image_tokens: 50},
    },
    output_tokens: 300,
    output_token_details: {text_tokens: 100, audio_tokens: 200},
  };
  const read = 600 * 4 + 400 * 0.4 + 300 * 32 + 200 * 0.4 + 50 * 5 + 50 * 0.5;
  assert.ok(Math.abs(cost(usage, PRICE) - (read + 100 * 24 + 200 * 64) / 1e6) < 1e-12);
  assert.equal(cost(usage, FREE), 0);
});

test('tokens of unknown kind are text, and what is no number is none', () => {
  assert.equal(cost({input_tokens: 1e6, output_tokens: 1e6}, PRICE), 28);
  assert.equal(cost({input_token_details: {text_tokens: 1e6, cached_tokens: 1e6}}, PRICE), 0.4);
  assert.equal(cost({input_token_details: {text_tokens: 10, cached_tokens_details: {text_tokens: 99}}}, PRICE) * 1e6, 4);
  assert.equal(cost({input_token_details: {audio_tokens: 'many'}}, PRICE), 0);
});

test('what is known says whence and when; a snapshot costs what its model does', () => {
  const prices = new Prices();
  assert.deepEqual(prices.of('gpt-realtime-2.1-2026-05-01'), KNOWN['gpt-realtime-2.1']);
  assert.match(prices.source('gpt-realtime-2.1'), /OpenAI’s page of this model, \d{4}-\d{2}/);
  for (const name of ['', 'llama', 'constructor', '__proto__']) assert.equal(prices.of(name), null, name);
  assert.match(prices.source('llama'), /Nobody has told/);
});

test('the user’s own prices count before others, and are kept', () => {
  keeping = keeper();
  const prices = new Prices(keeping);
  prices.set('llama', 'text', 0.5);
  prices.set('gpt-realtime-2.1', 'audio', 30);
  const again = new Prices(keeping);
  assert.deepEqual(again.of('llama'), {...FREE, text: 0.5});
  assert.deepEqual(again.of('gpt-realtime-2.1'), {...KNOWN['gpt-realtime-2.1'], audio: 30});
  assert.equal(again.isOwn('llama'), true);
  again.reset('llama');
  assert.equal(new Prices(keeping).of('llama'), null);
  for (const wrong of [-1, NaN, Infinity]) assert.throws(() => prices.set('llama', 'text', wrong), /0 or more/);
});

test('what somebody else kept there is no price', () => {
  for (const kept of ['nonsense', 'null', '{"llama": {"text": 1}}', '{"llama": null}', '[3]']) {
    keeping = keeper(kept);
    assert.equal(new Prices(keeping).of('llama'), null, kept);
  }
  const full = {getItem: () => null, setItem: () => { throw new Error('full'); }};
  const prices = new Prices(full);
  prices.set('llama', 'text', 1);
  assert.equal(prices.of('llama')?.text, 1);
});

test('small sums are told to a hundredth of a cent', () => {
  assert.deepEqual([null, 0, 0.00341, 0.5, 12.345].map(money), ['–', '$0.00', '$0.0034', '$0.5000', '$12.35']);
});

test('only a server on which the engine answers alone is free', async () => {
  const ask = (/** @type {any} */ health) => isFree('http://here', /** @type {any} */ (async () => ({json: async () => health})));
  assert.equal(await ask({engine: {profile: 'small'}}), true);
  assert.equal(await ask({engine: {}, upstreams: [{address: 'a'}]}), false);
  assert.equal(await ask({status: 'ready'}), false);
  assert.equal(await ask(null), false);
});

test('a turn knows the model of its session', () => {
  const turns = new Turns();
  const feed = (/** @type {any} */ event) => turns.feed(/** @type {any} */ ({dir: 'S', t: 0, event}));
  feed({type: 'session.created', session: {model: 'gpt-realtime-2.1'}});
  feed({type: 'response.created', response: {id: 'r'}});
  assert.equal(turns.turns[0].model, 'gpt-realtime-2.1');
});
