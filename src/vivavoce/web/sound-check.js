/**
 * Before a call: two tones at the loudspeaker, and how loud the microphone is.
 */

import {Recorder} from './recorder.js';

/** Hertz of the tones, one after the other: a fifth, rising. */
const TONES = [440, 660];

/** Seconds of one tone, and of the time in which it swells and fades. */
const SECONDS = 0.25;
const FADE = 0.03;

/** Clear, and not loud: -14 dB. */
const GAIN = 0.2;

/** The sound check of an element: one at a time, and none that was ended while its microphone opened. */
export class SoundChecks {
  /** @type {SoundCheck | null} */
  current = null;
  /** The one whose microphone opens now. */
  #opening = 0;
  #begun = 0;

  /**
   * @param {() => void} changed
   * @param {typeof SoundCheck.open} [open]
   */
  constructor(changed, open = SoundCheck.open) {
    this.changed = changed;
    this.open = open;
  }

  /**
   * Begin one, if none is beginning already.
   * @param {AudioContext} context
   * @throws {import('./problems.js').VoiceError} when the microphone does not open, and is still wanted
   */
  async begin(context) {
    if (this.#opening) return;
    this.end();
    const number = (this.#opening = ++this.#begun);
    try {
      const check = await this.open(context, () => this.current === check && this.end());
      if (this.#opening !== number) return check.close();
      this.current = check;
      this.changed();
      check.play();
    } catch (error) {
      if (this.#opening === number) throw error;
    } finally {
      if (this.#opening === number) this.#opening = 0;
    }
  }

  /** End the one that there is, or that begins. */
  end() {
    this.#opening = 0;
    if (!this.current) return;
    this.current.close();
    this.current = null;
    this.changed();
  }
}

export class SoundCheck {
  /**
   * @param {AudioContext} context
   * @param {() => void} [onend] the microphone went away
   * @returns {Promise<SoundCheck>} once the microphone is open
   * @throws {import('./problems.js').VoiceError}
   */
  static async open(context, onend) {
    return new SoundCheck(context, await Recorder.open(context, {onframe: () => {}, onend}));
  }

  /**
   * @param {AudioContext} context
   * @param {Recorder} recorder
   */
  constructor(context, recorder) {
    this.context = context;
    this.recorder = recorder;
  }

  /** @returns {string} the microphone's name */
  get label() {
    return this.recorder.label;
  }

  /** @returns {number} how loud the microphone is now: root mean square, 0 … 1 */
  level() {
    return this.recorder.level();
  }

  /** Play the tones. */
  play() {
    const {context} = this;
    TONES.forEach((frequency, index) => {
      const from = context.currentTime + index * SECONDS;
      const tone = new OscillatorNode(context, {frequency});
      const gain = new GainNode(context, {gain: 0});
      gain.gain.setValueAtTime(0, from);
      gain.gain.linearRampToValueAtTime(GAIN, from + FADE);
      gain.gain.setValueAtTime(GAIN, from + SECONDS - FADE);
      gain.gain.linearRampToValueAtTime(0, from + SECONDS);
      tone.connect(gain).connect(context.destination);
      tone.start(from);
      tone.stop(from + SECONDS);
    });
  }

  /** Give the microphone back. */
  close() {
    this.recorder.close();
  }
}
