/**
 * Sound as events carry it, in any of the protocol's formats. Pure.
 */

import {PCM} from './formats.js';
import {decodePcma, decodePcmu} from './g711.js';
import {WIRE_RATE, decode as decodePcm, toInt16} from './pcm.js';
import {Resampler} from './resampler.js';

/** @type {Record<string, (base64: string) => Int16Array>} */
const DECODERS = {
  [PCM]: decodePcm,
  'audio/pcmu': (base64) => decodePcmu(bytes(base64)),
  'audio/pcma': (base64) => decodePcma(bytes(base64)),
};

/**
 * @param {string} format
 * @param {unknown} base64
 * @returns {Int16Array} empty for what is no sound, and for formats of the future
 */
export function decode(format, base64) {
  try {
    return DECODERS[format]?.(String(base64 ?? '')) ?? new Int16Array(0);
  } catch {
    return new Int16Array(0);
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
