/**
 * A streaming polyphase resampler: a Kaiser-windowed sinc, one row of taps for each phase of the output.
 *
 * The filter is even and its delay is taken out, so output sample `k` is the signal at input time
 * `k * fromRate / toRate`. What would fold back lies 85 dB or more down.
 */

/** Zero crossings on each side of the sinc, in samples of the lower rate. */
const ZERO_CROSSINGS = 32;

/** Kaiser's beta for 90 dB: 0.1102 · (90 - 8.7). */
const BETA = 8.96;

/** Where the sinc cuts, as a part of the lower rate's Nyquist, so that the transition ends at Nyquist. */
const ROLLOFF = 0.91;

export class Resampler {
  /** Input kept for the taps that still need it. */
  window = new Float32Array(4096);
  /** Samples in `window`. */
  filled = 0;
  /** Where in `window` the next output sample lies, with `phase` / `up` beyond it. */
  position = 0;
  phase = 0;
  output = new Float32Array(4096);

  /**
   * @param {number} fromRate samples per second
   * @param {number} toRate samples per second
   */
  constructor(fromRate, toRate) {
    if (!(Number.isInteger(fromRate) && Number.isInteger(toRate) && fromRate > 0 && toRate > 0)) {
      throw new RangeError(`Expected two rates in whole samples per second, got ${fromRate} and ${toRate}.`);
    }
    const divisor = greatestCommonDivisor(fromRate, toRate);
    this.up = toRate / divisor;
    this.down = fromRate / divisor;
    const scale = Math.min(1, toRate / fromRate);
    /** Input samples that must follow an output sample before it can be computed. */
    this.half = this.up === this.down ? 0 : Math.ceil(ZERO_CROSSINGS / scale);
    this.bank = makeBank(this.up, this.half, scale * ROLLOFF);
    this.reset();
  }

  /** Forget all input; the next sample is time 0. */
  reset() {
    this.filled = Math.max(0, this.half - 1);
    this.window.fill(0, 0, this.filled);
    this.position = this.filled;
    this.phase = 0;
  }

  /**
   * @param {Float32Array} input the next samples
   * @returns {Float32Array} the output that is now certain; a view that the next call overwrites
   */
  process(input) {
    if (this.half === 0) return input;
    this.window = ensure(this.window, this.filled + input.length);
    this.window.set(input, this.filled);
    this.filled += input.length;
    this.output = ensure(this.output, Math.ceil((this.filled * this.up) / this.down) + 2);
    const count = this.#convolve();
    const done = Math.min(this.filled, this.position - this.half + 1);
    this.window.copyWithin(0, done, this.filled);
    this.filled -= done;
    this.position -= done;
    return this.output.subarray(0, count);
  }

  #convolve() {
    const {window, output, bank, half, up, down} = this;
    const taps = half * 2;
    let count = 0;
    while (this.position + half < this.filled) {
      const start = this.position - half + 1;
      const row = this.phase * taps;
      let sum = 0;
      for (let tap = 0; tap < taps; tap++) sum += window[start + tap] * bank[row + tap];
      output[count++] = sum;
      this.phase += down;
      this.position += Math.floor(this.phase / up);
      this.phase %= up;
    }
    return count;
  }
}

/**
 * @param {number} phases
 * @param {number} half taps on each side
 * @param {number} cutoff as a part of the input's Nyquist frequency
 */
function makeBank(phases, half, cutoff) {
  const taps = half * 2;
  const bank = new Float32Array(phases * taps);
  for (let phase = 0; phase < phases; phase++) {
    const row = Float64Array.from({length: taps}, (_, tap) => {
      const x = tap - half + 1 - phase / phases;
      return sinc(cutoff * x) * kaiser(x / half);
    });
    const sum = row.reduce((total, value) => total + value, 0);
    row.forEach((value, tap) => (bank[phase * taps + tap] = value / sum));
  }
  return bank;
}

/** @param {number} x */
function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** @param {number} x -1 … 1 */
function kaiser(x) {
  return Math.abs(x) > 1 ? 0 : bessel(BETA * Math.sqrt(1 - x * x)) / bessel(BETA);
}

/**
 * The modified Bessel function of the first kind, order 0, by its power series.
 * @param {number} x
 */
function bessel(x) {
  let term = 1;
  let sum = 1;
  for (let n = 1; term > sum * 1e-12; n++) {
    term *= (x / (2 * n)) ** 2;
    sum += term;
  }
  return sum;
}

/**
 * @param {number} a
 * @param {number} b
 * @returns {number}
 */
function greatestCommonDivisor(a, b) {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/**
 * @param {Float32Array<ArrayBuffer>} array
 * @param {number} length
 * @returns {Float32Array<ArrayBuffer>} the array itself, or a longer copy
 */
function ensure(array, length) {
  if (array.length >= length) return array;
  const longer = new Float32Array(Math.max(length, array.length * 2));
  longer.set(array);
  return longer;
}
