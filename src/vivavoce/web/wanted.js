/**
 * What the attributes of `<realtime-voice>` ask for: a session's settings, and the parts that it is made of.
 */

import {addressesOf} from './addresses.js';
import {browserParts, callParts} from './browser.js';
import {keyFrom} from './keys.js';

/**
 * @typedef {import('./session.js').Parts} Parts
 * @typedef {import('./quality.js').Quality} Quality
 * @typedef {Pick<import('./realtime-voice.js').RealtimeVoice, 'server' | 'tokenUrl' | 'getToken' | 'model' | 'voice' |
 *   'instructions' | 'transport' | 'iceServers'>} Wanted
 */

/** What a session is made of that was not started. @type {Parts} */
export const UNCONNECTED = {
  connection: () => {
    throw new TypeError('Expected start() to be called first.');
  },
  player: () => Promise.reject(new TypeError('Expected start() to be called first.')),
  recorder: () => Promise.reject(new TypeError('Expected start() to be called first.')),
};

/**
 * @param {Pick<Wanted, 'instructions' | 'voice'>} wanted
 * @returns {Record<string, any>} as in the `session` of `session.update`
 */
export function settingsOf({instructions, voice}) {
  return {
    ...(instructions ? {instructions} : {}),
    ...(voice ? {audio: {output: {voice}}} : {}),
  };
}

/**
 * @param {Wanted} wanted
 * @param {{context: import('./browser.js').Context, onquality: (quality: Quality) => void}} options
 * @returns {Parts}
 * @throws {TypeError} when `server` is no address
 */
export function partsOf(wanted, {context, onquality}) {
  const {socket, calls} = addressesOf(wanted.server, {model: wanted.model, base: document.baseURI});
  const key = keyOf(wanted);
  const platform = key ? {key} : {};
  if (wanted.transport !== 'webrtc') return browserParts(socket, {platform, context});
  const {iceServers} = wanted;
  return callParts(calls, {platform, context, onquality, session: settingsOf(wanted), iceServers});
}

/**
 * @param {Wanted} wanted
 * @returns {(() => Promise<string>) | null} what gives keys, where the application does
 */
function keyOf({getToken, tokenUrl}) {
  if (getToken) return getToken;
  return tokenUrl ? () => keyFrom(new URL(tokenUrl, document.baseURI).href) : null;
}
