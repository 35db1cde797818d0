/**
 * A call over WebRTC that speaks the Realtime protocol: speech as media, events on a data channel.
 *
 * It is a line like a WebSocket, so a session cannot tell them apart, except that speech needs no events: what the
 * microphone gives goes as media while `hear` says so, and the answer comes as a track.
 */

import {Line} from './line.js';
import {mend} from './mending.js';
import {VoiceError, describe} from './problems.js';
import {measure} from './quality.js';

/**
 * @typedef {import('./line.js').RealtimeEvent} RealtimeEvent
 * @typedef {import('./quality.js').Quality} Quality
 * @typedef {import('./line.js').ConnectionHandlers & {
 *   ontrack?: (stream: MediaStream) => void, onquality?: (quality: Quality) => void}} CallHandlers
 *   `ontrack`: the answer's sound, to be played; `onquality`: every two seconds of a call.
 * @typedef {object} CallOptions
 * @property {MediaStreamTrack | null} [microphone] null to write only; `replace` gives one later
 * @property {Record<string, unknown>} [session] what the session begins with; an ephemeral key says so itself
 * @property {RTCIceServer[]} [iceServers] STUN and TURN, for networks that let nothing through otherwise
 * @typedef {import('./line.js').Platform & {RTCPeerConnection?: typeof RTCPeerConnection}} Platform
 */

/** The data channel's name. */
const EVENTS = 'oai-events';

/** The kind of an offer and of an answer. */
const SDP = 'application/sdp';

/** How an ephemeral key begins: what the session is was said when it was made. */
const EPHEMERAL = 'ek_';

/** Milliseconds after which a call that did not come about is given up. */
const PATIENCE = 15_000;

/** Milliseconds that the page's STUN and TURN servers have to say where this browser is reached. */
const ADDRESSES = 1000;

/** Milliseconds from one look at the call's quality to the next. */
const LOOK = 2000;

/** Milliseconds that the server holds speech back, so that packets find their order, and one packet more. */
const HELD_BACK = 80;

/**
 * Wait for the addresses of this browser: a server that has only the address of its own relay lets none in but those
 * that the offer names.
 * @param {RTCPeerConnection} peer
 * @returns {Promise<void>}
 */
const addresses = (peer) => new Promise((resolve) => {
  const late = setTimeout(resolve, ADDRESSES);
  const look = () => {
    if (peer.iceGatheringState !== 'complete') return;
    clearTimeout(late);
    resolve();
  };
  peer.addEventListener('icegatheringstatechange', look);
  look();
});

export class Call extends Line {
  /** Where the server keeps the call: the path of its `Location`. */
  location = '';
  /** @type {Quality | null} */
  quality = null;
  /** @type {RTCPeerConnection | null} */
  #peer = null;
  /** @type {RTCDataChannel | null} */
  #channel = null;
  /** @type {RTCRtpSender | null} */
  #sender = null;
  /** @type {MediaStreamTrack | null} */
  #microphone;
  #heard = false;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #looking;
  /** Ends the wait for the other side. */
  #giveUp = () => {};
  /** Ends what the open call listens to. */
  #over = new AbortController();
  #mending = false;
  /** The server knows no other way for this call. */
  #unmendable = false;

  /**
   * @param {string} url http: or https:, of `/v1/realtime/calls`, with the query
   * @param {CallHandlers} handlers
   * @param {CallOptions} [options]
   * @param {Platform} [platform]
   */
  constructor(url, handlers, {microphone = null, session = {}, iceServers = []} = {}, platform = {}) {
    super(url, handlers, platform);
    this.RTCPeerConnection = platform.RTCPeerConnection ?? globalThis.RTCPeerConnection;
    this.handlers = handlers;
    this.session = session;
    this.iceServers = iceServers;
    this.#microphone = microphone;
  }

  /**
   * @param {RealtimeEvent} event
   * @returns {boolean} whether it went to the channel; speech goes as media, and counts as gone
   */
  send(event) {
    if (this.state !== 'open' || !this.#channel) return false;
    if (event.type !== 'input_audio_buffer.append') this.#channel.send(JSON.stringify(event));
    return true;
  }

  /** Whether what the microphone gives is sent. */
  get hears() {
    return this.#heard && this.state === 'open';
  }

  /**
   * @param {boolean} on whether what the microphone gives is sent
   * @param {boolean} [silent] whether it is sent as silence
   */
  hear(on, silent = false) {
    if (this.#microphone) this.#microphone.enabled = !silent;
    if (on === this.#heard) return;
    this.#heard = on;
    void this.#attach();
  }

  /**
   * Another microphone takes over, without a new call.
   * @param {MediaStreamTrack | null} microphone
   */
  replace(microphone) {
    this.#microphone = microphone;
    void this.#attach();
  }

  /** @returns {Promise<void>} when what has been said so far is with the server, as far as can be known */
  settled() {
    return this.delay(HELD_BACK + (this.quality?.roundTripMs ?? 0) / 2);
  }

  /** @override */
  hangUp() {
    clearInterval(this.#looking);
    this.#giveUp();
    this.#over.abort();
    this.#mending = false;
    this.#unmendable = false;
    this.#channel?.close();
    this.#peer?.close();
    this.#channel = null;
    this.#peer = null;
    this.#sender = null;
    this.quality = null;
  }

  /**
   * @override
   * @param {() => boolean} wanted
   * @param {string} key
   * @returns {Promise<boolean>}
   */
  async attempt(wanted, key) {
    if (!this.RTCPeerConnection) throw new VoiceError('call-failed', 'This browser has no WebRTC.');
    this.hangUp();
    const peer = new this.RTCPeerConnection({iceServers: this.iceServers});
    const channel = peer.createDataChannel(EVENTS);
    this.#peer = peer;
    this.#channel = channel;
    this.#sender = peer.addTransceiver('audio', {direction: 'sendrecv'}).sender;
    await this.#attach();
    const current = () => wanted() && peer === this.#peer;
    peer.ontrack = ({track, streams}) => this.handlers.ontrack?.(streams[0] ?? new MediaStream([track]));
    const opened = this.#opened(peer, channel, current);
    let location = '';
    try {
      await peer.setLocalDescription(await peer.createOffer());
      if (this.iceServers.length) await addresses(peer);
      const answer = await this.#exchange(peer.localDescription?.sdp ?? '', key);
      location = answer.headers.get('location') ?? '';
      if (!current()) throw new VoiceError('call-failed');
      this.location = location;
      await peer.setRemoteDescription({type: 'answer', sdp: await answer.text()});
      return await opened;
    } catch (error) {
      if (location) void this.#giveUpAt(location, key).catch(() => {}); // then it ends by itself, later
      if (current()) this.hangUp();
      throw error;
    }
  }

  /**
   * @param {RTCPeerConnection} peer
   * @param {RTCDataChannel} channel
   * @param {() => boolean} current
   * @returns {Promise<boolean>} whether both sides hear each other; rejected when they never do
   */
  #opened(peer, channel, current) {
    const opened = new Promise((/** @type {(open: boolean) => void} */ resolve, reject) => {
      const fail = (/** @type {string} */ why) => reject(new VoiceError('call-failed', why));
      const late = setTimeout(() => fail('No way was found between this browser and the server.'), PATIENCE);
      const giveUp = () => {
        clearTimeout(late);
        fail('');
      };
      this.#giveUp = giveUp;
      const over = () => {
        if (current() && this.state === 'open') this.#lost();
        else giveUp();
      };
      channel.onopen = () => {
        clearTimeout(late);
        if (current()) this.#begun(peer, current);
        resolve(true);
      };
      channel.onmessage = ({data}) => {
        if (current()) this.receive(data);
      };
      channel.onclose = over;
      peer.onconnectionstatechange = () => {
        const state = peer.connectionState;
        if (state === 'closed' || (state === 'failed' && (this.#unmendable || this.state !== 'open'))) over();
        else if (state === 'failed' || state === 'disconnected') void this.#mend(peer, current);
      };
    });
    opened.catch(() => {}); // it may fail before anybody waits for it
    return opened;
  }

  /**
   * @param {RTCPeerConnection} peer
   * @param {() => boolean} current
   */
  #begun(peer, current) {
    this.setState('open', null);
    this.#over = new AbortController();
    whenNetworkChanges(() => void this.#mend(peer, current), this.#over.signal);
    /** @type {import('./quality.js').Count | undefined} */
    let before;
    this.#looking = setInterval(async () => {
      const stats = await peer.getStats();
      if (!current()) return;
      const {quality, count} = measure(stats.values(), before);
      before = count;
      this.quality = peer.connectionState !== 'connected' ? {...quality, grade: 'poor'} : quality;
      this.handlers.onquality?.(this.quality);
    }, LOOK);
  }

  /**
   * The way to the server is broken, or another: look for one, and give the call up where there is none.
   * @param {RTCPeerConnection} peer
   * @param {() => boolean} current
   */
  async #mend(peer, current) {
    if (this.#mending || this.#unmendable || !current()) return;
    this.#mending = true;
    const outcome = await mend(peer, (offer, signal) => this.#another(offer, signal), {
      wanted: () => current() && this.state === 'open',
      delay: this.delay,
    });
    if (!current() || this.state !== 'open') return;
    this.#mending = false;
    this.#unmendable = outcome === 'refused';
    if (outcome === 'late' || (this.#unmendable && peer.connectionState === 'failed')) this.#lost();
  }

  /**
   * @param {string} offer
   * @param {AbortSignal} signal
   * @returns {Promise<string | null>} the answer; null where the server knows no other way for this call
   */
  async #another(offer, signal) {
    const key = (await this.key?.()) ?? '';
    const headers = {'content-type': SDP};
    const reply = await this.#ask(this.location, key, {method: 'PATCH', body: offer, headers, signal});
    if (reply.ok) return reply.text();
    if (reply.status < 500) return null;
    throw new VoiceError('server-refused', `Status ${reply.status}.`);
  }

  /**
   * A call that does not come about keeps its place at the server until it is hung up.
   * @param {string} location
   * @param {string} key of the try; one that was good for one session alone is no good any more
   */
  async #giveUpAt(location, key) {
    const init = {method: 'POST', keepalive: true}; // even where the page goes
    const reply = await this.#ask(`${location}/hangup`, key, init);
    if (reply.status === 401 && this.key) await this.#ask(`${location}/hangup`, await this.key(), init);
  }

  /**
   * Ask the server something about a call.
   * @param {string} path
   * @param {string} key
   * @param {RequestInit & {headers?: Record<string, string>}} init
   * @returns {Promise<Response>}
   */
  #ask(path, key, init) {
    const url = new URL(path, this.url);
    url.search = new URL(this.url).search;
    return this.fetch(url.href, {...init, headers: {...init.headers, ...(key && {authorization: `Bearer ${key}`})}});
  }

  #lost() {
    this.hangUp();
    this.setState('closed', describe('server-gone'));
  }

  /** Send the microphone, or nothing: then no packet goes. */
  async #attach() {
    await this.#sender?.replaceTrack(this.#heard ? this.#microphone : null);
  }

  /**
   * @param {string} offer
   * @param {string} key with one, it says what the session is; without, we do
   * @returns {Promise<Response>} the answer
   */
  async #exchange(offer, key) {
    const reply = await this.fetch(this.url, {method: 'POST', ...(key.startsWith(EPHEMERAL) ? raw(offer, key) : form(offer, this.session, key))});
    if (!reply.ok) throw refusal(reply.status, await reply.text());
    return reply;
  }
}

/**
 * @param {() => void} changed
 * @param {AbortSignal} signal the end of it
 */
function whenNetworkChanges(changed, signal) {
  /** @type {(EventTarget & {type?: string}) | undefined} what some browsers tell of the network */
  const network = Reflect.get(globalThis.navigator ?? {}, 'connection');
  let kind = network?.type;
  globalThis.addEventListener?.('online', changed, {signal});
  network?.addEventListener?.(
    'change',
    () => {
      if (network.type === kind) return;
      kind = network.type;
      changed();
    },
    {signal},
  );
}

/**
 * @param {string} offer
 * @param {string} key
 * @returns {RequestInit}
 */
function raw(offer, key) {
  return {body: offer, headers: {'content-type': SDP, authorization: `Bearer ${key}`}};
}

/**
 * @param {string} offer
 * @param {Record<string, unknown>} session
 * @param {string} key empty for none
 * @returns {RequestInit}
 */
function form(offer, session, key) {
  const body = new FormData();
  body.set('sdp', offer);
  body.set('session', JSON.stringify({type: 'realtime', ...session}));
  return key ? {body, headers: {authorization: `Bearer ${key}`}} : {body};
}

/**
 * @param {number} status
 * @param {string} text the body, an error in JSON where the server is one of ours
 * @returns {VoiceError}
 */
function refusal(status, text) {
  /** @type {any} */
  let error;
  try {
    error = JSON.parse(text).error;
  } catch {
    error = null;
  }
  if (error?.code === 'not_ready') return new VoiceError('server-loading');
  if (status === 404 || status === 405) return new VoiceError('call-failed', 'The server takes no calls.');
  return new VoiceError('server-refused', error?.message ? String(error.message) : `Status ${status}.`);
}
