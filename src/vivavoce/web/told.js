/**
 * What an application has been told of a session, so that it is told everything once. Pure.
 */

import {textOf} from './conversation.js';

/**
 * @typedef {import('./connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {import('./conversation.js').Item} Item
 * @typedef {import('./problems.js').Problem} Problem
 * @typedef {{id: string, role: 'user' | 'assistant', text: string}} Said
 */

export class Told {
  #phase = 'off';
  /** @type {Problem | null} */
  #problem = null;
  /** @type {Set<string>} */
  #ids = new Set();

  /**
   * @param {readonly Item[]} items
   * @returns {{id: string, role: string, text: string}[]} the words of both sides
   */
  static all(items) {
    return items
      .filter((item) => item.role && textOf(item))
      .map((item) => ({id: item.id, role: String(item.role), text: textOf(item)}));
  }

  /**
   * @param {string} state
   * @param {Problem | null} problem
   * @returns {[type: string, detail: unknown][]} events for what is new in them
   */
  changes(state, problem) {
    /** @type {[string, unknown][]} */
    const events = [];
    if (state !== this.#phase) events.push(['voice-state', {state, previous: this.#phase}]);
    if (problem && problem !== this.#problem) events.push(['voice-problem', problem]);
    this.#phase = state;
    this.#problem = problem;
    return events;
  }

  /** What was said is forgotten; what goes on is not. */
  forget() {
    this.#ids.clear();
  }

  /**
   * @param {RealtimeEvent} event from the server
   * @returns {Said | null} what somebody has said, in full; a message that is restored was told before
   */
  said(event) {
    const said = saidIn(event);
    if (!said || this.#ids.has(said.id)) return null;
    this.#ids.add(said.id);
    return said;
  }
}

/**
 * @param {RealtimeEvent} event
 * @returns {Said | null}
 */
function saidIn(event) {
  switch (event.type) {
    case 'conversation.item.input_audio_transcription.completed':
      return {id: event.item_id, role: 'user', text: event.transcript};
    case 'response.output_audio_transcript.done':
      return {id: event.item_id, role: 'assistant', text: event.transcript};
    case 'response.output_text.done':
      return {id: event.item_id, role: 'assistant', text: event.text};
    case 'conversation.item.added': {
      const {id, role, content} = event.item ?? {};
      const text = role === 'user' ? content?.find((/** @type {any} */ part) => part.type === 'input_text')?.text : '';
      return text ? {id, role, text} : null;
    }
    default:
      return null;
  }
}
