/**
 * A recorded session that happens again, at its own pace or another. Pure: the time of the clock is passed in.
 *
 * It is at a place in the recording, and knows what was known there: the events so far, and what is read out of them.
 * Going back is beginning anew, and going on to that place.
 */

import {Conversation} from '../conversation.js';
import {Turns} from '../measure/turns.js';
import {ToWire} from '../decoding.js';
import {FRAME_SAMPLES, WIRE_RATE} from '../pcm.js';
import {Calls} from '../shape/calls.js';
import {Sounds} from '../sounds.js';
import {EventLog} from './event-log.js';
import {soundtrack} from './soundtrack.js';

/**
 * @typedef {import('./event-log.js').Entry} Entry
 * @typedef {import('./soundtrack.js').Tape} Tape
 * @typedef {import('./soundtrack.js').Tapes} Tapes
 */

const SIDES = /** @type {const} */ (['C', 'S']);

export class Replay {
  /** Milliseconds since the recording began. */
  at = 0;
  /** How much faster than it was; 1 for its own pace. */
  speed = 1;
  playing = false;
  /** The events up to here, and what they tell. */
  log = nothing();
  turns = new Turns();
  conversation = new Conversation();
  calls = new Calls();
  /** The `rate_limits` that the server had told of last. @type {any[]} */
  limits = [];
  /** What was said in each item, also of those that are still to come. */
  sounds = new Sounds();
  /** Entries that have happened. */
  #count = 0;
  /** The clock when `at` was right. */
  #now = 0;

  /**
   * @param {string} name
   * @param {EventLog} recorded with one event at least
   * @param {Tapes} [tapes] what was recorded beside the events
   */
  constructor(name, recorded, tapes = {}) {
    this.name = name;
    this.recorded = recorded;
    this.soundtrack = soundtrack(recorded.entries, tapes);
    /** Milliseconds that it lasts, with the last answer's end. */
    this.length = Math.max(
      this.#timeOf(recorded.entries.length),
      ...Object.values(this.soundtrack).map((sounds) => sounds.at(-1)?.until ?? 0),
    );
    this.#gather(recorded.entries, tapes);
    this.seek(this.length);
  }

  /** Whether all has happened. */
  get ended() {
    return this.at >= this.length;
  }

  /** Whether an answer is heard here. */
  get speaking() {
    return this.playing && this.soundtrack.S.some(({from, until}) => from <= this.at && this.at < until);
  }

  /**
   * Go on, from the beginning where all has happened.
   * @param {number} now milliseconds of any clock
   */
  play(now) {
    if (this.ended) this.seek(0);
    this.playing = true;
    this.#now = now;
  }

  /** Stay where it is. */
  pause() {
    this.playing = false;
  }

  /**
   * Let time pass.
   * @param {number} now
   * @returns {Entry[]} what has happened since the last time
   */
  advance(now) {
    if (!this.playing) return [];
    this.at = Math.min(this.length, this.at + Math.max(0, now - this.#now) * this.speed);
    this.#now = now;
    if (this.ended) this.playing = false;
    return this.#read(this.#countAt(this.at));
  }

  /**
   * Go to another place; what is after it has not happened.
   * @param {number} ms since the recording began
   */
  seek(ms) {
    this.at = Math.max(0, Math.min(this.length, ms));
    this.#goTo(this.#countAt(this.at));
  }

  /**
   * Go to the next event, or one back, and stay there.
   * @param {1 | -1} by
   */
  step(by) {
    this.playing = false;
    const count = Math.max(0, Math.min(this.recorded.entries.length, this.#count + by));
    this.at = this.#timeOf(count);
    this.#goTo(count);
  }

  /**
   * Find what was said in each item: in its events, and where they are of a call and silent, on the tapes.
   * @param {Entry[]} entries
   * @param {Tapes} tapes
   */
  #gather(entries, tapes) {
    const reels = [];
    const told = soundtrack(entries);
    for (const side of SIDES) {
      const tape = tapes[side];
      if (tape && !told[side].length) reels.push(new Reel(tape, (chunk) => this.sounds.take(side, chunk)));
    }
    for (const {dir, event, t} of entries) {
      for (const reel of reels) reel.wind(t);
      attempt(() => this.sounds.apply(dir, event));
    }
    for (const reel of reels) reel.wind(Infinity);
  }

  /** @param {number} count entries that have happened there */
  #goTo(count) {
    if (count < this.#count) {
      this.log = nothing();
      this.turns = new Turns();
      this.conversation = new Conversation();
      this.calls = new Calls();
      this.limits = [];
      this.#count = 0;
    }
    this.#read(count);
  }

  /**
   * @param {number} count
   * @returns {Entry[]} those that were new
   */
  #read(count) {
    const entries = this.recorded.entries.slice(this.#count, count);
    this.#count = Math.max(count, this.#count);
    this.log.began = this.recorded.began;
    for (const entry of entries) this.#happen(entry);
    return entries;
  }

  /** @param {Entry} entry */
  #happen(entry) {
    this.log.keep(entry);
    attempt(() => this.turns.feed(entry));
    if (entry.dir === 'C') return;
    attempt(() => this.conversation.apply(entry.event));
    attempt(() => this.calls.apply(entry.event, []));
    if (entry.event.type === 'rate_limits.updated') this.limits = entry.event.rate_limits ?? [];
  }

  /**
   * @param {number} ms
   * @returns {number} how many entries have happened by then
   */
  #countAt(ms) {
    const {entries} = this.recorded;
    let count = 0;
    for (let step = 2 ** Math.ceil(Math.log2(entries.length + 1)); step >= 1; step /= 2) {
      if (count + step <= entries.length && entries[count + step - 1].t <= ms) count += step;
    }
    return count;
  }

  /** @param {number} count @returns {number} when so many entries have happened */
  #timeOf(count) {
    return this.recorded.entries[count - 1]?.t ?? 0;
  }
}

/** A tape that is given on as time goes by, in frames at the wire's rate. */
class Reel {
  #at = 0;
  #wire = new ToWire();

  /**
   * @param {Tape} tape
   * @param {(chunk: Int16Array) => void} give
   */
  constructor({rate, samples}, give) {
    this.rate = rate;
    this.samples = samples;
    this.give = give;
  }

  /** @param {number} ms to which it goes, since the recording began */
  wind(ms) {
    const end = Math.min(this.samples.length, Math.round((ms / 1000) * this.rate));
    const frame = Math.round((FRAME_SAMPLES * this.rate) / WIRE_RATE);
    for (; this.#at < end; this.#at = Math.min(end, this.#at + frame)) {
      this.give(this.#wire.take(this.samples.slice(this.#at, Math.min(end, this.#at + frame)), this.rate));
    }
  }
}

/**
 * A file may hold anything: what is no such event says nothing, and is in the log.
 * @param {() => void} read
 */
function attempt(read) {
  try {
    read();
  } catch {
    // nothing is read out of it
  }
}

/** A recording is kept as a whole already, so its log needs no bounds. */
function nothing() {
  return new EventLog({mostEntries: Infinity, mostCharacters: Infinity});
}
