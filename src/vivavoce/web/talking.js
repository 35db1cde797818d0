/**
 * The user's side of a session: the microphone, the talk button, and what of it all goes out.
 */

import {modeChange} from './configuration.js';
import {WIRE_RATE, encode} from './pcm.js';

/**
 * @typedef {import('./connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {import('./configuration.js').Mode} Mode
 * @typedef {import('./recorder.js').Recorder} Recorder
 * @typedef {import('./recorder.js').RecorderHandlers} RecorderHandlers
 * @typedef {Pick<Recorder, 'flush' | 'level' | 'close'>} Microphone
 */

/** The least that a commit may hold: 100 ms. */
const LEAST_COMMIT = WIRE_RATE / 10;

/** @type {RealtimeEvent} */
const CLEAR = {type: 'input_audio_buffer.clear'};

export class Talking {
  /** @type {Mode} */
  mode = 'hold';
  /** The talk button is held. */
  held = false;
  /** Hands-free, but nothing is sent. */
  muted = false;
  /** The server hears the user speak. */
  hearing = false;
  /** The microphone is wanted; false for those who only write. */
  wanted = false;

  /** @type {Microphone | null} */
  #microphone = null;
  /** Samples sent since the button went down. */
  #samples = 0;

  get hasMicrophone() {
    return this.#microphone !== null;
  }

  /** What is said goes out. Muted in the middle of a turn, silence does, until the server has noticed its end. */
  get open() {
    return this.held || (this.mode === 'hands-free' && (!this.muted || this.hearing));
  }

  /** What goes out is silence: muted, unless the talk button says otherwise. */
  get silent() {
    return this.muted && !this.held;
  }

  /** @returns {number} how loud the microphone is now, 0 … 1 */
  level() {
    return this.#microphone?.level() ?? 0;
  }

  /**
   * Take this microphone, in place of the one before.
   * @param {(handlers: RecorderHandlers) => Promise<Microphone>} recorder opens it
   * @param {RecorderHandlers} handlers
   * @param {() => boolean} wanted whether it still is when it has opened
   * @throws {import('./problems.js').VoiceError}
   */
  async take(recorder, {onframe, onend}, wanted) {
    const microphone = await recorder({
      onframe,
      onend: () => {
        this.#microphone = null;
        this.held = false;
        onend?.();
      },
    });
    if (!wanted()) return microphone.close();
    this.#microphone?.close();
    this.#microphone = microphone;
  }

  /** Give the microphone back. */
  drop() {
    this.#microphone?.close();
    this.#microphone = null;
  }

  /** The line is over, and with it what was being said. Who is muted stays so: nobody is heard again unasked. */
  settle() {
    this.held = false;
    this.hearing = false;
  }

  /**
   * @param {Int16Array} samples of the microphone
   * @param {boolean} media speech goes as media, and the event only tells of it
   * @returns {RealtimeEvent}
   */
  append(samples, media) {
    if (this.silent) samples.fill(0);
    return {type: 'input_audio_buffer.append', audio: media ? '' : encode(samples)};
  }

  /** @param {Int16Array} samples that went out */
  sent(samples) {
    this.#samples += samples.length;
  }

  /**
   * The talk button goes down.
   * @param {boolean} media what came before may still be on its way
   * @returns {RealtimeEvent[]} events to send
   */
  press(media) {
    this.#samples = 0;
    this.held = true;
    return media ? [CLEAR] : [];
  }

  /**
   * The talk button goes up: what was said is a turn, unless it was too short to be one.
   * @returns {Promise<RealtimeEvent | null>} what to send; null when it was up already
   */
  async release() {
    if (!this.held) return null;
    await this.#microphone?.flush();
    if (!this.held) return null;
    this.held = false;
    return this.#samples < LEAST_COMMIT ? CLEAR : {type: 'input_audio_buffer.commit'};
  }

  /**
   * @param {Mode} mode how to talk from now on
   * @param {Record<string, any>} settings of the session
   * @returns {RealtimeEvent[]} events to send
   */
  change(mode, settings) {
    this.settle();
    this.mode = mode;
    const events = [modeChange(mode, settings)];
    return mode === 'hold' ? [...events, CLEAR] : events; // what was half said
  }
}
