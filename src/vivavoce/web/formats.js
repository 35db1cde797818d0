/**
 * The formats that events carry sound in. Pure; `decoding.js` makes sound of it.
 */

import {WIRE_RATE} from './pcm.js';

/** @typedef {import('./connection.js').RealtimeEvent} RealtimeEvent */

/** What both sides send at first. */
export const PCM = 'audio/pcm';

/** @type {Record<string, {rate: number, width: number}>} */
const FORMATS = {
  [PCM]: {rate: WIRE_RATE, width: 2},
  'audio/pcmu': {rate: 8000, width: 1},
  'audio/pcma': {rate: 8000, width: 1},
};

/**
 * @param {string} format
 * @returns {number} samples per second
 */
export function rateOf(format) {
  return FORMATS[format]?.rate ?? WIRE_RATE;
}

/**
 * @param {string} format
 * @param {unknown} base64
 * @returns {number} its duration in milliseconds, without decoding it; 0 where nothing can be heard of it
 */
export function duration(format, base64) {
  const known = FORMATS[format];
  if (!known || typeof base64 !== 'string') return 0;
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return (((base64.length / 4) * 3 - padding) / known.width / known.rate) * 1000;
}

/** In what formats a session hears and speaks, by its events. */
export class Formats {
  /** What the user's speech is sent in. */
  hears = PCM;
  #speaks = PCM;
  /** Responses under way that have a format of their own. @type {Map<string, string>} */
  #own = new Map();

  /** @param {RealtimeEvent} event of the server */
  apply({type, session, response}) {
    this.hears = session?.audio?.input?.format?.type ?? this.hears;
    this.#speaks = session?.audio?.output?.format?.type ?? this.#speaks;
    if (type === 'response.created') this.#own.set(response?.id, response?.audio?.output?.format?.type ?? this.#speaks);
    else if (type === 'response.done') this.#own.delete(response?.id);
  }

  /**
   * @param {RealtimeEvent} event with a response_id
   * @returns {string} what the answer is given in
   */
  of({response_id}) {
    return this.#own.get(response_id) ?? this.#speaks;
  }
}
