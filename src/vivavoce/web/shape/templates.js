/**
 * One example of each event that a client may send, ready to be changed. Pure.
 */

import {say} from '../words.js';

/** @typedef {import('../connection.js').RealtimeEvent} RealtimeEvent */

/** What stands for an item where none is known yet. */
const ITEM = 'item_…';

/**
 * @param {{item?: string, answer?: string, response?: string}} [latest] identifiers: of the last item, the last answer
 *   and the last response
 * @returns {RealtimeEvent[]} all eleven
 */
export function templates({item = ITEM, answer = ITEM, response} = {}) {
  const content = [{type: 'input_text', text: say('What can you do?')}];
  return [
    {type: 'session.update', session: {type: 'realtime', instructions: say('Answer in one short sentence.')}},
    {type: 'conversation.item.create', item: {type: 'message', role: 'user', content}},
    {type: 'conversation.item.retrieve', item_id: item},
    {type: 'conversation.item.truncate', item_id: answer, content_index: 0, audio_end_ms: 1000},
    {type: 'conversation.item.delete', item_id: item},
    {type: 'response.create', response: {instructions: say('Say hello.'), output_modalities: ['audio']}},
    {type: 'response.cancel', ...(response ? {response_id: response} : {})},
    {type: 'input_audio_buffer.append', audio: ''},
    {type: 'input_audio_buffer.commit'},
    {type: 'input_audio_buffer.clear'},
    {type: 'output_audio_buffer.clear'},
  ];
}

/**
 * @param {string} text as it was typed
 * @returns {RealtimeEvent}
 * @throws {SyntaxError} with what was expected
 */
export function parse(text) {
  const event = JSON.parse(text);
  if (typeof event !== 'object' || event === null || Array.isArray(event)) throw new SyntaxError(say('Expected an object.'));
  if (typeof event.type !== 'string') throw new SyntaxError(say('Expected a "type" that says which event it is.'));
  return event;
}
