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
