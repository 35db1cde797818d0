/**
 * One voice for all cards of a page that talk with the same agent: one session, one microphone, one loudspeaker.
 */

import {sharedContext} from '../browser.js';
import {Recorder} from '../recorder.js';
import {VoiceSession} from '../session.js';
import {HomeConnection} from './connection.js';
import {EchoGuard} from './echo-guard.js';
import {HomeCall} from './home-call.js';
import {HomeLoudspeaker} from './loudspeaker.js';

/**
 * @typedef {import('./connection.js').HomeSocket} HomeSocket
 * @typedef {import('./connection.js').Platform} Platform
 * @typedef {import('./connection.js').Wanted} Wanted
 * @typedef {import('../lifetime.js').Parts} Parts
 * @typedef {{muteWhileSpeaking: boolean, speaksStraight: boolean}} Member a card
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
  /** @type {HomeConnection | null} */
  #line = null;
  /** @type {HomeLoudspeaker | null} */
  #loudspeaker = null;
  /** @type {MediaStreamTrack | null} */
  #microphone = null;
  /** The endpoint is out of this page's reach: it was looked for once. */
  #unreachable = false;
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

  /** Speech goes straight to the endpoint, now. */
  get straight() {
    return Boolean(this.#line?.call);
  }

  /**
   * @param {() => void} onend
   * @returns {HomeCall | null} null where nobody wants one, or it cannot be had
   */
  #makeCall(onend) {
    const wanted = [...this.#members].every((member) => member.speaksStraight);
    if (!wanted || this.#unreachable || !globalThis.RTCPeerConnection) return null;
    const call = new HomeCall({
      ontrack: (stream) => this.#loudspeaker?.speaker.attach(stream),
      onend: () => {
        this.#loudspeaker?.speaker.hear({type: 'output_audio_buffer.cleared'});
        onend();
      },
      onunreachable: () => (this.#unreachable = true),
    });
    call.replace(this.#microphone);
    return call;
  }

  /**
   * @param {HomeSocket} socket
   * @param {Wanted} wanted
   * @param {Platform} [platform]
   * @returns {Parts}
   */
  #parts(socket, wanted, platform) {
    const straight = () => this.straight;
    return {
      get media() {
        return straight();
      },
      connection: (handlers) => {
        const onevent = (/** @type {import('../line.js').RealtimeEvent} */ event) => {
          if (this.straight) this.#loudspeaker?.speaker.hear(event);
          handlers.onevent(event);
        };
        const call = (/** @type {() => void} */ onend) => this.#makeCall(onend);
        this.#line = new HomeConnection(socket, wanted, {...handlers, onevent}, {...platform, call});
        return this.#line;
      },
      player: async (handlers) => {
        this.#loudspeaker = await HomeLoudspeaker.open(this.#context(), handlers, (event) => this.#line?.send(event));
        return this.#loudspeaker;
      },
      recorder: ({onframe, onend}) => this.#record(onframe, onend),
    };
  }

  /**
   * @param {(samples: Int16Array) => void} onframe
   * @param {(() => void) | undefined} onend
   * @returns {Promise<import('../talking.js').Microphone>}
   */
  async #record(onframe, onend) {
    const hear = (/** @type {Int16Array} */ samples) => {
      const hushed = this.#hushed;
      this.#line?.call?.hush(hushed);
      onframe(hushed ? samples.fill(0) : samples);
    };
    const recorder = await Recorder.open(this.#context(), {onframe: hear, onend});
    this.#microphone = recorder.stream.getAudioTracks()[0];
    this.#line?.call?.replace(this.#microphone);
    return {
      level: () => (this.#hushed ? 0 : recorder.level()),
      flush: async () => {
        await recorder.flush();
        await this.#line?.call?.settled();
      },
      close: () => recorder.close(),
    };
  }
}
