/**
 * What the loudspeaker gets: chunks of PCM16 in, a steady stream of floats out. Pure; the worklet runs it.
 *
 * It waits for a small start buffer, so that chunks may come unevenly. When chunks run out in the middle of an
 * answer it fades out, waits for more than last time, and fades in again: a pause, never a click. It knows how
 * much of which item has been played, which is what an interruption must tell the server.
 */

import {Resampler} from './resampler.js';

/**
 * @typedef {{item_id: string, content_index: number, audio_end_ms: number}} Heard
 *   How much of an item's audio has been played, in whole milliseconds.
 * @typedef {{item_id: string, content_index: number, start: number, received: number, finished: boolean}} Segment
 *   One content part: where it starts in the stream and how long it is, in source samples.
 */

/**
 * Seconds that must wait before the first sound: five chunks of 40 ms. The first is then 160 ms old, which is enough
 * for each of the others to come 100 ms late, and for five minutes in which two clocks drift apart by 100 ppm.
 */
const START_SECONDS = 0.2;

/** The start buffer doubles after each pause, up to this. */
const MOST_START_SECONDS = 0.48;

/** Fades are this long: short enough not to be noticed, long enough not to click. */
const FADE_SECONDS = 0.005;

/** Source samples that go through the resampler at a time. */
const BLOCK = 128;

export class Playback {
  /** @type {'idle' | 'waiting' | 'playing' | 'stopping'} */
  state = 'idle';
  /** @type {Segment[]} */
  segments = [];
  /** @type {Int16Array[]} */
  queue = [];
  /** Samples of the queue's head that are gone already. */
  queueOffset = 0;
  /** Source samples that wait in the queue. */
  queued = 0;
  /** Source samples resampled so far, with the silence after the last. */
  pushed = 0;
  /** Output samples that wait in `pending`. */
  available = 0;
  /** Output samples given out. */
  played = 0;
  /** 0 … 1, moved by the fades. */
  gain = 0;
  /** The silence after the last sample has been pushed, so that nothing is left in the resampler. */
  drained = false;
  /** Source samples that must wait before sound starts. */
  startSamples = 0;
  pending = new Float32Array(8192);
  block = new Float32Array(BLOCK);

  /** @param {{fromRate: number, toRate: number, startSeconds?: number}} options rates in samples per second */
  constructor({fromRate, toRate, startSeconds = START_SECONDS}) {
    this.fromRate = fromRate;
    this.toRate = toRate;
    this.startSeconds = startSeconds;
    this.resampler = new Resampler(fromRate, toRate);
    this.fadeStep = 1 / (FADE_SECONDS * toRate);
    this.#reset();
  }

  /** Forget everything, as at the very start. */
  #reset() {
    this.state = 'idle';
    this.segments = [];
    this.queue = [];
    this.queueOffset = 0;
    this.queued = 0;
    this.pushed = 0;
    this.available = 0;
    this.played = 0;
    this.gain = 0;
    this.drained = false;
    this.startSamples = this.startSeconds * this.fromRate;
    this.resampler.reset();
  }

  /** True while there is, or soon will be, sound. */
  get active() {
    return this.state !== 'idle';
  }

  /** True when nothing more is to come for what is queued. */
  get #ended() {
    return this.segments.at(-1)?.finished ?? true;
  }

  /**
   * @param {string} item_id
   * @param {number} content_index
   * @param {Int16Array} samples at `fromRate`
   */
  push(item_id, content_index, samples) {
    if (this.state === 'stopping') this.#reset();
    const last = this.segments.at(-1);
    if (last && last.item_id === item_id && last.content_index === content_index) {
      last.received += samples.length;
      last.finished = false;
    } else {
      const start = this.pushed + this.queued;
      this.segments.push({item_id, content_index, start, received: samples.length, finished: false});
    }
    this.queue.push(samples);
    this.queued += samples.length;
    this.drained = false;
    if (this.state === 'idle') this.state = 'waiting';
  }

  /**
   * All audio of this content part has come.
   * @param {string} item_id
   * @param {number} content_index
   */
  finish(item_id, content_index) {
    const segment = this.segments.find((one) => one.item_id === item_id && one.content_index === content_index);
    if (segment) segment.finished = true;
  }

  /**
   * Stop: what is queued is dropped, the next render fades to silence.
   * @returns {Heard | null} what had been played of what was to be; null when nothing was to be
   */
  interrupt() {
    const heard = this.heard ?? this.#unheard;
    if (this.state === 'playing') this.state = 'stopping';
    else this.#reset();
    return heard;
  }

  /** @returns {Heard | null} the content part that waits for its first sound; null when none does */
  get #unheard() {
    const first = this.state === 'waiting' ? this.segments[0] : undefined;
    return first ? {item_id: first.item_id, content_index: first.content_index, audio_end_ms: 0} : null;
  }

  /** @returns {Heard | null} how much of the current content part has been played; null when nothing has */
  get heard() {
    if (this.state === 'idle' || this.state === 'stopping' || this.played === 0) return null;
    const position = Math.floor((this.played * this.fromRate) / this.toRate);
    const segment = this.segments.findLast((one) => one.start < position) ?? this.segments[0];
    const samples = Math.min(position - segment.start, segment.received);
    return {
      item_id: segment.item_id,
      content_index: segment.content_index,
      audio_end_ms: Math.floor((samples * 1000) / this.fromRate),
    };
  }

  /**
   * @param {Float32Array} out filled with the next samples at `toRate`
   */
  render(out) {
    if (this.state === 'waiting' && (this.queued >= this.startSamples || this.#ended)) this.state = 'playing';
    if (this.state === 'idle' || this.state === 'waiting') {
      out.fill(0);
      return;
    }
    this.#pull(out.length + Math.ceil(1 / this.fadeStep));
    const stopping = this.state === 'stopping';
    const starving = !this.drained && this.available < out.length + 1 / this.fadeStep && !this.queued;
    const step = stopping ? -1 / out.length : starving ? -this.fadeStep : this.fadeStep;
    const written = this.#copy(out, step);
    out.fill(0, written);
    this.#settle(stopping, starving);
  }

  /**
   * Resample until `wanted` samples are pending, or nothing is left.
   * @param {number} wanted
   */
  #pull(wanted) {
    while (this.available < wanted && this.queued > 0) this.#resample(this.#take());
    if (this.queued === 0 && this.#ended && !this.drained) {
      this.#resample(new Float32Array(this.resampler.half));
      this.drained = true;
    }
  }

  /** @returns {Float32Array} up to one block of source samples, taken off the queue */
  #take() {
    const head = this.queue[0];
    const count = Math.min(BLOCK, head.length - this.queueOffset);
    for (let index = 0; index < count; index++) this.block[index] = head[this.queueOffset + index] / 32768;
    this.queueOffset += count;
    this.queued -= count;
    if (this.queueOffset === head.length) {
      this.queue.shift();
      this.queueOffset = 0;
    }
    return this.block.subarray(0, count);
  }

  /** @param {Float32Array} source */
  #resample(source) {
    this.pushed += source.length;
    const output = this.resampler.process(source);
    this.pending.set(output, this.available);
    this.available += output.length;
  }

  /**
   * Move pending samples to `out` under the moving gain, until silence is reached or nothing is left.
   * @param {Float32Array} out
   * @param {number} step change of the gain for each sample
   * @returns {number} samples written
   */
  #copy(out, step) {
    const count = Math.min(out.length, this.available);
    let index = 0;
    while (index < count) {
      this.gain = Math.max(0, Math.min(1, this.gain + step));
      if (this.gain === 0) break;
      out[index] = this.pending[index] * this.gain;
      index++;
    }
    this.pending.copyWithin(0, index, this.available);
    this.available -= index;
    this.played += index;
    return index;
  }

  /**
   * @param {boolean} stopping
   * @param {boolean} starving
   */
  #settle(stopping, starving) {
    if (stopping || (this.drained && this.available === 0)) {
      this.#reset();
    } else if (starving && this.gain === 0) {
      this.state = 'waiting';
      this.startSamples = Math.min(this.startSamples * 2, MOST_START_SECONDS * this.fromRate);
    }
  }
}
