import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Connection, endpointUrl, reasonOf} from '../../src/vivavoce/web/connection.js';

/** A WebSocket whose other end is the test. */
class FakeSocket {
  /** @type {FakeSocket[]} */
  static made = [];
  bufferedAmount = 0;
  /** @type {string[]} */
  sent = [];
  /** @type {any} */ onopen = null;
  /** @type {any} */ onmessage = null;
  /** @type {any} */ onclose = null;
  closedWith = 0;

  /** @param {string} url @param {string[]} protocols */
  constructor(url, protocols) {
    this.url = url;
    this.protocols = protocols;
    FakeSocket.made.push(this);
  }

  /** @param {string} text */
  send(text) {
    this.sent.push(text);
  }

  /** @param {number} code */
  close(code) {
    this.closedWith = code;
  }
}

/** @param {{fetch?: any, onDelay?: (ms: number) => void}} [options] */
function make({fetch = async () => Promise.reject(new TypeError('no')), onDelay = () => {}} = {}) {
  FakeSocket.made = [];
  /** @type {any[]} */
  const log = [];
  const connection = new Connection(
    'ws://host/v1/realtime?model=m',
    {
      onevent: (event) => log.push(['event', event.type]),
      onstate: (state, problem) => log.push([state, problem?.code ?? null]),
      onattempt: (attempt) => log.push(['attempt', attempt]),
      onloading: (what) => log.push(['loading', what]),
    },
    {WebSocket: /** @type {any} */ (FakeSocket), fetch, delay: async (ms) => onDelay(ms)},
  );
  return {connection, log};
}

const tick = () => new Promise((resolve) => setImmediate(resolve));

test('the subprotocol is offered and events flow both ways', async () => {
  const {connection, log} = make();
  const opened = connection.open();
  const [socket] = FakeSocket.made;
  assert.deepEqual(socket.protocols, ['realtime']);
  socket.onopen();
  await opened;
  assert.equal(connection.send({type: 'response.create'}), true);
  assert.deepEqual(socket.sent, ['{"type":"response.create"}']);
  for (const data of ['{"type":"session.created"}', 'not json', '[1]', '{"type":3}', 'null', new ArrayBuffer(1)]) {
    socket.onmessage({data});
  }
  assert.deepEqual(log, [['connecting', null], ['attempt', 1], ['open', null], ['event', 'session.created']]);
});

test('audio is dropped while too much waits; other events are not', async () => {
  const {connection} = make();
  const opened = connection.open();
  const [socket] = FakeSocket.made;
  socket.onopen();
  await opened;
  socket.bufferedAmount = 600 * 1024;
  assert.equal(connection.send({type: 'input_audio_buffer.append', audio: ''}, {droppable: true}), false);
  assert.equal(connection.send({type: 'input_audio_buffer.commit'}), true);
  socket.bufferedAmount = 0;
  assert.equal(connection.send({type: 'input_audio_buffer.append', audio: ''}, {droppable: true}), true);
});

test('a lost connection gives its reason once', async () => {
  const {connection, log} = make();
  const opened = connection.open();
  const [socket] = FakeSocket.made;
  socket.onopen();
  await opened;
  socket.onclose({code: 1006, reason: ''});
  socket.onclose({code: 1006, reason: ''});
  assert.deepEqual(log.at(-1), ['closed', 'server-gone']);
  assert.equal(log.filter(([state]) => state === 'closed').length, 1);
  assert.equal(connection.send({type: 'response.create'}), false);
});

test('a close that was asked for is no problem', async () => {
  const {connection, log} = make();
  const opened = connection.open();
  const [socket] = FakeSocket.made;
  socket.onopen();
  await opened;
  connection.close();
  socket.onclose({code: 1000, reason: ''});
  assert.equal(socket.closedWith, 1000);
  assert.deepEqual(log.at(-1), ['closed', null]);
});

test('tries again with growing pauses, then says that nobody answers', async () => {
  /** @type {number[]} */
  const pauses = [];
  const {connection, log} = make({onDelay: (ms) => pauses.push(ms)});
  const done = connection.open(4);
  for (let attempt = 0; attempt < 4; attempt++) {
    FakeSocket.made[attempt].onclose({code: 1006, reason: ''});
    await tick();
  }
  await done;
  assert.deepEqual(log.filter(([what]) => what === 'attempt').map(([, n]) => n), [1, 2, 3, 4]);
  assert.deepEqual(log.at(-1), ['closed', 'server-unreachable']);
  [500, 1000, 2000].forEach((least, index) => assert.ok(pauses[index] >= least && pauses[index] <= least * 1.2));
});

test('a second try that opens ends the trying', async () => {
  const {connection, log} = make();
  const done = connection.open(4);
  FakeSocket.made[0].onclose({code: 1006, reason: ''});
  await tick();
  FakeSocket.made[1].onopen();
  await done;
  assert.equal(FakeSocket.made.length, 2);
  assert.deepEqual(log.at(-1), ['open', null]);
});

test('closing while it waits to try again ends the trying', async () => {
  const {connection} = make();
  const done = connection.open(4);
  connection.close();
  FakeSocket.made[0].onclose({code: 1006, reason: ''});
  await done;
  assert.equal(FakeSocket.made.length, 1);
  assert.equal(connection.state, 'closed');
});

/** @param {Record<string, any>} bodies by path @returns {any} a server that answers plain requests with JSON */
function answers(bodies) {
  return async (/** @type {string} */ url) => {
    const body = bodies[new URL(url).pathname];
    return {json: async () => body ?? Promise.reject(new SyntaxError('no JSON'))};
  };
}

for (const [name, bodies, code, detail] of [
  ['a refusal is told in the words of the server', {'/v1/realtime': {error: {code: 'x', message: 'Not here.'}}}, 'server-refused', 'Not here.'],
  ['a refusal of WebSockets only has no words', {'/v1/realtime': {error: {code: 'upgrade_required', message: 'x'}}}, 'server-refused', ''],
  ['a server that failed says why', {'/health': {status: 'failed', error: 'No space left.'}}, 'server-failed', 'No space left.'],
  ['a server that answers with anything is told apart from none', {}, 'server-refused', ''],
]) {
  test(String(name), async () => {
    /** @type {any[]} */
    const problems = [];
    const {connection} = make({fetch: answers(/** @type {any} */ (bodies))});
    connection.handlers.onstate = (_, problem) => problems.push(problem);
    const done = connection.open();
    FakeSocket.made[0].onclose({code: 1006, reason: ''});
    await done;
    assert.deepEqual([problems.at(-1).code, problems.at(-1).detail], [code, detail]);
  });
}

test('a server that still loads is waited for, however few tries', async () => {
  const health = {status: 'loading', stage: 'weights', progress: {name: 'speech.gguf', done: 30, total: 90}};
  const {connection, log} = make({fetch: answers({'/health': health})});
  const done = connection.open();
  FakeSocket.made[0].onclose({code: 1006, reason: ''});
  await tick();
  FakeSocket.made[1].onopen();
  await done;
  assert.deepEqual(log.at(-3), ['loading', 'speech.gguf, 33 %']);
  assert.deepEqual(log.at(-1), ['open', null]);
});

test('close codes have reasons', () => {
  assert.equal(reasonOf({code: 1001, reason: 'Your session hit the maximum duration of 60 minutes.'}).code, 'session-expired');
  assert.equal(reasonOf({code: 1001, reason: 'going away'}).code, 'server-gone');
  assert.match(reasonOf({code: 4000, reason: ''}).detail, /4000/);
});

test('the endpoint is on the host that served the page', () => {
  assert.equal(endpointUrl({protocol: 'https:', host: 'a:1'}, 'x&y'), 'wss://a:1/v1/realtime?model=x%26y');
  assert.equal(endpointUrl({protocol: 'http:', host: 'localhost'}, 'm'), 'ws://localhost/v1/realtime?model=m');
  const shown = endpointUrl({protocol: 'http:', host: 'localhost', search: '?a=b&token=a%26b'}, 'm');
  assert.equal(shown, 'ws://localhost/v1/realtime?model=m&token=a%26b');
});

test('why an application gives no key is told, whatever it throws', async () => {
  /** @type {any[]} */
  const told = [];
  const key = async () => Promise.reject(new Error('Your login has expired.'));
  const onstate = (/** @type {string} */ state, /** @type {any} */ problem) => told.push([state, problem?.code, problem?.detail]);
  await new Connection('wss://host/v1/realtime', {onevent: () => {}, onstate}, {key, fetch: async () => new Response('{}')}).open();
  assert.deepEqual(told[1], ['closed', 'key-refused', 'Error: Your login has expired.']);
});

test('a key is asked for before each try, and offered as a subprotocol', async () => {
  FakeSocket.made = [];
  let keys = 0;
  const connection = new Connection(
    'wss://host/v1/realtime',
    {onevent: () => {}, onstate: () => {}},
    {
      WebSocket: /** @type {any} */ (FakeSocket),
      fetch: async () => Promise.reject(new TypeError('no')),
      delay: async () => {},
      key: async () => `ek_${++keys}`,
    },
  );
  const opened = connection.open(2);
  await tick();
  FakeSocket.made[0].onclose({code: 1006});
  while (FakeSocket.made.length < 2) await tick();
  FakeSocket.made[1].onopen();
  await opened;
  const offered = FakeSocket.made.map(({protocols}) => protocols);
  assert.deepEqual(offered, [
    ['realtime', 'openai-insecure-api-key.ek_1'],
    ['realtime', 'openai-insecure-api-key.ek_2'],
  ]);
});
