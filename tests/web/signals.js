/** Signals, and measures of them, for the tests. */

/**
 * @param {number} frequency
 * @param {number} rate
 * @param {number} seconds
 */
export function sine(frequency, rate, seconds) {
  return Float32Array.from({length: Math.floor(rate * seconds)}, (_, at) => Math.sin((2 * Math.PI * frequency * at) / rate));
}

/**
 * @param {Float32Array} samples
 * @param {number} frequency
 * @param {number} rate
 * @returns {number} the amplitude of that frequency
 */
export function levelAt(samples, frequency, rate) {
  let real = 0;
  let imaginary = 0;
  samples.forEach((sample, at) => {
    real += sample * Math.cos((2 * Math.PI * frequency * at) / rate);
    imaginary += sample * Math.sin((2 * Math.PI * frequency * at) / rate);
  });
  return (2 * Math.hypot(real, imaginary)) / samples.length;
}

/** @param {Float32Array} samples */
export function toPcm(samples) {
  return Int16Array.from(samples, (sample) => Math.round(sample * 32767));
}

/**
 * The largest second difference: small for a smooth signal, large where it clicks.
 * @param {Float32Array} samples
 */
export function roughness(samples) {
  let worst = 0;
  for (let at = 2; at < samples.length; at++) {
    worst = Math.max(worst, Math.abs(samples[at] - 2 * samples[at - 1] + samples[at - 2]));
  }
  return worst;
}
