/**
 * The answering side of a session: the responses that are under way, and the loudspeaker that plays them.
 */

import {Responses, outputOf} from './responses.js';

/**
 * @typedef {import('./connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {import('./player.js').Player} Player
 * @typedef {import('./player.js').PlayerHandlers} PlayerHandlers
 * @typedef {Pick<Player, 'play' | 'finish' | 'interrupt' | 'level' | 'close'> & Partial<Pick<Player, 'record'>>} Loudspeaker
 */

export class Answering {
  responses = new Responses();
  /** Null before `take`, and where there is none: then answers come in writing. @type {Loudspeaker | null} */
  player = null;
  /** An answer can be heard. */
  playing = false;

  /** @returns {number} how loud the answer is now, 0 … 1 */
  level() {
    return this.playing ? (this.player?.level() ?? 0) : 0;
  }

  /**
   * Take this loudspeaker, unless there is one.
   * @param {(handlers: PlayerHandlers) => Promise<Loudspeaker>} player opens it
   * @param {() => void} onchange `playing` is another
   * @param {() => boolean} wanted whether it still is when it has opened
   * @throws {import('./problems.js').VoiceError}
   */
  async take(player, onchange, wanted) {
    if (this.player) return;
    const onactive = (/** @type {boolean} */ playing) => {
      this.playing = playing;
      onchange();
    };
    const opened = await player({onactive});
    if (wanted()) this.player = opened;
    else opened.close();
  }

  /** Give the loudspeaker back. */
  drop() {
    this.player?.close();
    this.player = null;
  }

  /** The session is over, and with it all answers. */
  settle() {
    void this.player?.interrupt();
    this.responses = new Responses();
  }

  /**
   * Stop the sound at once.
   * @returns {Promise<RealtimeEvent[]>} events to send: the item is truncated at what was heard of it
   */
  async silence() {
    const heard = await this.player?.interrupt();
    return heard ? [{type: 'conversation.item.truncate', ...heard}] : [];
  }

  /**
   * @param {RealtimeEvent} event from the server; what is sound in it is played
   * @returns {RealtimeEvent[]} events to send
   */
  apply(event) {
    const events = this.responses.apply(event);
    switch (event.type) {
      case 'response.output_audio.delta':
        if (this.responses.mayBeHeard(event)) this.player?.play(event.item_id, event.content_index, event.delta);
        break;
      case 'response.output_audio.done':
        this.player?.finish(event.item_id, event.content_index);
        break;
      case 'response.done':
        for (const {id, content} of outputOf(event)) {
          for (const index of (content ?? []).keys()) this.player?.finish(id, index);
        }
        break;
    }
    return events;
  }
}
