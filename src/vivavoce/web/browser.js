/**
 * The real parts of a voice session: this browser's microphone, loudspeaker and network.
 */

import {Call} from './call.js';
import {Connection} from './connection.js';
import {Player} from './player.js';
import {VoiceError} from './problems.js';
import {Recorder} from './recorder.js';
import {Speaker} from './speaker.js';

/**
 * @typedef {import('./session.js').Parts} Parts
 * @typedef {import('./line.js').Platform} Platform
 * @typedef {import('./call.js').CallOptions} CallOptions
 * @typedef {import('./quality.js').Quality} Quality
 * @typedef {(dir: 'C' | 'S', samples: Int16Array) => void} OnSound what the microphone sends (C), or what is heard (S)
 * @typedef {(() => AudioContext) & {close: () => void}} Context gives the one context for both directions, and wakes it
 */

/** @returns {Context} */
export function sharedContext() {
  /** Made by the first that needs it. @type {AudioContext | null} */
  let shared = null;
  const open = () => {
    if (!globalThis.isSecureContext) throw new VoiceError('insecure-origin');
    if (!('AudioWorkletNode' in globalThis)) throw new VoiceError('sound-failed');
    shared ??= new AudioContext({latencyHint: 'interactive'});
    if (shared.state !== 'running') void shared.resume();
    return shared;
  };
  const close = () => {
    void shared?.close();
    shared = null;
  };
  return Object.assign(open, {close});
}

/**
 * @param {string} url of the Realtime endpoint
 * @param {{platform?: Platform, context?: Context, device?: () => string}} [options] `device`: the microphone's id
 * @returns {Parts}
 */
export function browserParts(url, {platform, context = sharedContext(), device} = {}) {
  return {
    connection: (handlers) => new Connection(url, handlers, platform),
    player: async (handlers) => Player.open(context(), handlers),
    recorder: async (handlers) => Recorder.open(context(), handlers, {deviceId: device?.()}),
  };
}

/**
 * The same over WebRTC: speech goes and comes as media.
 * @param {string} url of `/v1/realtime/calls`
 * @param {Omit<CallOptions, 'microphone'> & {platform?: Platform, context?: Context, device?: () => string,
 *   onquality?: (quality: Quality) => void, onsound?: OnSound}} [options] `onsound`: frames at the wire's rate
 * @returns {Parts}
 */
export function callParts(url, {platform, context = sharedContext(), device, onquality, onsound, ...options} = {}) {
  /** @type {Call | null} */
  let call = null;
  /** @type {Speaker | null} */
  let speaker = null;
  /** @type {MediaStreamTrack | null} */
  let microphone = null;
  return {
    media: true,
    connection: (handlers) => {
      const onevent = (/** @type {import('./line.js').RealtimeEvent} */ event) => {
        speaker?.hear(event);
        handlers.onevent(event);
      };
      const ontrack = (/** @type {MediaStream} */ stream) => speaker?.attach(stream);
      call = new Call(url, {...handlers, onevent, ontrack, onquality}, {...options, microphone}, platform);
      return call;
    },
    player: async (handlers) => {
      speaker = new Speaker(context(), handlers, onsound && ((samples) => onsound('S', samples)));
      speaker.tell = (event) => call?.send(event);
      return speaker;
    },
    recorder: async (handlers) => {
      const onframe = (/** @type {Int16Array} */ samples) => {
        handlers.onframe(samples);
        if (call?.hears) onsound?.('C', samples);
      };
      const recorder = await Recorder.open(context(), {...handlers, onframe}, {deviceId: device?.()});
      microphone = recorder.stream.getAudioTracks()[0];
      call?.replace(microphone);
      return {
        level: () => recorder.level(),
        close: () => recorder.close(),
        flush: async () => {
          await recorder.flush();
          await call?.settled();
        },
      };
    },
  };
}
