/**
 * One voice for all cards of a page that talk with the same agent: one session, one microphone, one loudspeaker.
 */

import {sharedContext} from '../browser.js';
import {Player} from '../player.js';
import {Recorder} from '../recorder.js';
import {VoiceSession} from '../session.js';
import {HomeConnection} from './connection.js';
import {EchoGuard} from './echo-guard.js';

/**
 * @typedef {import('./connection.js').HomeSocket} HomeSocket
 * @typedef {import('./connection.js').Platform} Platform
 * @typedef {import('./connection.js').Wanted} Wanted
 * @typedef {import('../lifetime.js').Parts} Parts
 * @typedef {{muteWhileSpeaking: boolean}} Member a card
 */

/** Milliseconds after the last card has gone until its session ends: a dashboard that is drawn anew makes new cards. */
const GRACE_MS = 1000;

/** @type {WeakMap<HomeSocket, Map<string, SharedVoice>>} */
const voices = new WeakMap();

/**
 * @param {HomeSocket} socket
 * @param {Wanted} wanted
 * @param {Platform} [platform]
 * @returns {SharedVoice} the page's voice for an agent
 */
export function voiceFor(socket, wanted, platform) {
  const ours = voices.get(socket) ?? new Map();
  voices.set(socket, ours);
  const name = wanted.entity_id ?? '';
  const voice = ours.get(name) ?? new SharedVoice(socket, wanted, platform);
  ours.set(name, voice);
  return voice;
}

export class SharedVoice {
  /** @type {Set<Member>} */
  #members = new Set();
  #context = sharedContext();
  #echo = new EchoGuard();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #ending = undefined;

  /**
   * @param {HomeSocket} socket
   * @param {Wanted} wanted
   * @param {Platform} [platform]
   */
  constructor(socket, wanted, platform) {
    this.session = new VoiceSession(this.#parts(socket, wanted, platform));
    this.session.lasting = true;
    this.session.addEventListener('change', () => this.#echo.hear(this.session.playing, performance.now()));
  }

  /**
   * @param {Member} member
   * @returns {number} how many there are now
   */
  join(member) {
    clearTimeout(this.#ending);
    return this.#members.add(member).size;
  }

  /** @param {Member} member */
  leave(member) {
    this.#members.delete(member);
    clearTimeout(this.#ending);
    if (!this.#members.size) this.#ending = setTimeout(() => this.stop(), GRACE_MS);
  }

  /** Hang up, and release microphone and loudspeaker; the words stay. */
  stop() {
    this.session.close();
    this.#context.close();
  }

  /** The answer is kept out of the microphone now. */
  get #hushed() {
    const wanted = [...this.#members].some((member) => member.muteWhileSpeaking);
    return wanted && this.session.mode === 'hands-free' && this.#echo.sounds(performance.now());
  }

  /**
   * @param {HomeSocket} socket
   * @param {Wanted} wanted
   * @param {Platform} [platform]
   * @returns {Parts}
   */
  #parts(socket, wanted, platform) {
    return {
      connection: (handlers) => new HomeConnection(socket, wanted, handlers, platform),
      player: async (handlers) => Player.open(this.#context(), handlers),
      recorder: async ({onframe, onend}) => {
        const hear = (/** @type {Int16Array} */ samples) => onframe(this.#hushed ? samples.fill(0) : samples);
        const recorder = await Recorder.open(this.#context(), {onframe: hear, onend});
        return {
          level: () => (this.#hushed ? 0 : recorder.level()),
          flush: () => recorder.flush(),
          close: () => recorder.close(),
        };
      },
    };
  }
}
