/**
 * PCM16 arithmetic: base64, floats, loudness. Audio on the wire is mono, little-endian, 24 kHz.
 */

/** Samples per second on the wire, in both directions. */
export const WIRE_RATE = 24000;

/** Samples in one frame from the microphone: 40 ms. */
export const FRAME_SAMPLES = 960;

/** Bytes that `String.fromCharCode` takes at once without running out of stack. */
const SLICE = 0x8000;

/**
 * @param {Int16Array} samples
 * @returns {string} base64 of the samples' bytes, little-endian
 */
export function encode(samples) {
  const view = new DataView(new ArrayBuffer(samples.length * 2));
  samples.forEach((sample, index) => view.setInt16(index * 2, sample, true));
  const bytes = new Uint8Array(view.buffer);
  let binary = '';
  for (let start = 0; start < bytes.length; start += SLICE) {
    binary += String.fromCharCode(...bytes.subarray(start, start + SLICE));
  }
  return btoa(binary);
}

/**
 * @param {string} base64
 * @returns {Int16Array} the samples; a last odd byte is left out
 */
export function decode(base64) {
  const binary = atob(base64);
  const samples = new Int16Array(binary.length >> 1);
  for (let index = 0; index < samples.length; index++) {
    samples[index] = binary.charCodeAt(index * 2) | (binary.charCodeAt(index * 2 + 1) << 8);
  }
  return samples;
}

/**
 * @param {number} value -1 … 1; beyond is clipped
 * @returns {number} -32768 … 32767
 */
export function toInt16(value) {
  return Math.max(-32768, Math.min(32767, Math.round(value * 32768)));
}

/**
 * @param {Float32Array} samples
 * @returns {number} root mean square, 0 … 1
 */
export function loudness(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return samples.length ? Math.sqrt(sum / samples.length) : 0;
}
