/**
 * Everything that can go wrong in front of the user: what it is, and what to do about it. Whoever shows it says it in
 * the page's language.
 */

import {say} from './words.js';

/**
 * @typedef {'insecure-origin' | 'microphone-refused' | 'microphone-missing' | 'microphone-busy' |
 *   'microphone-lost' | 'microphone-failed' | 'sound-failed' | 'server-unreachable' | 'server-refused' |
 *   'server-loading' | 'server-failed' | 'server-gone' | 'origin-refused' | 'key-refused' | 'call-failed' | 'direct-forbidden' |
 *   'session-expired' | 'congested' | 'server-error'} ProblemCode
 * @typedef {'microphone' | 'connect' | 'none'} Remedy what a button can do: ask again, or connect again
 * @typedef {{code: ProblemCode, title: string, advice: string, remedy: Remedy, detail: string}} Problem
 */

/** @type {Record<ProblemCode, [title: string, advice: string, remedy: Remedy]>} */
const PROBLEMS = {
  'insecure-origin': [
    'This address may not use sound',
    'Browsers give the microphone and loudspeaker only to https and to localhost. ' +
      'Open this page as http://localhost on the computer that serves it, or serve it over https. ' +
      'You can still write.',
    'none',
  ],
  'microphone-refused': [
    'The microphone is blocked',
    'Allow it for this page (the icon beside the address, or the settings of your system), then try again. ' +
      'You can still write.',
    'microphone',
  ],
  'microphone-missing': [
    'No microphone found',
    'Plug one in or switch it on, then try again. You can still write.',
    'microphone',
  ],
  'microphone-busy': [
    'The microphone is in use',
    'Another program holds it. Close that program, then try again. You can still write.',
    'microphone',
  ],
  'microphone-lost': [
    'The microphone went away',
    'It was unplugged or switched off. Connect it, then try again. You can still write.',
    'microphone',
  ],
  'microphone-failed': [
    'The microphone does not start',
    'Reload the page; if that does not help, try another browser. You can still write.',
    'microphone',
  ],
  'sound-failed': [
    'This browser cannot play the answer',
    'It has no audio worklets: a current Firefox, Safari, Chrome or Edge does. Answers come in writing.',
    'none',
  ],
  'server-unreachable': [
    'The server does not answer',
    'See that it is running and that this device reaches it, then connect again.',
    'connect',
  ],
  'server-refused': [
    'The server refuses',
    'It answers, but opens no session now: it may be busy with others. Try again in a while.',
    'connect',
  ],
  'origin-refused': [
    'The server does not answer this page',
    'It is there, but does not let in pages of this address. Its owner lists them in VIVAVOCE_ALLOWED_ORIGINS.',
    'connect',
  ],
  'key-refused': [
    'There is no key for a session',
    'The application that this page belongs to gave none. Sign in again, or try again in a while.',
    'connect',
  ],
  'call-failed': [
    'The call does not come about',
    'A network between here and the server may not let calls through. Try another network, or try again.',
    'connect',
  ],
  'direct-forbidden': [
    'This page may not connect there',
    'The server of this page names in VIVAVOCE_DIRECT_ORIGINS whom its pages may connect to by themselves.',
    'none',
  ],
  'server-loading': ['The server is loading', 'Its models are not ready yet. Try again in a while.', 'connect'],
  'server-failed': ['The server could not load its models', 'Mend what it reports and start it again.', 'connect'],
  'server-gone': [
    'The connection is lost',
    'The server went away, or the network did. Connect again: the words stay here, but the other side starts anew.',
    'connect',
  ],
  'session-expired': [
    'The session has reached its time limit',
    'Connect again: the words stay here, but the other side starts anew.',
    'connect',
  ],
  congested: [
    'The network is too slow for your voice',
    'Some of what you said was not sent. Move closer to the network, or write.',
    'none',
  ],
  'server-error': ['The server reports an error', 'You can go on.', 'none'],
};

/** Errors that come from two sides acting at once, and need no action. */
const RACES = new Set(['response_cancel_not_active', 'conversation_already_has_active_response']);

/** An error that the user can be told about. */
export class VoiceError extends Error {
  /**
   * @param {ProblemCode} code
   * @param {string} [detail] what exactly was reported
   */
  constructor(code, detail = '') {
    super(detail || PROBLEMS[code][0]);
    this.name = 'VoiceError';
    this.code = code;
    this.detail = detail;
  }
}

/**
 * @param {ProblemCode} code
 * @param {string} [detail] what exactly was reported, shown as it is
 * @returns {Problem}
 */
export function describe(code, detail = '') {
  const [title, advice, remedy] = PROBLEMS[code];
  return {code, title, advice, remedy, detail};
}

/**
 * @param {unknown} error
 * @param {ProblemCode} fallback what it is when the error does not say so itself
 * @returns {Problem}
 */
export function explain(error, fallback) {
  return error instanceof VoiceError ? describe(error.code, error.detail) : describe(fallback, String(error));
}

/**
 * @param {import('./connection.js').RealtimeEvent} event `error` or `response.done`
 * @returns {Problem | null} what is wrong in it, as far as it concerns the user
 */
export function problemIn(event) {
  if (event.type === 'response.done') {
    const {status, status_details} = event.response ?? {};
    if (status !== 'failed') return null;
    return describe('server-error', status_details?.error?.message ?? say('The response failed.'));
  }
  const {code, message} = event.error ?? {};
  if (RACES.has(code) || /already shorter/.test(message)) return null;
  return describe(code === 'session_expired' ? 'session-expired' : 'server-error', message);
}
