/**
 * Asking an application for an ephemeral key, before each connection: it may be good for one only.
 */

import {VoiceError} from './problems.js';
import {say} from './words.js';

/**
 * @param {string} url of the application, which answers a POST as `/v1/realtime/client_secrets` does
 * @param {typeof fetch} [ask]
 * @returns {Promise<string>} the key
 * @throws {VoiceError} when there is none
 */
export async function keyFrom(url, ask = fetch) {
  const reply = await ask(url, {method: 'POST', headers: {accept: 'application/json'}}).catch((error) => {
    throw new VoiceError('key-refused', String(error));
  });
  if (!reply.ok) throw new VoiceError('key-refused', say('Expected a key from {0}, got the status {1}.', url, reply.status));
  /** @type {any} */
  const body = await reply.json().catch(() => null);
  const key = body?.value ?? body?.client_secret?.value;
  if (typeof key !== 'string') throw new VoiceError('key-refused', say('Expected {"value": "ek_…"} from {0}.', url));
  return key;
}
