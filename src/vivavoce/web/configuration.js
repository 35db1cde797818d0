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
 * @param {Record<string, any>} [settings] what else is asked for, as in the `session` of `session.update`
 * @returns {RealtimeEvent} the first event of a session
 */
export function configuration(mode, audible, settings = {}) {
  const format = {type: 'audio/pcm', rate: WIRE_RATE};
  const session = merged(
    {
      type: 'realtime',
      output_modalities: ['audio'],
      audio: {input: {format, transcription: TRANSCRIPTION}, output: {format}},
    },
    settings,
  );
  if (!audible) session.output_modalities = ['text'];
  session.audio.input.turn_detection = turnDetection(mode, settings);
  return {type: 'session.update', event_id: CONFIGURE, session};
}

/**
 * @param {Mode} mode
 * @param {Record<string, any>} [settings]
 * @returns {RealtimeEvent} changes who decides when a turn ends
 */
export function modeChange(mode, settings = {}) {
  return {
    type: 'session.update',
    session: {type: 'realtime', audio: {input: {turn_detection: turnDetection(mode, settings)}}},
  };
}

/**
 * @param {Record<string, any>} settings
 * @param {unknown} param what of them an error names, such as `session.audio.output.voice`
 * @returns {Record<string, any> | null} the settings without it; null where it is none of them
 */
export function without(settings, param) {
  const [session, ...path] = String(param).split(/[.[]/);
  return session === 'session' && path.length ? cut(settings, path) : null;
}

/**
 * A server keeps what it is not told of, so what is no longer asked for has to be given back.
 * @param {Record<string, any>} before what was asked for
 * @param {Record<string, any>} settings what is asked for now
 * @param {Record<string, any>} own the session as the server began it
 * @returns {Record<string, any>} the settings, and its own of what was asked for before and is not now
 */
export function givenBack(before, settings, own) {
  const whole = {...settings};
  for (const [key, value] of Object.entries(before)) {
    if (!Object.hasOwn(own, key)) continue;
    if (isObject(value) && isObject(own[key]) && isObject(settings[key] ?? {})) {
      whole[key] = givenBack(value, settings[key] ?? {}, own[key]);
    } else if (!Object.hasOwn(settings, key)) {
      whole[key] = own[key];
    }
  }
  return whole;
}

/**
 * @param {Record<string, any>} settings
 * @param {string[]} path of what is cut out; what is within a list takes the list with it
 * @returns {Record<string, any> | null}
 */
function cut(settings, [key, ...path]) {
  if (!Object.hasOwn(settings, key)) return null;
  const {[key]: value, ...others} = settings;
  if (!path.length || !isObject(value)) return others;
  const inner = cut(value, path);
  return inner && {...others, [key]: inner};
}

/**
 * @param {Mode} mode
 * @param {Record<string, any>} settings
 */
function turnDetection(mode, settings) {
  if (mode === 'hold') return null;
  const asked = settings.audio?.input?.turn_detection;
  return {type: 'server_vad', create_response: true, interrupt_response: true, ...asked};
}

/**
 * @param {Record<string, any>} base
 * @param {Record<string, any>} over
 * @returns {Record<string, any>} both, where they differ as `over` says; objects are merged, all else is replaced
 */
export function merged(base, over) {
  const whole = {...base};
  for (const [key, value] of Object.entries(over)) {
    whole[key] = isObject(value) && isObject(base[key]) ? merged(base[key], value) : value;
  }
  return whole;
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, any>}
 */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
