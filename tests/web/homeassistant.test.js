/** Home Assistant's card: its line to the endpoint, its options, its words. The card itself is tested in a browser. */

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {HomeConnection} from '../../src/vivavoce/web/homeassistant/connection.js';
import {EchoGuard} from '../../src/vivavoce/web/homeassistant/echo-guard.js';
import {DEFAULTS, configForm, optionsOf} from '../../src/vivavoce/web/homeassistant/options.js';
import {words as german} from '../../src/vivavoce/web/homeassistant/words-de.js';
import {words as french} from '../../src/vivavoce/web/homeassistant/words-fr.js';
import {encode} from '../../src/vivavoce/web/pcm.js';
import {describe} from '../../src/vivavoce/web/problems.js';

/** The frontend's connection, with Home Assistant at the other end. */
class Home extends EventTarget {
  connected = true;
  asked = [];
  frames = [];
  left = 0;
  socket = {bufferedAmount: 0, send: (frame) => this.frames.push(new Uint8Array(frame))};
  refusal = null;

  async subscribeMessage(callback, message) {
    this.asked.push(message);
    if (this.refusal) throw this.refusal;
    this.tell = callback;
    callback({type: 'openai_realtime.joined', subscription: 7, handler: 3});
    callback({type: 'session.created', session: {}});
    return async () => void this.left++;
  }

  async sendMessagePromise(message) {
    this.asked.push(message);
    if (this.refusal) throw this.refusal;
  }
}

/** What a browser's console is told, where somebody looks. */
const told = [];
console.debug = (...words) => void told.push(words.join(' '));

function line(home, wanted = {entity_id: 'conversation.ada'}) {
  const events = [];
  const states = [];
  const handlers = {onevent: (event) => events.push(event), onstate: (state, problem) => states.push([state, problem])};
  const say = (key, {error} = {}) => (key ? `${key}: ${error}` : '');
  const connection = new HomeConnection(home, wanted, handlers, {delay: async () => {}, say});
  return {connection, events, states};
}

test('it joins, and passes events on', async () => {
  const home = new Home();
  const {connection, events, states} = line(home);
  await connection.open();
  assert.deepEqual(home.asked, [{type: 'openai_realtime/session', entity_id: 'conversation.ada'}]);
  assert.deepEqual(states.map(([state]) => state), ['connecting', 'open']);
  assert.deepEqual(events.map(({type}) => type), ['session.created']);
});

test('a browser’s console can tell what goes on', async () => {
  told.length = 0;
  const {connection} = line(new Home());
  await connection.open();
  assert.deepEqual(told, [
    'Subscribing to OpenAI Realtime events...',
    'Subscribed successfully',
    'Received event: session.created',
  ]);
});

test('speech goes as binary, behind the byte of its handler', async () => {
  const home = new Home();
  const {connection} = line(home);
  await connection.open();
  const audio = encode(Int16Array.of(1, -2));
  assert.ok(connection.send({type: 'input_audio_buffer.append', audio}, {droppable: true}));
  assert.deepEqual([...home.frames[0]], [3, 1, 0, 254, 255]);
  home.socket.bufferedAmount = 1e6;
  assert.ok(!connection.send({type: 'input_audio_buffer.append', audio}, {droppable: true}));
});

test('other events go as they are, and what is refused comes back as an error', async () => {
  const home = new Home();
  const {connection, events} = line(home);
  await connection.open();
  const event = {type: 'response.create', event_id: 'create_1'};
  connection.send(event);
  assert.deepEqual(home.asked.at(-1), {type: 'openai_realtime/session/send', subscription: 7, event});
  home.refusal = {code: 'not_allowed', message: 'No.'};
  connection.send(event);
  await new Promise(setImmediate);
  const {error} = events.at(-1);
  assert.equal(error.event_id, 'create_1');
  assert.equal(error.message, 'No.');
});

test('what was taken is acknowledged', async () => {
  const home = new Home();
  const {connection} = line(home);
  await connection.open();
  for (let count = 1; count < 16; count++) home.tell({type: 'response.output_text.delta'});
  assert.deepEqual(home.asked.at(-1), {type: 'openai_realtime/session/ack', subscription: 7, count: 16});
});

test('it tells why it could not begin, in Home Assistant’s words', async () => {
  const home = new Home();
  home.refusal = {code: 'home_assistant_error', translation_key: 'cannot_connect', translation_placeholders: {error: 'x'}};
  const {connection, states} = line(home);
  await connection.open();
  assert.equal(states.at(-1)[1].code, 'server-refused');
  assert.equal(states.at(-1)[1].detail, 'cannot_connect: x');
});

test('it is over when Home Assistant says so, or is gone', async () => {
  for (const end of [
    (home) => home.tell({type: 'openai_realtime.left', key: 'session_ended', placeholders: {}}),
    (home) => home.dispatchEvent(new Event('disconnected')),
  ]) {
    const home = new Home();
    const {connection, states} = line(home);
    await connection.open();
    end(home);
    assert.equal(states.at(-1)[0], 'closed');
    assert.equal(states.at(-1)[1].code, 'server-gone');
    assert.ok(!connection.send({type: 'response.cancel'}));
  }
});

test('it waits for a Home Assistant that is away', async () => {
  const home = new Home();
  home.connected = false;
  const {connection, states} = line(home);
  await connection.open();
  assert.equal(states.at(-1)[1].code, 'server-unreachable');
  connection.delay = () => new Promise(() => {});
  const opening = connection.open();
  home.dispatchEvent(new Event('ready'));
  await opening;
  assert.equal(states.at(-1)[0], 'open');
});

test('who hangs up while it begins is let go', async () => {
  const home = new Home();
  const {connection, states} = line(home);
  const opening = connection.open();
  connection.close();
  await opening;
  assert.equal(home.left, 1);
  assert.deepEqual(states.at(-1), ['closed', null]);
});

test('the microphone hears the answer while it sounds, and a moment longer', () => {
  const guard = new EchoGuard();
  assert.ok(!guard.sounds(0));
  guard.hear(true, 0);
  assert.ok(guard.sounds(5000));
  guard.hear(false, 5000);
  assert.ok(guard.sounds(5200));
  assert.ok(!guard.sounds(5300));
});

test('options have defaults, and what cannot be is told', () => {
  assert.deepEqual(optionsOf({type: 'custom:openai-realtime-card'}), {...DEFAULTS, type: 'custom:openai-realtime-card'});
  assert.equal(optionsOf({mute_while_speaking: false}).mute_while_speaking, false);
  for (const wrong of [{show_waveform: 'yes'}, {mode: 'shout'}, {entity: 'light.kitchen'}, {title: 3}]) {
    assert.throws(() => optionsOf(wrong), new RegExp(`${Object.keys(wrong)[0]}: expected .*, and got`));
  }
});

test('the editor has all options, with words', () => {
  const {schema, computeLabel, computeHelper} = configForm();
  assert.deepEqual(schema.map(({name}) => name).sort(), ['entity', 'title', ...Object.keys(DEFAULTS)].sort());
  for (const {name} of schema) assert.notEqual(computeLabel({name}), undefined);
  assert.ok(computeHelper({name: 'mute_while_speaking'}));
  assert.equal(computeHelper({name: 'show_waveform'}), undefined);
});

test('all words are there in all languages', () => {
  assert.deepEqual(Object.keys(german), Object.keys(french));
  const problems = ['insecure-origin', 'microphone-refused', 'microphone-missing', 'microphone-busy', 'microphone-lost',
    'microphone-failed', 'server-refused', 'server-unreachable', 'server-gone', 'congested', 'server-error'];
  for (const code of problems) {
    const {title, advice} = describe(code);
    assert.ok(german[title] && german[advice], code);
  }
  const {schema, computeLabel, computeHelper} = configForm();
  for (const said of schema.flatMap((field) => [computeLabel(field), computeHelper(field)])) {
    assert.ok(said === undefined || german[said], said);
  }
  for (const [english, said] of [...Object.entries(german), ...Object.entries(french)]) {
    assert.deepEqual(said.match(/\{\d\}/g), english.match(/\{\d\}/g), english);
  }
});
