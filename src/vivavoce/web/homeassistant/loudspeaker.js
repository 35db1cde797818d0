/**
 * The answer, whichever way it comes: as events through Home Assistant, or as the sound of a call.
 */

import {Player} from '../player.js';
import {Speaker} from '../speaker.js';

/**
 * @typedef {import('../line.js').RealtimeEvent} RealtimeEvent
 * @typedef {import('../player.js').PlayerHandlers} PlayerHandlers
 */

export class HomeLoudspeaker {
  /**
   * @param {AudioContext} context
   * @param {PlayerHandlers} handlers
   * @param {(event: RealtimeEvent) => void} tell sends an event
   * @returns {Promise<HomeLoudspeaker>}
   */
  static async open(context, {onactive}, tell) {
    const active = {player: false, speaker: false};
    const change = (/** @type {Partial<typeof active>} */ one) => {
      Object.assign(active, one);
      onactive?.(active.player || active.speaker);
    };
    const player = await Player.open(context, {onactive: (is) => change({player: is})});
    const speaker = new Speaker(context, {onactive: (is) => change({speaker: is})});
    speaker.tell = tell;
    return new HomeLoudspeaker(player, speaker);
  }

  /**
   * @param {Player} player
   * @param {Speaker} speaker
   */
  constructor(player, speaker) {
    this.player = player;
    this.speaker = speaker;
  }

  /** @param {Parameters<Player['play']>} sound */
  play(...sound) {
    console.debug('Playing audio chunk');
    this.player.play(...sound);
  }

  /** @param {Parameters<Player['finish']>} part */
  finish(...part) {
    this.player.finish(...part);
  }

  /** @returns {ReturnType<Player['interrupt']>} what was heard of an answer that came as events */
  async interrupt() {
    const [heard] = await Promise.all([this.player.interrupt(), this.speaker.interrupt()]);
    return heard;
  }

  /** @returns {number} */
  level() {
    return Math.max(this.player.level(), this.speaker.level());
  }

  close() {
    this.player.close();
    this.speaker.close();
  }
}
