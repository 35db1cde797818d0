/**
 * Keeps the answer out of the microphone, for rooms where the browser's echo cancellation does not: while it sounds,
 * and a moment longer, the microphone is silence. Pure: the clock is told.
 */

/** Milliseconds that a room goes on sounding, and a loudspeaker behind its samples. */
const TAIL_MS = 300;

export class EchoGuard {
  #playing = false;
  #until = -Infinity;

  /**
   * @param {boolean} playing an answer sounds
   * @param {number} now milliseconds
   */
  hear(playing, now) {
    if (this.#playing && !playing) this.#until = now + TAIL_MS;
    this.#playing = playing;
  }

  /**
   * @param {number} now milliseconds
   * @returns {boolean} whether the microphone hears the answer
   */
  sounds(now) {
    return this.#playing || now < this.#until;
  }
}
