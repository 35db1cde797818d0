/**
 * When the sound of a recording was heard, on one line of time for both sides. Pure.
 *
 * The microphone's frames sounded when they were sent. An answer comes faster than it is spoken: each piece of it sounds
 * when it has come and the one before has ended, and what was interrupted does not sound any more.
 *
 * Where a side was recorded in a file beside the events, that is what is heard of it.
 */

import {decode} from '../decoding.js';
import {duration, rateOf} from '../formats.js';
import {Responses} from '../responses.js';

/**
 * @typedef {import('../connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {import('./event-log.js').Direction} Direction
 * @typedef {import('./event-log.js').Entry} Entry
 * @typedef {object} Sound
 * @property {number} from milliseconds since the recording began
 * @property {number} until
 * @property {string | Int16Array} audio base64 as it stood in an event, or samples
 * @property {string} format of base64
 * @property {number} rate samples per second
 * @property {boolean} first whether this side was silent before it
 * @property {boolean} last whether it is silent after it
 * @typedef {Record<Direction, Sound[]>} Sounds what the client's user said, and what the server did, each in its order
 * @typedef {{rate: number, samples: Int16Array}} Tape all that a side said since the recording began
 * @typedef {Partial<Record<Direction, Tape>>} Tapes
 */

/** Milliseconds that count as no pause between two frames of a microphone: a network is that uneven. */
const JITTER = 200;

/** Seconds of a tape that are looked at together. */
const PIECE = 0.1;

/** Nothing on a tape that is quieter is a sound: -60 dBFS. */
const FLOOR = 33;

/**
 * @param {Iterable<Entry>} entries of a recording
 * @param {Tapes} [tapes] which were recorded beside them
 * @returns {Sounds}
 */
export function soundtrack(entries, tapes = {}) {
  const track = new Soundtrack();
  for (const entry of entries) track.add(entry);
  return {C: parted(onTape(tapes.C) ?? track.spoken), S: parted(onTape(tapes.S) ?? track.answered)};
}

class Soundtrack {
  /** @type {Sound[]} */
  spoken = [];
  /** @type {Sound[]} */
  answered = [];
  #responses = new Responses();

  /** @param {Entry} entry */
  add(entry) {
    if (entry.dir === 'C') this.#sent(entry);
    else this.#received(entry);
  }

  /** @param {Entry} entry */
  #sent({event, format, t}) {
    if (event.type === 'input_audio_buffer.append') {
      this.#speak(event.audio, format, t);
    } else if (event.type === 'response.cancel' || event.type === 'output_audio_buffer.clear') {
      this.#silence(t);
    } else if (event.type === 'conversation.item.truncate') {
      this.#cut(t);
    }
  }

  /** @param {Entry} entry */
  #received({event, format, t}) {
    this.#responses.apply(event);
    if (event.type === 'response.output_audio.delta') {
      if (this.#responses.mayBeHeard(event)) this.#answer(event.delta, format, t);
    } else if (event.type === 'input_audio_buffer.speech_started') {
      this.#silence(t);
    }
  }

  /**
   * @param {unknown} audio a frame that was complete at t
   * @param {string} format
   * @param {number} t
   */
  #speak(audio, format, t) {
    const long = duration(format, audio);
    const last = this.spoken.at(-1)?.until ?? -Infinity;
    const from = t - long - last < JITTER ? last : t - long;
    if (long) this.spoken.push(sound(Math.max(0, from), long, String(audio), format));
  }

  /**
   * @param {unknown} audio
   * @param {string} format
   * @param {number} t
   */
  #answer(audio, format, t) {
    const long = duration(format, audio);
    const from = Math.max(t, this.answered.at(-1)?.until ?? 0);
    if (long) this.answered.push(sound(from, long, String(audio), format));
  }

  /** Nothing more of the response is heard. @param {number} t */
  #silence(t) {
    this.#responses.silence();
    this.#cut(t);
  }

  /** What has come of the answer is heard up to here. @param {number} t */
  #cut(t) {
    while ((this.answered.at(-1)?.from ?? -Infinity) >= t) this.answered.pop();
    const last = this.answered.at(-1);
    if (last && last.until > t) last.until = t;
  }
}

/**
 * @param {Sound} sound
 * @param {number} at milliseconds since the recording began
 * @returns {Int16Array} what of it is still to be heard then, at its rate, to be given away; empty for what is no sound
 */
export function rest({from, until, audio, format, rate}, at) {
  const samples = typeof audio === 'string' ? decode(format, audio) : audio;
  const place = (/** @type {number} */ ms) => Math.round((ms / 1000) * rate);
  return samples.slice(place(Math.max(0, at - from)), place(until - from));
}

/**
 * @param {Tape} [tape]
 * @returns {Sound[] | undefined} all but the silence between
 */
function onTape(tape) {
  if (!tape) return undefined;
  const {rate, samples} = tape;
  const size = Math.round(rate * PIECE);
  const ms = (/** @type {number} */ place) => (place / rate) * 1000;
  const sounds = [];
  for (let start = 0; start < samples.length; start += size) {
    const audio = samples.subarray(start, start + size);
    if (audio.some((sample) => Math.abs(sample) > FLOOR)) sounds.push({...sound(ms(start), ms(audio.length), audio), rate});
  }
  return sounds;
}

/**
 * @param {number} from
 * @param {number} long milliseconds
 * @param {string | Int16Array} audio
 * @param {string} [format]
 * @returns {Sound}
 */
function sound(from, long, audio, format = '') {
  return {from, until: from + long, audio, format, rate: rateOf(format), first: true, last: true};
}

/** @param {Sound[]} sounds of one side */
function parted(sounds) {
  for (const [place, next] of sounds.slice(1).entries()) {
    sounds[place].last = next.first = next.from - sounds[place].until >= JITTER;
  }
  return sounds;
}
