/**
 * A WebSocket that speaks the Realtime protocol: JSON events both ways, bounded, with reasons when it ends.
 */

import {Line} from './line.js';
import {describe} from './problems.js';

/**
 * @typedef {import('./line.js').RealtimeEvent} RealtimeEvent
 * @typedef {import('./line.js').ConnectionState} ConnectionState
 * @typedef {import('./line.js').ConnectionHandlers} ConnectionHandlers
 * @typedef {import('./problems.js').Problem} Problem
 * @typedef {import('./line.js').Platform & {WebSocket?: typeof WebSocket}} Platform
 */

/** Bytes that may wait in the socket before audio is dropped: 8 s of it. */
const MOST_WAITING = 512 * 1024;

/** A browser cannot set headers of a WebSocket: its key follows this, as a subprotocol that it offers. */
const KEY_SUBPROTOCOL = 'openai-insecure-api-key.';

export class Connection extends Line {
  /** @type {WebSocket | null} */
  #socket = null;

  /**
   * @param {string} url ws: or wss:, with the query
   * @param {ConnectionHandlers} handlers
   * @param {Platform} [platform]
   */
  constructor(url, handlers, platform = {}) {
    super(url, handlers, platform);
    this.WebSocket = platform.WebSocket ?? globalThis.WebSocket;
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

  /** @override */
  hangUp() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
  }

  /**
   * @override
   * @param {() => boolean} wanted
   * @param {string} key
   * @returns {Promise<boolean>}
   */
  attempt(wanted, key) {
    return new Promise((resolve) => {
      const socket = new this.WebSocket(this.url, key ? ['realtime', KEY_SUBPROTOCOL + key] : ['realtime']);
      this.#socket = socket;
      const current = () => wanted() && socket === this.#socket;
      socket.onopen = () => {
        if (current()) this.setState('open', null);
        resolve(true);
      };
      socket.onmessage = ({data}) => {
        if (current()) this.receive(data);
      };
      socket.onclose = (event) => {
        if (current() && this.state === 'open') this.setState('closed', reasonOf(event));
        resolve(false);
      };
    });
  }
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
