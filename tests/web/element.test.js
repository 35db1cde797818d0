/** The small modules that `<realtime-voice>` is made of. */

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {addressesOf} from '../../src/vivavoce/web/addresses.js';
import {hintFor, nameOf} from '../../src/vivavoce/web/hints.js';
import {keyFrom} from '../../src/vivavoce/web/keys.js';
import {restored, toGreet} from '../../src/vivavoce/web/opening.js';
import {Told} from '../../src/vivavoce/web/told.js';
import {say, translate} from '../../src/vivavoce/web/words.js';

for (const [server, socket] of [
  ['https://voice.example', 'wss://voice.example/v1/realtime?model=m'],
  ['http://localhost:8000/', 'ws://localhost:8000/v1/realtime?model=m'],
  ['wss://voice.example/v1/realtime', 'wss://voice.example/v1/realtime?model=m'],
  ['https://example.com/voice/v1', 'wss://example.com/voice/v1/realtime?model=m'],
  ['http://127.0.0.1:8000/?token=a%26b', 'ws://127.0.0.1:8000/v1/realtime?model=m&token=a%26b'],
]) {
  test(`the addresses of ${server}`, () => {
    const found = addressesOf(server, {model: 'm'});
    assert.equal(found.socket, socket);
    assert.equal(found.calls, socket.replace(/^ws/, 'http').replace('/v1/realtime', '/v1/realtime/calls'));
  });
}

test('a relative address is one of the page', () => {
  assert.equal(addressesOf('/voice', {base: 'https://shop.example/a/b'}).socket, 'wss://shop.example/voice/v1/realtime');
});

for (const wrong of ['ftp://voice.example', 'not an address']) {
  test(`${wrong} is refused`, () => assert.throws(() => addressesOf(wrong), TypeError));
}

const answers = (/** @type {any} */ body, status = 200) =>
  /** @type {any} */ (async () => new Response(typeof body === 'string' ? body : JSON.stringify(body), {status}));

test('a key comes as today, and as in the beta', async () => {
  assert.equal(await keyFrom('/key', answers({value: 'ek_1'})), 'ek_1');
  assert.equal(await keyFrom('/key', answers({client_secret: {value: 'ek_2'}})), 'ek_2');
});

for (const [name, ask] of /** @type {[string, any][]} */ ([
  ['a refusal', answers({}, 401)], ['no key', answers({})], ['no JSON', answers('<html>')],
  ['no answer', async () => Promise.reject(new TypeError('no'))],
])) {
  test(`${name} is no key`, () => assert.rejects(keyFrom('/key', ask), {code: 'key-refused'}));
}

const item = (/** @type {any} */ fields) =>
  ({type: 'message', status: 'completed', placed: true, transcription: null, receivedMs: 0, heardMs: null, name: '', ...fields});

test('what was said is told again, under the same ids, and only what was heard of it', () => {
  const parts = (/** @type {string} */ text) => [{kind: 'audio', text}];
  const events = restored(/** @type {any} */ ([
    item({id: 'u', role: 'user', parts: parts('Hello?')}),
    item({id: 'a', role: 'assistant', parts: parts('one two three four'), receivedMs: 1000, heardMs: 500}),
    item({id: 'unheard', role: 'assistant', parts: parts('never'), receivedMs: 1000, heardMs: 0}),
    item({id: 'empty', role: 'user', parts: []}),
    item({id: 'call', role: null, type: 'function_call', parts: []}),
  ]));
  assert.deepEqual(events.map(({item: {id, content}}) => [id, content[0].type, content[0].text]), [
    ['u', 'input_text', 'Hello?'],
    ['a', 'output_text', 'one two'],
  ]);
});

test('a greeting is to be said as it is', () => {
  assert.match(toGreet('Hi!').instructions, /exactly.*Hi!$/);
});

test('an application is told everything once', () => {
  const told = new Told();
  const problem = /** @type {any} */ ({code: 'server-gone'});
  assert.deepEqual(told.changes('connecting', null), [['voice-state', {state: 'connecting', previous: 'off'}]]);
  assert.deepEqual(told.changes('connecting', null), []);
  assert.deepEqual(told.changes('error', problem).map(([type]) => type), ['voice-state', 'voice-problem']);
  assert.deepEqual(told.changes('error', problem), []);
  const written = {type: 'conversation.item.added', item: {id: 'u', role: 'user', content: [{type: 'input_text', text: 'Hi'}]}};
  assert.deepEqual(told.said(written), {id: 'u', role: 'user', text: 'Hi'});
  assert.equal(told.said(written), null);
  told.forget();
  assert.deepEqual(told.said(written), {id: 'u', role: 'user', text: 'Hi'});
  assert.deepEqual(told.changes('error', problem), []);
  assert.deepEqual(told.said({type: 'response.output_text.done', item_id: 'a', text: 'Yes.'}), {id: 'a', role: 'assistant', text: 'Yes.'});
  assert.equal(told.said({type: 'response.created'}), null);
});

const SITUATION = {mode: /** @type {const} */ ('hold'), held: false, muted: false, hearing: false, hasMicrophone: true, loading: '', attempt: 0, ready: true};

test('what can be done in each state', () => {
  assert.equal(hintFor('idle', SITUATION), 'Hold the button or the space bar');
  assert.equal(hintFor('listening', {...SITUATION, held: true}), 'Release to send');
  assert.equal(hintFor('connecting', {...SITUATION, attempt: 2}), 'Connecting again, try 2 …');
  assert.equal(hintFor('idle', {...SITUATION, hasMicrophone: false}), 'Write, or use the microphone');
  assert.equal(hintFor('listening', {...SITUATION, mode: 'hands-free', muted: true}), 'The microphone is muted');
});

test('words of another language, and English where there are none', () => {
  translate({Ready: 'جاهز', 'Interrupted after {0} s.': 'Nach {0} s unterbrochen.'});
  assert.equal(nameOf('idle'), 'جاهز');
  assert.equal(nameOf('thinking'), 'Thinking');
  assert.equal(say('Interrupted after {0} s.', 1.5), 'Nach 1.5 s unterbrochen.');
});
