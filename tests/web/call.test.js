import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Call} from '../../src/vivavoce/web/call.js';

const tick = () => new Promise((resolve) => setImmediate(resolve));
const ANSWER = {status: 201, text: 'v=0 answer', headers: {location: '/v1/realtime/calls/rtc_1'}};

/** A peer connection whose other end is the test. */
class FakePeer extends EventTarget {
  /** @type {FakePeer[]} */
  static made = [];
  connectionState = 'new';
  signalingState = 'stable';
  /** @type {any} */ sent = undefined;
  /** @type {any} */ localDescription = null;
  /** @type {any} */ answer = null;
  /** @type {any} */ onconnectionstatechange = null;
  closed = false;
  stats = new Map();
  channel = {
    sent: /** @type {any[]} */ ([]),
    /** @type {any} */ onopen: null,
    /** @type {any} */ onmessage: null,
    /** @type {any} */ onclose: null,
    closed: false,
    send(/** @type {string} */ text) { this.sent.push(JSON.parse(text)); },
    close() { this.closed = true; },
  };

  constructor() {
    super();
    FakePeer.made.push(this);
  }

  createDataChannel(/** @type {string} */ name) {
    this.channelName = name;
    return this.channel;
  }

  addTransceiver() {
    return {sender: {replaceTrack: async (/** @type {any} */ track) => { this.sent = track; }}};
  }

  async createOffer({iceRestart = false} = {}) {
    return {type: 'offer', sdp: iceRestart ? 'v=0 another' : 'v=0 offer'};
  }

  async setLocalDescription(/** @type {any} */ description) {
    this.localDescription = description;
    this.iceGatheringState = 'gathering';
    setImmediate(() => {
      this.iceGatheringState = 'complete';
      this.localDescription = {...description, sdp: `${description.sdp} with addresses`};
      this.dispatchEvent(new Event('icegatheringstatechange'));
    });
    this.signalingState = description.type === 'offer' ? 'have-local-offer' : 'stable';
  }

  async setRemoteDescription(/** @type {any} */ description) {
    this.answer = description;
    this.signalingState = 'stable';
    this.onanswer?.();
  }

  /** The browser says how the connection is. */
  become(/** @type {string} */ state) {
    this.connectionState = state;
    this.onconnectionstatechange();
    this.dispatchEvent(new Event('connectionstatechange'));
  }

  async getStats() {
    return this.stats;
  }

  close() {
    this.closed = true;
  }

  /** @type {(() => void) | undefined} */
  onanswer = undefined;
}

/** @param {{reply?: any, again?: any, hungUp?: number[], key?: () => Promise<string>, connect?: boolean, session?: any, iceServers?: any[]}} [options] */
function make({reply = ANSWER, again = {status: 404}, hungUp = [], key, connect = true, session, iceServers} = {}) {
  FakePeer.made = [];
  /** @type {any[]} */
  const log = [];
  /** @type {any[]} */
  const asked = [];
  const fetch = async (/** @type {string} */ url, /** @type {any} */ init) => {
    asked.push({url, ...init});
    if (init.method === 'PATCH') {
      const {status, text, error} = Array.isArray(again) ? again.shift() : again;
      if (error) throw error;
      return new Response(text, {status});
    }
    if (url.includes('/hangup')) return new Response(null, {status: hungUp.shift() ?? 200});
    if (connect) setImmediate(() => FakePeer.made.at(-1)?.channel.onopen?.());
    return new Response(reply.text, {status: reply.status, headers: reply.headers});
  };
  const microphone = {enabled: true};
  const call = new Call(
    'http://host/v1/realtime/calls?model=m',
    {onevent: (event) => log.push(['event', event.type]), onstate: (state, problem) => log.push([state, problem?.code ?? null])},
    {microphone: /** @type {any} */ (microphone), session, iceServers},
    {RTCPeerConnection: /** @type {any} */ (FakePeer), fetch: /** @type {any} */ (fetch), delay: tick, key},
  );
  return {call, log, asked, microphone};
}

test('without a key, offer and session go as a form, and the answer is taken', async () => {
  const {call, log, asked} = make({session: {instructions: 'Be brief.'}});
  await call.open();
  const [peer] = FakePeer.made;
  assert.equal(peer.channelName, 'oai-events');
  assert.equal(asked[0].url, 'http://host/v1/realtime/calls?model=m');
  assert.equal(asked[0].body.get('sdp'), 'v=0 offer');
  assert.deepEqual(JSON.parse(asked[0].body.get('session')), {type: 'realtime', instructions: 'Be brief.'});
  assert.deepEqual(peer.answer, {type: 'answer', sdp: 'v=0 answer'});
  assert.equal(call.location, '/v1/realtime/calls/rtc_1');
  assert.deepEqual(log, [['connecting', null], ['open', null]]);
  call.close();
  assert.ok(peer.closed && peer.channel.closed);
});

test('with servers that find addresses, the offer waits for them', async () => {
  const {call, asked} = make({iceServers: [{urls: 'stun:stun.example'}]});
  await call.open();
  assert.equal(asked[0].body.get('sdp'), 'v=0 offer with addresses');
  call.close();
});

test('with a key, the offer goes alone: the key says what the session is', async () => {
  const {call, asked} = make({key: async () => 'ek_1'});
  await call.open();
  assert.equal(asked[0].body, 'v=0 offer');
  assert.deepEqual(asked[0].headers, {'content-type': 'application/sdp', authorization: 'Bearer ek_1'});
  call.close();
});

test('with a key that is none of one session, offer and session go with it', async () => {
  const {call, asked} = make({key: async () => 'sk-own', session: {model: 'm'}});
  await call.open();
  assert.deepEqual(asked[0].headers, {authorization: 'Bearer sk-own'});
  assert.deepEqual(JSON.parse(asked[0].body.get('session')), {type: 'realtime', model: 'm'});
  call.close();
});

test('events go over the channel, speech does not', async () => {
  const {call, log} = make();
  await call.open();
  const {channel} = FakePeer.made[0];
  assert.equal(call.send({type: 'input_audio_buffer.append', audio: ''}), true);
  assert.equal(call.send({type: 'response.create'}), true);
  assert.deepEqual(channel.sent, [{type: 'response.create'}]);
  channel.onmessage({data: '{"type":"session.created"}'});
  channel.onmessage({data: 'no event'});
  assert.deepEqual(log.at(-1), ['event', 'session.created']);
  call.close();
  assert.equal(call.send({type: 'response.create'}), false);
});

test('the microphone goes as media while it is to be heard, as silence when it is muted', async () => {
  const {call, microphone} = make();
  await call.open();
  const [peer] = FakePeer.made;
  assert.equal(peer.sent, null);
  call.hear(true);
  await tick();
  assert.equal(peer.sent, microphone);
  call.hear(true, true);
  assert.equal(microphone.enabled, false);
  call.hear(false);
  await tick();
  assert.equal(peer.sent, null);
  const other = {enabled: true};
  call.hear(true);
  call.replace(/** @type {any} */ (other));
  await tick();
  assert.equal(peer.sent, other);
  call.close();
});

for (const [name, reply, code] of /** @type {[string, any, string][]} */ ([
  ['a refusal with its reason', {status: 429, text: '{"error": {"message": "Too many."}}'}, 'server-refused'],
  ['a refusal without one', {status: 500, text: 'oops'}, 'server-refused'],
  ['a server that takes no calls', {status: 404, text: '{}'}, 'call-failed'],
])) {
  test(`${name} is told`, async () => {
    const {call, log} = make({reply, connect: false});
    await call.open();
    assert.deepEqual(log, [['connecting', null], ['closed', code]]);
    assert.ok(FakePeer.made[0].closed);
  });
}

test('a peer that fails ends the call where the server knows no other way, and a later try makes another', async () => {
  const {call, log} = make();
  await call.open();
  const [peer] = FakePeer.made;
  peer.become('disconnected');
  while (peer.signalingState !== 'stable' || peer.localDescription.type !== 'rollback') await tick();
  await tick();
  assert.equal(call.state, 'open');
  peer.become('failed');
  peer.channel.onclose();
  assert.deepEqual(log.at(-1), ['closed', 'server-gone']);
  assert.equal(log.length, 3);
  assert.ok(peer.closed);
  await call.open(2);
  assert.equal(FakePeer.made.length, 2);
  assert.equal(call.state, 'open');
  call.close();
});

for (const broken of ['disconnected', 'failed']) {
  test(`a call that is ${broken} goes on over another way`, async () => {
    const keys = ['ek_1', 'ek_2'];
    const {call, log, asked} = make({again: {status: 200, text: 'v=0 anew'}, key: async () => String(keys.shift())});
    await call.open();
    const [peer] = FakePeer.made;
    peer.onanswer = () => setImmediate(() => peer.become('connected'));
    peer.become(broken);
    while (peer.connectionState !== 'connected') await tick();
    assert.equal(asked.length, 2);
    const {url, method, body, headers} = asked[1];
    assert.deepEqual([method, url, body], ['PATCH', 'http://host/v1/realtime/calls/rtc_1?model=m', 'v=0 another']);
    assert.equal(headers.authorization, 'Bearer ek_2');
    assert.deepEqual(peer.answer, {type: 'answer', sdp: 'v=0 anew'});
    await tick();
    peer.become(broken);
    while (asked.length < 3) await tick();
    assert.deepEqual(log, [['connecting', null], ['open', null]]);
    assert.equal(FakePeer.made.length, 1);
    call.close();
  });
}

test('a server that cannot be reached is asked again, until the old way is back', async () => {
  const gone = {error: new TypeError('Failed to fetch')};
  const {call, log, asked} = make({again: [gone, {status: 503}, gone]});
  await call.open();
  const [peer] = FakePeer.made;
  peer.become('disconnected');
  while (asked.length < 3) await tick();
  peer.become('connected');
  while (peer.localDescription.type !== 'rollback') await tick();
  assert.equal(call.state, 'open');
  assert.equal(log.length, 2);
  call.close();
});

test('a network that comes back is reason enough to look for another way', async () => {
  const listeners = new EventTarget();
  const names = /** @type {const} */ (['addEventListener', 'removeEventListener']);
  for (const name of names) Object.assign(globalThis, {[name]: listeners[name].bind(listeners)});
  const {call, asked} = make({again: {status: 200, text: 'v=0 anew'}});
  await call.open();
  FakePeer.made[0].connectionState = 'connected';
  listeners.dispatchEvent(new Event('online'));
  while (asked.length < 2) await tick();
  assert.equal(asked[1].method, 'PATCH');
  call.close();
  listeners.dispatchEvent(new Event('online'));
  await tick();
  assert.equal(asked.length, 2);
  for (const name of names) Reflect.deleteProperty(globalThis, name);
});

test('where no way is found in time the call is given up', async (context) => {
  context.mock.timers.enable({apis: ['setTimeout']});
  const {call, log} = make({again: {status: 200, text: 'v=0 anew'}});
  await call.open();
  const [peer] = FakePeer.made;
  peer.become('failed');
  while (call.state === 'open') {
    await tick();
    context.mock.timers.tick(1000);
  }
  assert.deepEqual(log.at(-1), ['closed', 'server-gone']);
  assert.ok(peer.closed);
});

test('a call that is hung up looks for no other way', async () => {
  const {call, log, asked} = make({again: {error: new TypeError('Failed to fetch')}});
  await call.open();
  FakePeer.made[0].become('disconnected');
  while (asked.length < 2) await tick();
  call.close();
  const tries = asked.length;
  for (let turns = 0; turns < 10; turns++) await tick();
  assert.equal(asked.length, tries);
  assert.deepEqual(log.at(-1), ['closed', null]);
});

test('a call that is given up before it came about is hung up at the server', async () => {
  const {call, asked} = make({connect: false, key: async () => 'ek_1'});
  const opened = call.open();
  while (!FakePeer.made[0]?.answer) await tick();
  call.close();
  await opened;
  const [, {url, method, keepalive, headers}, ...more] = asked;
  assert.deepEqual([url, method, keepalive], ['http://host/v1/realtime/calls/rtc_1/hangup?model=m', 'POST', true]);
  assert.equal(headers.authorization, 'Bearer ek_1');
  assert.deepEqual(more, []);
});

test('it is hung up even where it was given up before the answer came', async () => {
  const {call, asked} = make({connect: false});
  const opened = call.open();
  while (!asked.length) await Promise.resolve();
  call.close();
  await opened;
  assert.deepEqual(asked.map(({url}) => new URL(url).pathname), ['/v1/realtime/calls', '/v1/realtime/calls/rtc_1/hangup']);
  assert.equal(FakePeer.made[0].answer, null);
});

test('a key that was good for one session gets another to hang up', async () => {
  const keys = ['ek_1', 'ek_2'];
  const {call, asked} = make({connect: false, hungUp: [401], key: async () => String(keys.shift())});
  const opened = call.open();
  while (!FakePeer.made[0]?.answer) await tick();
  call.close();
  await opened;
  while (asked.length < 3) await tick();
  assert.deepEqual(asked.slice(1).map(({headers}) => headers.authorization), ['Bearer ek_1', 'Bearer ek_2']);
});

test('a call that finds no way is tried again', async () => {
  const {call, log, asked} = make({connect: false});
  const opened = call.open(2);
  for (let tries = 0; tries < 2; tries++) {
    while (!FakePeer.made[tries]?.answer) await tick();
    FakePeer.made[tries].connectionState = 'failed';
    FakePeer.made[tries].onconnectionstatechange();
  }
  await opened;
  assert.equal(FakePeer.made.length, 2);
  assert.deepEqual(log.at(-1), ['closed', 'call-failed']);
  assert.equal(asked.filter(({url}) => url.includes('/rtc_1/hangup')).length, 2);
});
