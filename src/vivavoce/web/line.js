/**
 * A line to a server: opened with growing pauses between the tries, and with a reason when it cannot be had.
 *
 * A WebSocket (`connection.js`) and a call over WebRTC (`call.js`) are lines. They know how to try once, how to send
 * and how to hang up.
 */

import {VoiceError, describe, explain} from './problems.js';

/**
 * @typedef {{type: string, event_id?: string, [field: string]: any}} RealtimeEvent
 * @typedef {import('./problems.js').Problem} Problem
 * @typedef {'closed' | 'connecting' | 'open'} ConnectionState
 * @typedef {{
 *   onevent: (event: RealtimeEvent) => void,
 *   onstate: (state: ConnectionState, problem: Problem | null) => void,
 *   onattempt?: (attempt: number) => void,
 *   onloading?: (what: string) => void,
 * }} ConnectionHandlers
 *   `onstate`: with a problem when it closed without being asked to; `onattempt`: a reconnect's n-th try begins;
 *   `onloading`: the server still loads its models, and will be asked again.
 * @typedef {object} Platform stand-ins for tests, and whom to ask for a key
 * @property {typeof fetch} [fetch]
 * @property {(ms: number) => Promise<void>} [delay]
 * @property {() => Promise<string>} [key] asked before each try: an ephemeral key may be good for one only
 */

/** Milliseconds before the second, third, … try; each with up to a fifth more, so that clients spread. */
const BACKOFF = [500, 1000, 2000, 4000, 8000];

/** The error code of a server that serves the request, were it a WebSocket. */
const NO_UPGRADE = 'upgrade_required';

/** Milliseconds until a server that still loads is asked again. */
const LOADING_PAUSE = 1000;

export class Line {
  /** @type {ConnectionState} */
  state = 'closed';
  #generation = 0;
  /** The key of the last try. */
  #key = '';

  /**
   * @param {string} url of the endpoint, with the query
   * @param {ConnectionHandlers} handlers
   * @param {Platform} [platform]
   */
  constructor(url, handlers, platform = {}) {
    this.url = url;
    this.handlers = handlers;
    this.fetch = platform.fetch ?? globalThis.fetch.bind(globalThis);
    this.delay = platform.delay ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
    this.key = platform.key;
  }

  /**
   * Connect, with several tries when asked for.
   * @param {number} [attempts] how often to try, with growing pauses
   * @returns {Promise<void>} when it is open, or has failed for good: see `state`
   */
  async open(attempts = 1) {
    const generation = ++this.#generation;
    const current = () => generation === this.#generation;
    this.setState('connecting', null);
    for (let attempt = 1; current(); ) {
      this.handlers.onattempt?.(attempt);
      const problem = await this.#once(current);
      if (!problem || !current()) return;
      if (problem.code === 'server-loading') {
        this.handlers.onloading?.(problem.detail);
        await this.delay(LOADING_PAUSE);
      } else if (attempt >= attempts) {
        this.setState('closed', problem);
        return;
      } else {
        const pause = BACKOFF[Math.min(attempt - 1, BACKOFF.length - 1)];
        await this.delay(pause * (1 + Math.random() / 5));
        attempt++;
      }
    }
  }

  /** Close, or give up connecting. */
  close() {
    this.#generation++;
    this.hangUp();
    this.setState('closed', null);
  }

  /**
   * @param {() => boolean} current
   * @returns {Promise<Problem | null>} why it did not open
   */
  async #once(current) {
    try {
      if (this.key) this.#key = await this.key();
    } catch (error) {
      return explain(error, 'key-refused');
    }
    try {
      if (!current() || (await this.attempt(current, this.#key))) return null;
    } catch (error) {
      if (error instanceof VoiceError) return describe(error.code, error.detail);
    }
    return this.#diagnose();
  }

  /**
   * One try.
   * @param {() => boolean} _current whether it is still wanted
   * @param {string} _key empty for none
   * @returns {Promise<boolean>} whether it opened
   * @throws {VoiceError} with the reason, where it is known
   * @protected
   */
  async attempt(_current, _key) {
    return false;
  }

  /**
   * Let go of the other side.
   * @protected
   */
  hangUp() {}

  /**
   * Neither browser nor peer says why it did not come about. The server's health, or a plain request, does.
   * @returns {Promise<Problem>}
   */
  async #diagnose() {
    const address = this.url.replace(/^ws/, 'http');
    try {
      const health = await this.#ask(new URL('/health', address).href);
      if (health?.status === 'loading') return describe('server-loading', progressOf(health));
      if (health?.status === 'failed') return describe('server-failed', String(health.error ?? ''));
      const error = (await this.#ask(address))?.error;
      return describe('server-refused', error && error.code !== NO_UPGRADE ? String(error.message) : '');
    } catch {
      return describe((await this.#isThere(address)) ? 'origin-refused' : 'server-unreachable');
    }
  }

  /**
   * @param {string} address
   * @returns {Promise<any>} the JSON it answers with, whatever the status; null when it is none
   */
  async #ask(address) {
    /** @type {Record<string, string>} */
    const headers = {accept: 'application/json'};
    if (this.#key) headers.authorization = `Bearer ${this.#key}`;
    const reply = await this.fetch(address, {headers});
    return reply.json().catch(() => null);
  }

  /**
   * @param {string} address
   * @returns {Promise<boolean>} whether a server of another origin answers, though not to this page
   */
  async #isThere(address) {
    if (!globalThis.location || new URL(address).origin === location.origin) return false;
    return this.fetch(address, {mode: 'no-cors'}).then(
      () => true,
      () => false,
    );
  }

  /**
   * @param {ConnectionState} state
   * @param {Problem | null} problem
   * @protected
   */
  setState(state, problem) {
    if (state === this.state && !problem) return;
    this.state = state;
    this.handlers.onstate(state, problem);
  }

  /**
   * Take what the other side says. What is no event is left out.
   * @param {unknown} data
   * @protected
   */
  receive(data) {
    if (typeof data !== 'string') return;
    /** @type {unknown} */
    let event;
    try {
      event = JSON.parse(data);
    } catch {
      return;
    }
    if (isEvent(event)) this.handlers.onevent(event);
  }
}

/**
 * @param {{stage?: string, progress?: {name: string, done: number, total: number} | null}} health
 * @returns {string} what is being loaded, and how much of it is here
 */
function progressOf({stage, progress}) {
  if (!progress?.total) return stage ?? '';
  return `${progress.name}, ${Math.floor((100 * progress.done) / progress.total)} %`;
}

/**
 * @param {unknown} value
 * @returns {value is RealtimeEvent}
 */
function isEvent(value) {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}
