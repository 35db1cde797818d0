/**
 * The Realtime protocol over Home Assistant's own websocket: it works wherever Home Assistant itself is reached.
 *
 * Home Assistant holds the session with the endpoint, and its key. It forwards the endpoint's events, takes those that
 * a user may send, and speech as binary messages: one byte that it gave us, then PCM16. Where the endpoint can be reached
 * from here, speech goes straight, by a call that Home Assistant begins for us; then that one byte says when there is any.
 */

import {Line} from '../line.js';
import {decode} from '../pcm.js';
import {VoiceError, describe} from '../problems.js';

/**
 * @typedef {import('../line.js').RealtimeEvent} RealtimeEvent
 * @typedef {import('../line.js').ConnectionHandlers} ConnectionHandlers
 * @typedef {{code?: unknown, message?: string, translation_key?: string,
 *   translation_placeholders?: Record<string, string>}} Refusal what Home Assistant answers instead of a result
 * @typedef {object} HomeSocket what is used of the frontend's connection
 * @property {boolean} connected
 * @property {WebSocket | undefined} socket
 * @property {(callback: (event: any) => void, message: object, options: {resubscribe: boolean}) =>
 *   Promise<() => Promise<void>>} subscribeMessage
 * @property {(message: object) => Promise<any>} sendMessagePromise
 * @property {(type: 'ready' | 'disconnected', listener: () => void) => void} addEventListener
 * @property {(type: 'ready' | 'disconnected', listener: () => void) => void} removeEventListener
 * @typedef {object} Wanted
 * @property {string} [entity_id] the agent's conversation entity; by default, the first there is
 * @property {string} [language]
 * @typedef {import('./home-call.js').HomeCall} HomeCall
 * @typedef {import('../line.js').Platform & {say?: (key: string, placeholders: Record<string, string>) => string,
 *   call?: (onend: () => void) => HomeCall | null}} Platform
 *   `say`: Home Assistant's words for one of the integration's errors; `call`: makes a call, where one is wanted
 */

/** The first and the last event of a session, and the end of its call, are the integration's own. */
const JOINED = 'openai_realtime.joined';
const LEFT = 'openai_realtime.left';
const HUNG_UP = 'openai_realtime.hung_up';

/** Events after which their number is acknowledged. */
const ACKNOWLEDGED = 16;

/** Bytes that may wait in the socket before audio is dropped: 5 s of it. */
const MOST_WAITING = 256 * 1024;

/** Milliseconds for Home Assistant to be back. */
const BACK_MS = 10_000;

export class HomeConnection extends Line {
  /** @type {(() => Promise<void>) | null} */
  #unsubscribe = null;
  #subscription = 0;
  #handler = 0;
  #taken = 0;
  #lost = () => this.#close(describe('server-gone'));
  /** Speech goes straight. @type {HomeCall | null} */
  #call = null;
  /** What came before a call was there, or not. @type {RealtimeEvent[] | null} */
  #early = null;
  /** @type {Promise<void> | null} */
  #beginning = null;

  /**
   * @param {HomeSocket} socket
   * @param {Wanted} wanted
   * @param {ConnectionHandlers} handlers
   * @param {Platform} [platform]
   */
  constructor(socket, wanted, handlers, platform = {}) {
    super('', handlers, {fetch: () => Promise.reject(new TypeError('nothing is fetched')), ...platform});
    this.socket = socket;
    this.wanted = wanted;
    this.say = platform.say ?? ((key) => key);
    this.makeCall = platform.call ?? (() => null);
  }

  /** @returns {HomeCall | null} the call that speech goes by; null where it goes through Home Assistant */
  get call() {
    return this.#call;
  }

  /**
   * @param {boolean} on whether the microphone is sent
   * @param {boolean} silent whether it is sent as silence
   */
  hear(on, silent) {
    this.#call?.hear(on, silent);
  }

  /**
   * @param {RealtimeEvent} event
   * @param {{droppable?: boolean}} [options] audio may be left out when too much waits already
   * @returns {boolean} whether it went to the socket
   */
  send(event, {droppable = false} = {}) {
    if (this.state !== 'open' || !this.socket.connected) return false;
    if (event.type === 'input_audio_buffer.append') return this.#speak(decode(event.audio), droppable);
    void this.#ask('send', {event}).catch((refusal) => this.#refused(refusal, event.event_id));
    return true;
  }

  /**
   * @param {Int16Array} samples
   * @param {boolean} droppable
   * @returns {boolean}
   */
  #speak(samples, droppable) {
    const {socket} = this.socket;
    if (!socket || (droppable && socket.bufferedAmount > MOST_WAITING)) return false;
    const frame = new DataView(new ArrayBuffer(1 + 2 * samples.length));
    frame.setUint8(0, this.#handler);
    samples.forEach((sample, at) => frame.setInt16(1 + 2 * at, sample, true));
    socket.send(frame.buffer);
    return true;
  }

  /**
   * @override
   * @param {() => boolean} wanted
   * @returns {Promise<boolean>}
   */
  async attempt(wanted) {
    if (!this.socket.connected) await this.#back();
    if (!wanted()) return true;
    const call = this.makeCall(() => this.#ended(call));
    const offer = call ? await call.offer().catch(() => '') : '';
    if (call && !wanted()) {
      call.close();
      return true;
    }
    const message = {type: 'openai_realtime/session', ...this.wanted, ...(offer ? {offer} : {})};
    console.debug('Subscribing to OpenAI Realtime events...');
    try {
      const unsubscribe = await this.socket.subscribeMessage(
        (event) => {
          if (!wanted()) return;
          if (event.type === JOINED) this.#beginning = this.#join(event, call, wanted);
          else this.#take(event);
        },
        message,
        {resubscribe: false},
      );
      if (wanted()) this.#unsubscribe = unsubscribe;
      else void unsubscribe().catch(() => {});
      await this.#beginning;
    } catch (error) {
      call?.close();
      throw refusalOf(/** @type {Refusal | number} */ (error), this.say);
    }
    return true;
  }

  /** @override */
  hangUp() {
    this.socket.removeEventListener('disconnected', this.#lost);
    void this.#unsubscribe?.().catch(() => {}); // it may be over already
    this.#unsubscribe = null;
    this.#early = null;
    this.#drop();
  }

  #drop() {
    const call = this.#call;
    this.#call = null;
    call?.close();
  }

  /** Wait until Home Assistant is there again. */
  async #back() {
    let ready = () => {};
    const back = new Promise((/** @type {(is: boolean) => void} */ resolve) => {
      ready = () => resolve(true);
      this.socket.addEventListener('ready', ready);
    });
    const there = await Promise.race([back, this.delay(BACK_MS).then(() => false)]);
    this.socket.removeEventListener('ready', ready);
    if (!there) throw new VoiceError('server-unreachable');
  }

  /**
   * The session is there; it is open when the way of speech is known.
   * @param {{subscription: number, handler: number, answer?: string}} joined
   * @param {HomeCall | null} call
   * @param {() => boolean} wanted
   */
  async #join({subscription, handler, answer}, call, wanted) {
    console.debug('Subscribed successfully');
    this.#subscription = subscription;
    this.#handler = handler;
    this.#taken = 0;
    this.socket.addEventListener('disconnected', this.#lost);
    const early = (this.#early = call && answer ? [] : null);
    if (call && answer && (await call.accept(answer)) && wanted()) this.#call = call;
    else call?.close();
    if (!wanted() || this.state !== 'connecting') return;
    this.#early = null;
    this.setState('open', null);
    for (const event of early ?? []) this.#take(event);
  }

  /**
   * A call did not come about, or has broken: Home Assistant learns of it, and speech goes that way.
   * @param {HomeCall | null} call
   */
  #ended(call) {
    if (call !== this.#call && !this.#early) return;
    this.#call = null;
    void this.#ask('hang_up', {}).catch(() => {});
  }

  /** @param {any} event */
  #take(event) {
    if (this.#early) {
      this.#early.push(event);
      return;
    }
    console.debug('Received event:', event.type);
    if (event.type === LEFT) {
      this.#close(describe('server-gone', this.say(event.key, event.placeholders)));
      return;
    }
    this.#taken++;
    if (this.#taken % ACKNOWLEDGED === 0) void this.#ask('ack', {count: ACKNOWLEDGED}).catch(() => {});
    if (event.type === HUNG_UP) this.#drop();
    else this.handlers.onevent(event);
  }

  /** @param {import('../problems.js').Problem} problem */
  #close(problem) {
    this.hangUp();
    if (this.state !== 'closed') this.setState('closed', problem);
  }

  /**
   * @param {'send' | 'ack' | 'hang_up'} what
   * @param {object} fields
   */
  #ask(what, fields) {
    const message = {type: `openai_realtime/session/${what}`, subscription: this.#subscription, ...fields};
    return this.socket.sendMessagePromise(message);
  }

  /**
   * @param {Refusal | number} refusal a number says that the connection is lost, which we are told otherwise
   * @param {string} [event_id]
   */
  #refused(refusal, event_id) {
    if (typeof refusal === 'number' || this.state !== 'open') return;
    const {code, detail: message} = refusalOf(refusal, this.say);
    this.handlers.onevent({type: 'error', error: {type: 'invalid_request_error', code, message, event_id}});
  }
}

/**
 * @param {Refusal | number} refusal
 * @param {(key: string, placeholders: Record<string, string>) => string} say
 * @returns {VoiceError}
 */
function refusalOf(refusal, say) {
  if (typeof refusal === 'number') return new VoiceError('server-unreachable');
  const {translation_key, translation_placeholders, message, code} = refusal;
  if (code === 'unknown_command') return new VoiceError('server-unreachable', 'openai_realtime');
  const words = translation_key ? say(translation_key, translation_placeholders ?? {}) : '';
  return new VoiceError('server-refused', words || String(message ?? refusal));
}
