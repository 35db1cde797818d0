/**
 * Plays a recording in this browser: a clock for a `Replay`, and two loudspeakers for the voices in it.
 *
 * It draws nothing. It dispatches `change` when something that can be seen has changed, and `event` with each entry that
 * has happened, or with null when others than before have.
 */

import {ToWire} from './decoding.js';
import {Replay} from './inspect/replay.js';
import {rest} from './inspect/soundtrack.js';
import {Player} from './player.js';
import {say} from './words.js';

/**
 * @typedef {import('./inspect/event-log.js').EventLog} EventLog
 * @typedef {Pick<Player, 'push' | 'finish' | 'interrupt' | 'level' | 'close'>} Voice
 * @typedef {object} Platform
 * @property {() => Promise<Voice>} voice opens a loudspeaker
 * @property {() => number} [now] milliseconds
 */

/** Milliseconds from one look at the clock to the next. */
const TICK = 40;

/** Milliseconds by which sound that goes on is given to the loudspeaker ahead of its time: a busy page may look late. */
const AHEAD = 1000;

const SIDES = /** @type {const} */ (['C', 'S']);

export class Replaying extends EventTarget {
  /** Why nothing is heard; empty where nothing is wrong. */
  problem = '';
  /** The user's, and the server's. @type {Record<'C' | 'S', Voice> | null} */
  #voices = null;
  /** The next sound of each that goes to the loudspeaker. */
  #next = {C: 0, S: 0};
  /** Loudspeakers take the wire's rate. */
  #wires = {C: new ToWire(), S: new ToWire()};
  /** The place where the loudspeakers began: a sound that is under way there is heard from there on. */
  #began = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticking;

  /**
   * @param {string} name
   * @param {EventLog} recorded with one event at least
   * @param {Platform} platform
   * @param {import('./inspect/soundtrack.js').Tapes} [tapes] what was recorded beside the events
   */
  constructor(name, recorded, {voice, now = () => performance.now()}, tapes) {
    super();
    this.replay = new Replay(name, recorded, tapes);
    this.open = voice;
    this.now = now;
  }

  /** @returns {{input: number, output: number}} how loud both sides are now, 0 … 1 */
  levels() {
    if (!this.#voices || !this.replay.playing) return {input: 0, output: 0};
    return {input: this.#voices.C.level(), output: this.#voices.S.level()};
  }

  /** Whether there is sound in it. */
  get audible() {
    return SIDES.some((side) => this.replay.soundtrack[side].length > 0);
  }

  /** Play, or pause. Call it from a click or key press, or browsers keep the sound off. */
  async toggle() {
    const {replay} = this;
    if (replay.playing) {
      this.#settle(() => replay.pause());
      return;
    }
    await this.#openVoices();
    this.#settle(() => replay.play(this.now()));
    this.#ticking = setInterval(() => this.tick(), TICK);
  }

  /** @param {number} ms since the recording began */
  seek(ms) {
    this.#settle(() => this.replay.seek(ms));
  }

  /** @param {1 | -1} by */
  step(by) {
    this.#settle(() => this.replay.step(by));
  }

  /** @param {number} speed 1 for its own; others are without sound */
  hurry(speed) {
    this.tick();
    this.#settle(() => (this.replay.speed = speed));
  }

  /** Look at the clock. */
  tick() {
    const {playing} = this.replay;
    const entries = this.replay.advance(this.now());
    for (const entry of entries) this.dispatchEvent(new CustomEvent('event', {detail: entry}));
    if (playing) this.#cue();
    if (!this.replay.playing) clearInterval(this.#ticking);
    this.dispatchEvent(new Event('change'));
  }

  /** Release the loudspeakers. */
  close() {
    clearInterval(this.#ticking);
    this.replay.pause();
    this.#voices?.C.close();
    this.#voices?.S.close();
    this.#voices = null;
  }

  async #openVoices() {
    if (this.#voices || !this.audible) return;
    try {
      const [C, S] = await Promise.all([this.open(), this.open()]);
      this.#voices = {C, S};
    } catch (error) {
      this.problem = say('Nothing can be heard: {0}', error instanceof Error ? error.message : error);
    }
  }

  /**
   * Change where it is, or how it goes on: what was to be heard is not.
   * @param {() => void} change
   */
  #settle(change) {
    const before = this.replay.log.entries.length;
    const log = this.replay.log;
    change();
    void this.#voices?.C.interrupt();
    void this.#voices?.S.interrupt();
    const {soundtrack, at, playing} = this.replay;
    this.#began = at;
    this.#wires = {C: new ToWire(), S: new ToWire()};
    for (const side of SIDES) {
      const next = soundtrack[side].findIndex(({until}) => until > at);
      this.#next[side] = next < 0 ? soundtrack[side].length : next;
    }
    if (playing) this.#cue();
    else clearInterval(this.#ticking);
    if (this.replay.log !== log || log.entries.length !== before) this.dispatchEvent(new CustomEvent('event', {detail: null}));
    this.dispatchEvent(new Event('change'));
  }

  /** Give the loudspeakers what is to be heard now, and soon. */
  #cue() {
    const {soundtrack, at, speed, name} = this.replay;
    if (!this.#voices || speed !== 1) return;
    for (const side of SIDES) {
      const voice = this.#voices[side];
      for (let sound; (sound = soundtrack[side][this.#next[side]]); this.#next[side]++) {
        if (sound.from > at + (sound.first ? 0 : AHEAD)) break;
        const wire = this.#wires[side];
        const push = (/** @type {Int16Array} */ samples) => samples.length && voice.push(name, 0, samples);
        push(wire.take(rest(sound, this.#began), sound.rate));
        if (!sound.last) continue;
        push(wire.end());
        voice.finish(name, 0);
      }
    }
  }
}
