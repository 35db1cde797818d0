/**
 * A WebSocket that speaks the Realtime protocol: JSON events both ways, bounded, with reasons when it ends.
 */

import {describe} from './problems.js';

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
 * @typedef {{WebSocket?: typeof WebSocket, fetch?: typeof fetch, delay?: (ms: number) => Promise<void>}} Platform
 */

/** Bytes that may wait in the socket before audio is dropped: 8 s of it. */
const MOST_WAITING = 512 * 1024;

/** Milliseconds before the second, third, … try; each with up to a fifth more, so that clients spread. */
const BACKOFF = [500, 1000, 2000, 4000, 8000];

/** The error code of a server that serves the request, were it a WebSocket. */
const NO_UPGRADE = 'upgrade_required';

/** Milliseconds until a server that still loads is asked again. */
const LOADING_PAUSE = 1000;

export class Connection {
  /** @type {ConnectionState} */
  state = 'closed';
  /** @type {WebSocket | null} */
  #socket = null;
  #generation = 0;

  /**
   * @param {string} url ws: or wss:, with the query
   * @param {ConnectionHandlers} handlers
   * @param {Platform} [platform] stand-ins for tests
   */
  constructor(url, handlers, platform = {}) {
    this.url = url;
    this.handlers = handlers;
    this.WebSocket = platform.WebSocket ?? globalThis.WebSocket;
    this.fetch = platform.fetch ?? globalThis.fetch.bind(globalThis);
    this.delay = platform.delay ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
  }

  /**
   * Connect, with several tries when asked for.
   * @param {number} [attempts] how often to try, with growing pauses
   * @returns {Promise<void>} when it is open, or has failed for good: see `state`
   */
  async open(attempts = 1) {
    const generation = ++this.#generation;
    this.#setState('connecting', null);
    for (let attempt = 1; generation === this.#generation; ) {
      this.handlers.onattempt?.(attempt);
      if (await this.#try(generation)) return;
      const problem = await this.#diagnose();
      if (generation !== this.#generation) return;
      if (problem.code === 'server-loading') {
        this.handlers.onloading?.(problem.detail);
        await this.delay(LOADING_PAUSE);
      } else if (attempt >= attempts) {
        this.#setState('closed', problem);
        return;
      } else {
        const pause = BACKOFF[Math.min(attempt - 1, BACKOFF.length - 1)];
        await this.delay(pause * (1 + Math.random() / 5));
        attempt++;
      }
    }
  }

  /**
   * @param {RealtimeEvent} event
   * @param {{droppable?: boolean}} [options] audio may be left out when too much waits already
   * @returns {boolean} whether it went to the socket
   */
  send(event, {droppable = false} = {}) {
    if (this.state !== 'open' || !this.#socket) return false;
    if (droppable && this.#socket.bufferedAmount > MOST_WAITING) return false;
    this.#socket.send(JSON.stringify(event));
    return true;
  }

  /** Close, or give up connecting. */
  close() {
    this.#generation++;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
    this.#setState('closed', null);
  }

  /**
   * One try.
   * @param {number} generation
   * @returns {Promise<boolean>} whether it opened
   */
  #try(generation) {
    return new Promise((resolve) => {
      const socket = new this.WebSocket(this.url, ['realtime']);
      this.#socket = socket;
      const current = () => generation === this.#generation && socket === this.#socket;
      socket.onopen = () => {
        if (current()) this.#setState('open', null);
        resolve(true);
      };
      socket.onmessage = ({data}) => {
        if (current()) this.#receive(data);
      };
      socket.onclose = (event) => {
        if (current() && this.state === 'open') this.#setState('closed', reasonOf(event));
        resolve(false);
      };
    });
  }

  /** @param {unknown} data */
  #receive(data) {
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

  /**
   * A browser does not say why a handshake failed. The server's health, or a plain request, does.
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
      return describe('server-unreachable');
    }
  }

  /**
   * @param {string} address
   * @returns {Promise<any>} the JSON it answers with, whatever the status; null when it is none
   */
  async #ask(address) {
    const reply = await this.fetch(address, {headers: {accept: 'application/json'}});
    return reply.json().catch(() => null);
  }

  /**
   * @param {ConnectionState} state
   * @param {Problem | null} problem
   */
  #setState(state, problem) {
    if (state === this.state && !problem) return;
    this.state = state;
    this.handlers.onstate(state, problem);
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
 * @param {{protocol: string, host: string, search?: string}} location the page's; its `?token=` is passed on
 * @param {string} model
 * @returns {string} the address of the Realtime endpoint that served the page
 */
export function endpointUrl(location, model) {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const token = new URLSearchParams(location.search).get('token');
  const asked = `model=${encodeURIComponent(model)}${token ? `&token=${encodeURIComponent(token)}` : ''}`;
  return `${scheme}//${location.host}/v1/realtime?${asked}`;
}

/**
 * @param {{code: number, reason: string}} closed
 * @returns {Problem}
 */
export function reasonOf({code, reason}) {
  if (code === 1001 && /maximum duration|expired/i.test(reason)) return describe('session-expired', reason);
  if (code === 1006 || code === 1001 || code === 1000) return describe('server-gone', reason);
  return describe('server-gone', reason || `The server closed with code ${code}.`);
}

/**
 * @param {unknown} value
 * @returns {value is RealtimeEvent}
 */
function isEvent(value) {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}
