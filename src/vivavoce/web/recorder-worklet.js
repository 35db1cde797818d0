/**
 * The audio thread's half of the recorder: mixes to mono, resamples to 24 kHz, cuts frames of 40 ms.
 *
 * In:  `{type: 'flush', id}`: give what has gathered, however short.
 * Out: `{type: 'frame', samples}` with an Int16Array; `{type: 'flushed', id}` after the last frame.
 */

import {FRAME_SAMPLES, WIRE_RATE, toInt16} from './pcm.js';
import {Resampler} from './resampler.js';

class RecorderProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, WIRE_RATE);
    this.frame = new Int16Array(FRAME_SAMPLES);
    this.filled = 0;
    this.mono = new Float32Array(128);
    this.port.onmessage = ({data}) => {
      this.send();
      this.port.postMessage({type: 'flushed', id: data.id});
    };
  }

  /** @param {Float32Array[][]} inputs */
  process(inputs) {
    if (inputs[0].length) for (const sample of this.resampler.process(this.mix(inputs[0]))) this.add(sample);
    return true;
  }

  /**
   * @param {Float32Array[]} channels
   * @returns {Float32Array} their mean
   */
  mix(channels) {
    if (channels.length === 1) return channels[0];
    if (this.mono.length !== channels[0].length) this.mono = new Float32Array(channels[0].length);
    this.mono.fill(0);
    for (const channel of channels) channel.forEach((sample, at) => (this.mono[at] += sample / channels.length));
    return this.mono;
  }

  /** @param {number} sample */
  add(sample) {
    this.frame[this.filled++] = toInt16(sample);
    if (this.filled === FRAME_SAMPLES) this.send();
  }

  send() {
    if (!this.filled) return;
    const samples = this.frame.slice(0, this.filled);
    this.filled = 0;
    this.port.postMessage({type: 'frame', samples}, [samples.buffer]);
  }
}

registerProcessor('vivavoce-recorder', RecorderProcessor);
