/**
 * Gapless playback of PCM16 at 24 kHz, that knows what has been heard.
 */

import {decode, loudness} from './pcm.js';

/**
 * @typedef {import('./playback.js').Heard} Heard
 * @typedef {{sampleRate: number, samples: Float32Array}} Recording
 * @typedef {{onactive?: (active: boolean) => void, onprogress?: (heard: Heard) => void}} PlayerHandlers
 *   `onactive`: sound begins or ends; `onprogress`: how far it is, about every 50 ms.
 */

export class Player {
  /**
   * @param {AudioContext} context
   * @param {PlayerHandlers} [handlers]
   * @returns {Promise<Player>}
   */
  static async open(context, handlers = {}) {
    await context.audioWorklet.addModule(new URL('./player-worklet.js', import.meta.url));
    return new Player(context, handlers);
  }

  #interruptions = 0;
  /** @type {Map<number, (heard: Heard | null) => void>} */
  #waiting = new Map();
  /** @type {Float32Array[]} */
  #tape = [];
  /** @type {((recording: Recording) => void) | null} */
  #taped = null;

  /**
   * Use `Player.open`, which loads the worklet first.
   * @param {AudioContext} context
   * @param {PlayerHandlers} handlers
   */
  constructor(context, handlers) {
    this.context = context;
    this.handlers = handlers;
    this.node = new AudioWorkletNode(context, 'vivavoce-player', {numberOfInputs: 0, outputChannelCount: [1]});
    this.analyser = new AnalyserNode(context, {fftSize: 1024});
    this.samples = new Float32Array(this.analyser.fftSize);
    this.node.connect(this.analyser).connect(context.destination);
    this.node.port.onmessage = ({data}) => this.#receive(data);
  }

  /**
   * @param {string} item_id
   * @param {number} content_index
   * @param {string} base64 PCM16 at 24 kHz: the `delta` of `response.output_audio.delta`
   */
  play(item_id, content_index, base64) {
    this.push(item_id, content_index, decode(base64));
  }

  /**
   * The same with the samples, which are given away.
   * @param {string} item_id
   * @param {number} content_index
   * @param {Int16Array} samples at 24 kHz
   */
  push(item_id, content_index, samples) {
    if (this.context.state !== 'running') void this.context.resume(); // after a phone call, or a long sleep
    this.node.port.postMessage({type: 'audio', item_id, content_index, samples}, [samples.buffer]);
  }

  /**
   * All audio of this content part has come: `response.output_audio.done`.
   * @param {string} item_id
   * @param {number} content_index
   */
  finish(item_id, content_index) {
    this.node.port.postMessage({type: 'finish', item_id, content_index});
  }

  /**
   * Fall silent within one render quantum and drop what is queued.
   * @returns {Promise<Heard | null>} what had left the loudspeaker of the item that was to be played; null if none was
   */
  async interrupt() {
    const id = ++this.#interruptions;
    if (this.context.state !== 'running') {
      this.node.port.postMessage({type: 'interrupt', id});
      return null; // nothing is heard, and the audio thread may not answer
    }
    const reply = new Promise((/** @type {(heard: Heard | null) => void} */ resolve) => this.#waiting.set(id, resolve));
    this.node.port.postMessage({type: 'interrupt', id});
    const heard = await reply;
    if (!heard) return null;
    const latency = Math.round((this.context.outputLatency || this.context.baseLatency || 0) * 1000);
    return {...heard, audio_end_ms: Math.max(0, heard.audio_end_ms - latency)};
  }

  /** @returns {number} how loud the output is now: root mean square, 0 … 1 */
  level() {
    this.analyser.getFloatTimeDomainData(this.samples);
    return loudness(this.samples);
  }

  /**
   * Record everything that is rendered from now on, silence included.
   * @returns {() => Promise<Recording>} ends the recording and gives it
   */
  record() {
    this.#tape = [];
    this.node.port.postMessage({type: 'record', on: true});
    return () =>
      new Promise((resolve) => {
        this.#taped = resolve;
        this.node.port.postMessage({type: 'record', on: false});
      });
  }

  /** Give the node back; interruptions that still wait get null. */
  close() {
    this.node.port.onmessage = null;
    this.node.disconnect();
    this.analyser.disconnect();
    for (const resolve of this.#waiting.values()) resolve(null);
    this.#waiting.clear();
  }

  /** @param {any} message */
  #receive(message) {
    switch (message.type) {
      case 'active':
        this.handlers.onactive?.(message.active);
        break;
      case 'progress':
        this.handlers.onprogress?.(message.heard);
        break;
      case 'interrupted':
        this.#waiting.get(message.id)?.(message.heard);
        this.#waiting.delete(message.id);
        break;
      case 'recorded':
        this.#tape.push(message.samples);
        if (message.last) this.#taped?.({sampleRate: this.context.sampleRate, samples: join(this.#tape)});
        break;
    }
  }
}

/**
 * @param {Float32Array[]} chunks
 * @returns {Float32Array}
 */
function join(chunks) {
  const whole = new Float32Array(chunks.reduce((total, chunk) => total + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
