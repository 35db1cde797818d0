/**
 * Every event of a session in both directions: kept, numbered, and tied to what caused it. Pure: times are passed in.
 */

import {Formats} from '../formats.js';
import {Causes} from './causes.js';

/**
 * @typedef {import('../connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {'C' | 'S'} Direction who sent it: the client, or the server
 * @typedef {object} Entry
 * @property {number} number counts from 0 and is never used again
 * @property {Direction} dir
 * @property {number} t milliseconds since the log began
 * @property {RealtimeEvent} event
 * @property {number} size about how many characters it has as JSON
 * @property {number | null} cause the number of the entry that it answers
 * @property {string} format what sound of its kind is in, at that time
 */

/** Entries kept; at 50 events a second, 40 minutes of talk. */
const MOST_ENTRIES = 120_000;

/** Characters kept, nearly all of them audio: what 25 minutes of talk by both sides have. */
const MOST_CHARACTERS = 200e6;

/** When there is too much, this share of the entries goes, the oldest first: dropping one by one would be slow. */
const DROP = 0.1;

export class EventLog {
  /** The oldest first. @type {Entry[]} */
  entries = [];
  /** When it began, in milliseconds since 1970; null before the first event. @type {number | null} */
  began = null;
  /** Entries that were left out because there were too many. */
  dropped = 0;
  #next = 0;
  #characters = 0;
  #causes = new Causes();
  #formats = new Formats();
  /** What each entry led to, by its number. @type {Map<number, Entry[]>} */
  #effects = new Map();

  /** @param {{mostEntries?: number, mostCharacters?: number}} [limits] */
  constructor({mostEntries = MOST_ENTRIES, mostCharacters = MOST_CHARACTERS} = {}) {
    this.mostEntries = mostEntries;
    this.mostCharacters = mostCharacters;
  }

  /**
   * @param {Direction} dir
   * @param {RealtimeEvent} event
   * @param {number} now milliseconds since 1970
   * @returns {Entry}
   */
  add(dir, event, now) {
    this.began ??= now;
    const number = this.#next++;
    const cause = this.#causes.of(number, dir, event);
    if (dir === 'S') this.#formats.apply(event);
    const format = dir === 'S' ? this.#formats.of(event) : this.#formats.hears;
    const entry = {number, dir, t: now - this.began, event, size: sizeOf(event), cause, format};
    this.keep(entry);
    return entry;
  }

  /** @param {Entry} entry the next one, of this log or of the one that this is a part of */
  keep(entry) {
    this.entries.push(entry);
    if (entry.cause !== null) {
      const effects = this.#effects.get(entry.cause);
      if (effects) effects.push(entry);
      else this.#effects.set(entry.cause, [entry]);
    }
    this.#characters += entry.size;
    if (this.entries.length > this.mostEntries || this.#characters > this.mostCharacters) this.#drop();
  }

  /**
   * @param {number} number
   * @returns {Entry | undefined} undefined where it has been dropped
   */
  at(number) {
    return this.entries[number - (this.entries[0]?.number ?? 0)];
  }

  /**
   * @param {Entry} entry
   * @returns {Entry[]} what it led to
   */
  effectsOf({number}) {
    const oldest = this.entries[0]?.number ?? 0;
    return (this.#effects.get(number) ?? []).filter((effect) => effect.number >= oldest);
  }

  #drop() {
    const gone = this.entries.splice(0, Math.max(1, Math.floor(this.entries.length * DROP)));
    for (const {number, size} of gone) {
      this.#characters -= size;
      this.#effects.delete(number);
    }
    this.dropped += gone.length;
  }
}

/**
 * @param {any} value
 * @returns {number} about how many characters it has as JSON, without making it
 */
function sizeOf(value) {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 5;
  let size = 2;
  for (const key in value) size += key.length + 4 + sizeOf(value[key]);
  return size;
}
