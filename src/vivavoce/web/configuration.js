/**
 * What a session asks of the server: pure, the protocol's `session.update`.
 */

import {WIRE_RATE} from './pcm.js';

/**
 * @typedef {import('./connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {'hold' | 'hands-free'} Mode
 */

/** The event_id of a session's first event. */
export const CONFIGURE = 'configure';

/** Who recognises the user's words. */
const TRANSCRIPTION = {model: 'gpt-4o-mini-transcribe'};

/**
 * @param {Mode} mode
 * @param {boolean} audible whether answers can be played; else they come in writing
 * @returns {RealtimeEvent} the first event of a session
 */
export function configuration(mode, audible) {
  const format = {type: 'audio/pcm', rate: WIRE_RATE};
  return {
    type: 'session.update',
    event_id: CONFIGURE,
    session: {
      type: 'realtime',
      output_modalities: [audible ? 'audio' : 'text'],
      audio: {
        input: {format, transcription: TRANSCRIPTION, turn_detection: turnDetection(mode)},
        output: {format},
      },
    },
  };
}

/**
 * @param {Mode} mode
 * @returns {RealtimeEvent} changes who decides when a turn ends
 */
export function modeChange(mode) {
  return {
    type: 'session.update',
    session: {type: 'realtime', audio: {input: {turn_detection: turnDetection(mode)}}},
  };
}

/** @param {Mode} mode */
function turnDetection(mode) {
  return mode === 'hold' ? null : {type: 'server_vad', create_response: true, interrupt_response: true};
}
