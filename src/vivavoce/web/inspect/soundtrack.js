/**
 * When the sound of a recording was heard, on one line of time for both sides. Pure.
 *
 * The microphone's frames sounded when they were sent. An answer comes faster than it is spoken: each piece of it sounds
 * when it has come and the one before has ended, and what was interrupted does not sound any more.
 */

import {decode, duration} from '../pcm.js';
import {Responses} from '../responses.js';

/**
 * @typedef {import('../connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {import('./event-log.js').Direction} Direction
 * @typedef {import('./event-log.js').Entry} Entry
 * @typedef {object} Sound
 * @property {number} from milliseconds since the recording began
 * @property {number} until
 * @property {string} audio base64, PCM16 at the wire's rate
 * @property {boolean} first whether this side was silent before it
 * @property {boolean} last whether it is silent after it
 * @typedef {Record<Direction, Sound[]>} Sounds what the client's user said, and what the server did, each in its order
 */

/** Milliseconds that count as no pause between two frames of a microphone: a network is that uneven. */
const JITTER = 200;

/** What both sides send at first. */
const PCM = 'audio/pcm';

/**
 * @param {Iterable<Entry>} entries of a recording
 * @returns {Sounds} none of what is not PCM16
 */
export function soundtrack(entries) {
  const track = new Soundtrack();
  for (const entry of entries) track.add(entry);
  return {C: parted(track.spoken), S: parted(track.answered)};
}

class Soundtrack {
  /** @type {Sound[]} */
  spoken = [];
  /** @type {Sound[]} */
  answered = [];
  #responses = new Responses();
  #hears = PCM;
  #speaks = PCM;

  /** @param {Entry} entry */
  add({dir, event, t}) {
    if (dir === 'C') this.#sent(event, t);
    else this.#received(event, t);
  }

  /**
   * @param {RealtimeEvent} event
   * @param {number} t
   */
  #sent(event, t) {
    if (event.type === 'input_audio_buffer.append') {
      if (this.#hears === PCM) this.#speak(event.audio, t);
    } else if (event.type === 'response.cancel' || event.type === 'output_audio_buffer.clear') {
      this.#silence(t);
    } else if (event.type === 'conversation.item.truncate') {
      this.#cut(t);
    }
  }

  /**
   * @param {RealtimeEvent} event
   * @param {number} t
   */
  #received(event, t) {
    this.#responses.apply(event);
    if (event.type === 'response.output_audio.delta') {
      if (this.#speaks === PCM && this.#responses.mayBeHeard(event)) this.#answer(event.delta, t);
    } else if (event.type === 'input_audio_buffer.speech_started') {
      this.#silence(t);
    } else if (event.session) {
      this.#hears = event.session.audio?.input?.format?.type ?? this.#hears;
      this.#speaks = event.session.audio?.output?.format?.type ?? this.#speaks;
    }
  }

  /**
   * @param {unknown} audio a frame that was complete at t
   * @param {number} t
   */
  #speak(audio, t) {
    const long = lengthOf(audio);
    const last = this.spoken.at(-1)?.until ?? -Infinity;
    const from = t - long - last < JITTER ? last : t - long;
    if (long) this.spoken.push(sound(Math.max(0, from), long, audio));
  }

  /**
   * @param {unknown} audio
   * @param {number} t
   */
  #answer(audio, t) {
    const long = lengthOf(audio);
    const from = Math.max(t, this.answered.at(-1)?.until ?? 0);
    if (long) this.answered.push(sound(from, long, audio));
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
 * @returns {Int16Array} what of it is still to be heard then; empty for what is no sound
 */
export function rest({from, until, audio}, at) {
  let samples;
  try {
    samples = decode(audio);
  } catch {
    return new Int16Array(0);
  }
  const place = (/** @type {number} */ ms) => Math.round((ms / duration(audio)) * samples.length);
  return samples.subarray(place(Math.max(0, at - from)), place(until - from));
}

/**
 * @param {number} from
 * @param {number} long milliseconds
 * @param {unknown} audio
 * @returns {Sound}
 */
function sound(from, long, audio) {
  return {from, until: from + long, audio: String(audio), first: true, last: true};
}

/** @param {Sound[]} sounds of one side */
function parted(sounds) {
  for (const [place, next] of sounds.slice(1).entries()) {
    sounds[place].last = next.first = next.from - sounds[place].until >= JITTER;
  }
  return sounds;
}

/** @param {unknown} audio @returns {number} milliseconds */
function lengthOf(audio) {
  return typeof audio === 'string' ? duration(audio) : 0;
}
