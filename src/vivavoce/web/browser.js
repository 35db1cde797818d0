/**
 * The real parts of a voice session: this browser's microphone, loudspeaker and network.
 */

import {Connection} from './connection.js';
import {Player} from './player.js';
import {VoiceError} from './problems.js';
import {Recorder} from './recorder.js';

/** @typedef {import('./session.js').Parts} Parts */

/**
 * @param {string} url of the Realtime endpoint
 * @returns {Parts}
 */
export function browserParts(url) {
  /** One for both directions, made by the first that needs it. @type {AudioContext | null} */
  let shared = null;
  const context = () => {
    if (!globalThis.isSecureContext) throw new VoiceError('insecure-origin');
    if (!('AudioWorkletNode' in globalThis)) throw new VoiceError('sound-failed');
    shared ??= new AudioContext({latencyHint: 'interactive'});
    if (shared.state !== 'running') void shared.resume();
    return shared;
  };
  return {
    connection: (handlers) => new Connection(url, handlers),
    player: async (handlers) => Player.open(context(), handlers),
    recorder: async (handlers) => Recorder.open(context(), handlers),
  };
}
