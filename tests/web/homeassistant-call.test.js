/** The card's call: speech goes straight where the endpoint is reached, and through Home Assistant everywhere else. */

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {HomeConnection} from '../../src/vivavoce/web/homeassistant/connection.js';
import {HomeCall} from '../../src/vivavoce/web/homeassistant/home-call.js';
import {encode} from '../../src/vivavoce/web/pcm.js';

console.debug = () => {};

class FakePeer {
  connectionState = 'new';
  closed = false;
  tracks = [];
  localDescription = null;
  onconnectionstatechange = () => {};

  addTransceiver(kind) {
    this.kind = kind;
    return {sender: {replaceTrack: async (track) => void this.tracks.push(track)}};
  }

  createDataChannel() {
    throw new Error('A card has nothing to say to the endpoint.');
  }

  async createOffer() {
    return {type: 'offer', sdp: 'offer'};
  }

  async setLocalDescription(description) {
    this.localDescription = description;
  }

  async setRemoteDescription({sdp}) {
    if (sdp === 'nonsense') throw new TypeError('no SDP');
    this.answer = sdp;
    this.become(this.reached);
  }

  become(state) {
    this.connectionState = state;
    this.onconnectionstatechange();
  }

  close() {
    this.closed = true;
  }
}

/** A call over a network that leads to such a state. */
function calling(reached = 'connected') {
  const told = {ended: 0, unreachable: 0, streams: []};
  let peer;
  class Peer extends FakePeer {
    constructor() {
      super();
      this.reached = reached;
      peer = this;
    }
  }
  const make = (onend = () => {}) =>
    new HomeCall(
      {
        ontrack: (stream) => told.streams.push(stream),
        onend: () => {
          told.ended++;
          onend();
        },
        onunreachable: () => told.unreachable++,
      },
      {RTCPeerConnection: Peer, delay: async () => {}},
    );
  return {make, told, peer: () => peer};
}

/** The frontend's connection, with a Home Assistant at the other end that may have an answer. */
class Home extends EventTarget {
  connected = true;
  asked = [];
  frames = [];
  socket = {bufferedAmount: 0, send: (frame) => this.frames.push([...new Uint8Array(frame)])};

  constructor(answer) {
    super();
    this.answer = answer;
  }

  async subscribeMessage(callback, message) {
    this.asked.push(message);
    this.tell = callback;
    callback({type: 'openai_realtime.joined', subscription: 7, handler: 3, ...(this.answer ? {answer: this.answer} : {})});
    callback({type: 'session.created', session: {}});
    return async () => {};
  }

  async sendMessagePromise(message) {
    this.asked.push(message);
  }
}

async function joined(home, network) {
  const events = [];
  const states = [];
  const handlers = {onevent: (event) => events.push(event.type), onstate: (state) => states.push(state)};
  const line = new HomeConnection(home, {}, handlers, {call: (onend) => network.make(onend)});
  await line.open();
  return {line, events, states};
}

const HANG_UP = {type: 'openai_realtime/session/hang_up', subscription: 7};

test('speech goes by the call, and Home Assistant is told when there is any', async () => {
  const home = new Home('answer');
  const network = calling();
  const {line, events, states} = await joined(home, network);
  assert.deepEqual(home.asked, [{type: 'openai_realtime/session', offer: 'offer'}]);
  assert.equal(network.peer().kind, 'audio');
  assert.equal(network.peer().answer, 'answer');
  assert.deepEqual(states, ['connecting', 'open']);
  assert.deepEqual(events, ['session.created']);
  assert.ok(line.call);
  const microphone = {enabled: true};
  line.call.replace(microphone);
  line.hear(true, false);
  assert.deepEqual(network.peer().tracks, [null, microphone]);
  line.send({type: 'input_audio_buffer.append', audio: ''}, {droppable: true});
  assert.deepEqual(home.frames, [[3]]);
  line.hear(false, false);
  assert.equal(network.peer().tracks.at(-1), null);
});

test('where there is no call, all goes through Home Assistant', async () => {
  const network = calling();
  const {line, events} = await joined(new Home(''), network);
  assert.equal(line.call, null);
  assert.ok(network.peer().closed);
  assert.equal(network.told.unreachable, 0);
  assert.deepEqual(events, ['session.created']);
});

for (const [why, reached, answer] of [
  ['cannot be reached', 'failed', 'answer'],
  ['is not found in time', 'connecting', 'answer'],
  ['answers nonsense', 'connected', 'nonsense'],
]) {
  test(`an endpoint that ${why} is spoken to through Home Assistant`, async () => {
    const home = new Home(answer);
    const network = calling(reached);
    const {line, events, states} = await joined(home, network);
    assert.equal(line.call, null);
    assert.equal(network.told.unreachable, 1);
    assert.deepEqual(home.asked.slice(1), [HANG_UP]);
    assert.deepEqual(states, ['connecting', 'open']);
    assert.deepEqual(events, ['session.created']);
    line.send({type: 'input_audio_buffer.append', audio: encode(Int16Array.of(1))});
    assert.deepEqual(home.frames, [[3, 1, 0]]);
  });
}

test('a call that breaks gives way, and so does one that Home Assistant ends', async () => {
  for (const [end, hungUp] of [
    [(network) => network.peer().become('disconnected'), [HANG_UP]],
    [(_, home) => home.tell({type: 'openai_realtime.hung_up'}), []],
  ]) {
    const home = new Home('answer');
    const network = calling();
    const {line, events, states} = await joined(home, network);
    end(network, home);
    assert.equal(line.call, null);
    assert.ok(network.peer().closed);
    assert.deepEqual(home.asked.slice(1), hungUp);
    assert.deepEqual([network.told.ended, network.told.unreachable], [1, 0]);
    assert.deepEqual(events, ['session.created']); // nobody notices
    assert.equal(states.at(-1), 'open');
  }
});

test('who hangs up ends the call', async () => {
  const home = new Home('answer');
  const network = calling();
  const {line} = await joined(home, network);
  line.close();
  assert.ok(network.peer().closed);
  assert.equal(home.asked.length, 1); // that it has left says all
});

test('who hangs up while it begins is let go', async () => {
  const home = new Home('answer');
  const network = calling('connecting');
  const states = [];
  const handlers = {onevent: () => {}, onstate: (state) => states.push(state)};
  const line = new HomeConnection(home, {}, handlers, {call: (onend) => network.make(onend)});
  const opening = line.open();
  line.close();
  await opening;
  assert.ok(network.peer().closed);
  assert.equal(states.at(-1), 'closed');
  assert.equal(network.told.unreachable, 0);
});

test('the answer is kept out of the microphone', async () => {
  const {make} = calling();
  const call = make();
  const microphone = {enabled: true};
  call.replace(microphone);
  call.hush(true);
  assert.equal(microphone.enabled, false);
  call.hear(true, false);
  assert.equal(microphone.enabled, false);
  call.hush(false);
  assert.equal(microphone.enabled, true);
  call.hear(true, true);
  assert.equal(microphone.enabled, false);
  call.close();
  assert.equal(microphone.enabled, true); // for what comes next
});
