/**
 * Sound as events carry it, in any of the protocol's formats. Pure.
 */

import {decodePcma, decodePcmu} from './g711.js';
import {WIRE_RATE, decode as decodePcm, toInt16} from './pcm.js';
import {Resampler} from './resampler.js';

/** @typedef {import('./connection.js').RealtimeEvent} RealtimeEvent */

/** What both sides send at first. */
export const PCM = 'audio/pcm';

/** @type {Record<string, {rate: number, width: number, decode: (base64: string) => Int16Array}>} */
const FORMATS = {
  [PCM]: {rate: WIRE_RATE, width: 2, decode: decodePcm},
  'audio/pcmu': {rate: 8000, width: 1, decode: (base64) => decodePcmu(bytes(base64))},
  'audio/pcma': {rate: 8000, width: 1, decode: (base64) => decodePcma(bytes(base64))},
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
 * @returns {Int16Array} empty for what is no sound, and for formats of the future
 */
export function decode(format, base64) {
  try {
    return FORMATS[format]?.decode(String(base64 ?? '')) ?? new Int16Array(0);
  } catch {
    return new Int16Array(0);
  }
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

/** Brings a stream of sound to the wire's rate. */
export class ToWire {
  #rate = WIRE_RATE;
  /** @type {Resampler | null} */
  #resampler = null;

  /**
   * @param {Int16Array} samples the next
   * @param {number} rate of them
   * @returns {Int16Array} the same at the wire's rate, as far as it is certain
   */
  take(samples, rate) {
    if (rate !== this.#rate) {
      this.#rate = rate;
      this.#resampler = rate === WIRE_RATE ? null : new Resampler(rate, WIRE_RATE);
    }
    if (!this.#resampler) return samples;
    return Int16Array.from(this.#resampler.process(Float32Array.from(samples, (sample) => sample / 32768)), toInt16);
  }

  /** @returns {Int16Array} the rest; what comes then is another stream */
  end() {
    const resampler = this.#resampler;
    if (!resampler) return new Int16Array(0);
    const rest = this.take(new Int16Array(resampler.half), this.#rate);
    resampler.reset();
    return rest;
  }
}

/** @param {string} base64 */
function bytes(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}
