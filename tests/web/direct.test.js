import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Direct} from '../../src/vivavoce/web/direct.js';

const KEY = 'sk-very-secret-1234';

/** A browser's storage. */
function storage() {
  /** @type {Map<string, string>} */
  const kept = new Map();
  return {
    kept,
    getItem: (/** @type {string} */ name) => kept.get(name) ?? null,
    setItem: (/** @type {string} */ name, /** @type {string} */ value) => void kept.set(name, value),
    removeItem: (/** @type {string} */ name) => void kept.delete(name),
  };
}

test('a key is kept in the tab, and in the browser only if that is asked for', async () => {
  const [tab, browser] = [storage(), storage()];
  const direct = new Direct(tab, browser);
  direct.use({address: 'https://api.openai.com/v1', key: KEY});
  assert.equal(browser.kept.size, 0);
  assert.deepEqual([direct.address, direct.host, await direct.key()], ['https://api.openai.com/v1', 'api.openai.com', KEY]);
  const again = new Direct(tab, browser);
  assert.deepEqual([again.address, again.lasting, await again.key()], ['https://api.openai.com/v1', false, KEY]);
  again.use({address: 'wss://voice.example', key: KEY, lasting: true});
  assert.equal(tab.kept.size, 0);
  const later = new Direct(storage(), browser);
  assert.deepEqual([later.address, later.lasting, await later.key()], ['https://voice.example/v1', true, KEY]);
});

test('what is forgotten is nowhere', async () => {
  const [tab, browser] = [storage(), storage()];
  const direct = new Direct(tab, browser);
  direct.use({address: 'https://a.example', key: KEY});
  direct.use({address: 'https://a.example', key: KEY, lasting: true});
  direct.forget();
  assert.deepEqual([tab.kept.size, browser.kept.size, direct.address, direct.host, await direct.key()], [0, 0, '', '', '']);
});

test('a key goes only where others cannot read it', () => {
  const direct = new Direct();
  for (const address of ['http://voice.example', 'ws://10.0.0.1:8000', 'http://localhost.example']) {
    assert.throws(() => direct.use({address, key: KEY}), /expected an https: address/, address);
  }
  for (const address of ['http://localhost:9', 'ws://127.0.0.1:9/v1', 'http://[::1]:9']) direct.use({address, key: KEY});
  for (const address of ['', 'api.openai.com', 'file:///etc']) assert.throws(() => direct.use({address, key: KEY}), TypeError, address);
  for (const key of ['', 'short', 'with a space', 'a,b,c,d,e,f', 'né-secret-key']) {
    assert.throws(() => direct.use({address: 'https://a.example', key}), /Expected a key/, key);
  }
});

test('what somebody else kept there is not taken', () => {
  for (const text of ['', 'null', '{}', '{"address": "nowhere", "key": "sk-12345678"}', '{"address": "https://a", "key": "a b"}']) {
    const tab = storage();
    tab.setItem('vivavoce.direct', text);
    assert.equal(new Direct(tab, null).address, '', text);
  }
});

test('a browser that keeps nothing has it as long as the page lasts', async () => {
  const full = {...storage(), setItem: () => { throw new Error('full'); }};
  const direct = new Direct(full, null);
  direct.use({address: 'https://a.example', key: KEY});
  assert.equal(await direct.key(), KEY);
  assert.equal(JSON.stringify(direct).includes(KEY), false);
});

test('a server that says the key does not say it here', () => {
  const direct = new Direct();
  direct.use({address: 'https://a.example', key: KEY});
  /** @type {any} */
  let network;
  const parts = direct.guarded(/** @type {any} */ ({media: true, connection: (/** @type {any} */ handlers) => (network = handlers)}));
  /** @type {any[]} */
  const told = [];
  parts.connection(/** @type {any} */ ({
    onevent: (/** @type {any} */ event) => told.push(event),
    onstate: (/** @type {any} */ _state, /** @type {any} */ problem) => told.push(problem),
  }));
  network.onevent({type: 'error', error: {message: `Incorrect key: ${KEY}.`}});
  network.onstate('closed', {code: 'server-refused', detail: `No ${KEY} here.`});
  network.onstate('open', null);
  network.onevent({type: 'session.created'});
  assert.equal(parts.media, true);
  assert.equal(JSON.stringify(told).includes(KEY), false);
  assert.match(told[0].error.message, /YOUR KEY/);
  assert.deepEqual(told.slice(2), [null, {type: 'session.created'}]);
});
