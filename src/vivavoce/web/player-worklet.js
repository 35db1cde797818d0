/**
 * The audio thread's half of the player: a `Playback` behind a message port.
 *
 * In:  `{type: 'audio', item_id, content_index, samples}`, `{type: 'finish', item_id, content_index}`,
 *      `{type: 'interrupt', id}`, `{type: 'record', on}`.
 * Out: `{type: 'active', active}`, `{type: 'progress', heard}`, `{type: 'interrupted', id, heard}`,
 *      `{type: 'recorded', samples, last}`.
 */

import {WIRE_RATE} from './pcm.js';
import {Playback} from './playback.js';

/** Progress is told this often, in render quanta: about every 50 ms at 48 kHz. */
const PROGRESS_QUANTA = 19;

/** Samples in one recorded message. */
const TAPE_SAMPLES = 4096;

class PlayerProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    this.playback = new Playback({fromRate: WIRE_RATE, toRate: sampleRate});
    this.active = false;
    this.quanta = 0;
    /** @type {Float32Array | null} */
    this.tape = null;
    this.taped = 0;
    this.port.onmessage = ({data}) => this.receive(data);
  }

  /** @param {any} message */
  receive(message) {
    switch (message.type) {
      case 'audio':
        this.playback.push(message.item_id, message.content_index, message.samples);
        break;
      case 'finish':
        this.playback.finish(message.item_id, message.content_index);
        break;
      case 'interrupt':
        this.port.postMessage({type: 'interrupted', id: message.id, heard: this.playback.interrupt()});
        break;
      case 'record':
        if (!message.on) this.eject(true);
        this.tape = message.on ? new Float32Array(TAPE_SAMPLES) : null;
        break;
    }
  }

  /**
   * @param {Float32Array[][]} _inputs
   * @param {Float32Array[][]} outputs
   */
  process(_inputs, outputs) {
    const [first, ...others] = outputs[0];
    this.playback.render(first);
    for (const other of others) other.set(first);
    this.record(first);
    this.report();
    return true;
  }

  /** @param {Float32Array} samples */
  record(samples) {
    if (!this.tape) return;
    if (this.taped + samples.length > TAPE_SAMPLES) this.eject(false);
    this.tape.set(samples, this.taped);
    this.taped += samples.length;
  }

  /** @param {boolean} last */
  eject(last) {
    const samples = this.tape ? this.tape.slice(0, this.taped) : new Float32Array(0);
    this.taped = 0;
    this.port.postMessage({type: 'recorded', samples, last}, [samples.buffer]);
  }

  report() {
    const {active, heard} = this.playback;
    if (active !== this.active) {
      this.active = active;
      this.port.postMessage({type: 'active', active});
    }
    this.quanta = active ? this.quanta + 1 : 0;
    if (heard && this.quanta % PROGRESS_QUANTA === 0) this.port.postMessage({type: 'progress', heard});
  }
}

registerProcessor('vivavoce-player', PlayerProcessor);
