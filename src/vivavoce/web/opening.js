/**
 * What a new session is told before anybody speaks: what was said in the one before it, or how to greet. Pure.
 */

import {splitAtHeard, textOf} from './conversation.js';

/**
 * @typedef {import('./connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {import('./conversation.js').Item} Item
 */

/** The last messages that are told again. */
const MOST_MESSAGES = 50;

/**
 * @param {readonly Item[]} items in the order of the conversation
 * @returns {RealtimeEvent[]} to be sent before anything else; the items keep their ids
 */
export function restored(items) {
  return items
    .filter((item) => item.type === 'message' && item.role && heardText(item))
    .slice(-MOST_MESSAGES)
    .map((item) => ({
      type: 'conversation.item.create',
      item: {
        id: item.id,
        type: 'message',
        role: item.role,
        content: [{type: item.role === 'assistant' ? 'output_text' : 'input_text', text: heardText(item)}],
      },
    }));
}

/**
 * @param {Item} item
 * @returns {string} its words, without those of an answer that were never heard
 */
function heardText(item) {
  return item.role === 'assistant' ? splitAtHeard(item)[0] : textOf(item);
}

/**
 * @param {string} greeting
 * @returns {{instructions: string}} the response that says it
 */
export function toGreet(greeting) {
  return {instructions: `Greet the user with exactly these words, and say nothing else: ${greeting}`};
}
