/**
 * What the list of events shows: those that the filter lets through, runs of deltas folded into one row. Pure.
 */

/**
 * @typedef {import('./event-log.js').Entry} Entry
 * @typedef {import('./event-log.js').Direction} Direction
 * @typedef {{entries: Entry[], first: Entry, last: Entry}} Row one event, or a run of the same kind
 * @typedef {object} Filter
 * @property {string} text words that must all occur in it, in any case
 * @property {Direction | ''} dir
 * @property {string} type the beginning of its type: `response.` finds all of those
 * @property {boolean} errors only errors, and what failed
 */

/** @type {Readonly<Filter>} */
export const EVERYTHING = Object.freeze({text: '', dir: '', type: '', errors: false});

/** Kinds that come many times over, and say little each time. */
const REPEATED = /\.delta$|^input_audio_buffer\.append$/;

/** Strings longer than this are audio or pictures: no one searches in them. */
const LONGEST_SEARCHED = 2000;

/** What is searched, by event: made once, when somebody searches. @type {WeakMap<object, string>} */
const searched = new WeakMap();

export class Rows {
  /** @type {Row[]} */
  rows = [];
  /** @type {Filter} */
  filter = {...EVERYTHING};
  /** Fold runs of deltas. */
  folded = true;
  /** The runs that may still grow, by kind and item. @type {Map<string, Row>} */
  #open = new Map();

  /**
   * Show something else.
   * @param {Iterable<Entry>} entries all of them
   * @param {Partial<Filter>} [filter] what changes
   * @param {boolean} [folded]
   */
  show(entries, filter = {}, folded = this.folded) {
    this.filter = {...this.filter, ...filter};
    this.folded = folded;
    this.rows = [];
    this.#open.clear();
    for (const entry of entries) this.add(entry);
  }

  /** @param {Entry} entry a new one */
  add(entry) {
    if (!passes(entry, this.filter)) return;
    const {dir, event} = entry;
    const repeated = this.folded && REPEATED.test(event.type);
    const key = repeated ? `${dir} ${event.type} ${event.item_id ?? ''} ${event.call_id ?? ''}` : '';
    const row = this.#open.get(key);
    if (row) {
      row.entries.push(entry);
      row.last = entry;
      return;
    }
    if (!repeated) this.#open.clear();
    const begun = {entries: [entry], first: entry, last: entry};
    this.rows.push(begun);
    if (repeated) this.#open.set(key, begun);
  }

  /**
   * @param {number} number of an entry
   * @returns {number} the row that it is in; -1 where none is
   */
  find(number) {
    return this.rows.findIndex(({entries, first, last}) => {
      return first.number <= number && number <= last.number && entries.some((entry) => entry.number === number);
    });
  }
}

/**
 * @param {Entry} entry
 * @param {Filter} filter
 * @returns {boolean}
 */
export function passes(entry, {text, dir, type, errors}) {
  if (dir && entry.dir !== dir) return false;
  if (type && !entry.event.type.startsWith(type)) return false;
  if (errors && !failed(entry.event)) return false;
  if (!text.trim()) return true;
  const words = text.toLowerCase().trim().split(/\s+/);
  const all = searchable(entry.event);
  return words.every((word) => all.includes(word));
}

/**
 * @param {import('../connection.js').RealtimeEvent} event
 * @returns {boolean} whether it tells that something went wrong
 */
export function failed(event) {
  return event.type === 'error' || event.type.endsWith('.failed') || event.response?.status === 'failed';
}

/** @param {object} event */
function searchable(event) {
  let text = searched.get(event);
  if (text === undefined) {
    text = JSON.stringify(event, (_key, value) => {
      return typeof value === 'string' && value.length > LONGEST_SEARCHED ? undefined : value;
    }).toLowerCase();
    searched.set(event, text);
  }
  return text;
}
