import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Call} from '../../src/vivavoce/web/call.js';

const tick = () => new Promise((resolve) => setImmediate(resolve));
const ANSWER = {status: 201, text: 'v=0 answer', headers: {location: '/v1/realtime/calls/rtc_1'}};

/** A peer connection whose other end is the test. */
class FakePeer {
  /** @type {FakePeer[]} */
  static made = [];
  connectionState = 'new';
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
    FakePeer.made.push(this);
  }

  createDataChannel(/** @type {string} */ name) {
    this.channelName = name;
    return this.channel;
  }

  addTransceiver() {
    return {sender: {replaceTrack: async (/** @type {any} */ track) => { this.sent = track; }}};
  }

  async createOffer() {
    return {type: 'offer', sdp: 'v=0 offer'};
  }

  async setLocalDescription(/** @type {any} */ description) {
    this.localDescription = description;
  }

  async setRemoteDescription(/** @type {any} */ description) {
    this.answer = description;
    this.onanswer?.();
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

/** @param {{reply?: any, key?: () => Promise<string>, connect?: boolean, session?: any}} [options] */
function make({reply = ANSWER, key, connect = true, session} = {}) {
  FakePeer.made = [];
  /** @type {any[]} */
  const log = [];
  /** @type {any[]} */
  const asked = [];
  const fetch = async (/** @type {string} */ url, /** @type {any} */ init) => {
    asked.push({url, ...init});
    if (connect) setImmediate(() => FakePeer.made.at(-1)?.channel.onopen?.());
    return new Response(reply.text, {status: reply.status, headers: reply.headers});
  };
  const microphone = {enabled: true};
  const call = new Call(
    'http://host/v1/realtime/calls?model=m',
    {onevent: (event) => log.push(['event', event.type]), onstate: (state, problem) => log.push([state, problem?.code ?? null])},
    {microphone: /** @type {any} */ (microphone), session},
    {RTCPeerConnection: /** @type {any} */ (FakePeer), fetch: /** @type {any} */ (fetch), delay: async () => {}, key},
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

test('with a key, the offer goes alone: the key says what the session is', async () => {
  const {call, asked} = make({key: async () => 'ek_1'});
  await call.open();
  assert.equal(asked[0].body, 'v=0 offer');
  assert.deepEqual(asked[0].headers, {'content-type': 'application/sdp', authorization: 'Bearer ek_1'});
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

test('a peer that fails ends the call, and a later try makes another', async () => {
  const {call, log} = make();
  await call.open();
  const [peer] = FakePeer.made;
  peer.connectionState = 'failed';
  peer.onconnectionstatechange();
  peer.channel.onclose();
  assert.deepEqual(log.at(-1), ['closed', 'server-gone']);
  assert.equal(log.length, 3);
  assert.ok(peer.closed);
  await call.open(2);
  assert.equal(FakePeer.made.length, 2);
  assert.equal(call.state, 'open');
  call.close();
});

test('a call that finds no way is tried again', async () => {
  const {call, log} = make({connect: false});
  const opened = call.open(2);
  for (let tries = 0; tries < 2; tries++) {
    while (!FakePeer.made[tries]?.answer) await tick();
    FakePeer.made[tries].connectionState = 'failed';
    FakePeer.made[tries].onconnectionstatechange();
  }
  await opened;
  assert.equal(FakePeer.made.length, 2);
  assert.deepEqual(log.at(-1), ['closed', 'call-failed']);
});
