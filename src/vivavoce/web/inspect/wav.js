/**
 * WAV files of 16 bits, as recordings have them. Pure.
 */

import {say} from '../words.js';

/** @typedef {import('./soundtrack.js').Tape} Tape */

/** The kinds of `fmt ` that may hold PCM: plain, and extensible. */
const KINDS = [1, 0xfffe];

/**
 * @param {ArrayBuffer} file
 * @returns {Tape[]} of each channel
 * @throws {TypeError} with what was expected of it
 */
export function readWav(file) {
  const view = new DataView(file);
  if (file.byteLength < 12 || name(view, 0) !== 'RIFF' || name(view, 8) !== 'WAVE') throw new TypeError(say('Expected a WAV file.'));
  let channels = 0;
  let rate = 0;
  for (let at = 12; at + 8 <= file.byteLength; ) {
    const size = view.getUint32(at + 4, true);
    const begin = at + 8;
    if (name(view, at) === 'fmt ' && begin + 16 <= file.byteLength) {
      const bits = view.getUint16(begin + 14, true);
      if (!KINDS.includes(view.getUint16(begin, true)) || bits !== 16) throw new TypeError(say('Expected a WAV file of 16 bits.'));
      channels = view.getUint16(begin + 2, true);
      rate = view.getUint32(begin + 4, true);
    } else if (name(view, at) === 'data') {
      return split(new Uint8Array(file, begin, Math.min(size, file.byteLength - begin)), channels, rate); // it may be broken off
    }
    at = begin + size + (size % 2);
  }
  throw new TypeError(say('Expected a WAV file with sound in it.'));
}

/**
 * @param {Uint8Array} data
 * @param {number} channels
 * @param {number} rate
 */
function split(data, channels, rate) {
  if (!channels || !rate) throw new TypeError(say('Expected a WAV file that says what is in it.'));
  const frames = Math.floor(data.length / 2 / channels);
  const view = new DataView(data.buffer, data.byteOffset);
  return Array.from({length: channels}, (_, channel) => {
    const samples = new Int16Array(frames);
    for (let at = 0; at < frames; at++) samples[at] = view.getInt16((at * channels + channel) * 2, true);
    return {rate, samples};
  });
}

/**
 * @param {DataView} view
 * @param {number} at
 * @returns {string} the four letters there
 */
function name(view, at) {
  return String.fromCharCode(...[0, 1, 2, 3].map((place) => view.getUint8(at + place)));
}
