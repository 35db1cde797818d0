/**
 * Recordings of events: one JSON object to a line, `{"dir": "C", "event": {…}, "t": 1.234}`, t in seconds. Pure.
 *
 * `vivavoce.testing.Cassette` and `vivavoce replay` read what is written here, and what they write is read here.
 */

import {say} from '../words.js';
import {EventLog} from './event-log.js';

/** @typedef {import('./event-log.js').Entry} Entry */

/** Fields whose value is a secret, wherever they stand; those of `headers` all are. */
const SECRETS = new Set(['authorization', 'api_key', 'client_secret', 'password', 'secret', 'access_token']);

/** What looks like a key, in any string. */
const KEY = /\b(?:sk|ek|rk|vv)[-_][\w-]{8,}|\bBearer\s+\S+/g;

/** What stands in the place of a secret. */
const REDACTED = 'REDACTED';

/**
 * @param {Iterable<Entry>} entries
 * @returns {string[]} lines, each with its line end; without keys and passwords
 */
export function write(entries) {
  return Array.from(entries, ({dir, event, t}) => {
    return `${JSON.stringify({dir, event: redacted(event), t: Math.round(t) / 1000})}\n`;
  });
}

/**
 * @param {string} text a whole file
 * @returns {EventLog}
 * @throws {SyntaxError} with the line, and what was expected of it
 */
export function read(text) {
  const log = new EventLog({mostEntries: Infinity, mostCharacters: Infinity});
  let number = 0;
  let t = 0;
  for (const line of text.split('\n')) {
    number++;
    if (!line.trim()) continue;
    const frame = parse(line, number);
    t = typeof frame.t === 'number' ? frame.t : t;
    log.began ??= 0;
    log.add(frame.dir, frame.event, t * 1000);
  }
  if (!log.entries.length) throw new SyntaxError(say('Expected a recording, with one event on each line; the file is empty.'));
  return log;
}

/**
 * @param {string} line
 * @param {number} number
 */
function parse(line, number) {
  let frame;
  try {
    frame = JSON.parse(line);
  } catch {
    throw new SyntaxError(say('Line {0}: expected JSON.', number));
  }
  if (frame?.dir !== 'C' && frame?.dir !== 'S') {
    throw new SyntaxError(say('Line {0}: expected "dir" to be "C" or "S".', number));
  }
  if (typeof frame.event?.type !== 'string') throw new SyntaxError(say('Line {0}: expected an "event" with a type.', number));
  return frame;
}

/**
 * @param {any} value
 * @param {string} [name] of the field that it is in
 * @returns {any} the same without keys and passwords
 */
export function redacted(value, name = '') {
  if (typeof value === 'string') {
    return SECRETS.has(name.toLowerCase().replaceAll('-', '_')) ? REDACTED : redactedJson(value).replace(KEY, REDACTED);
  }
  if (Array.isArray(value)) return value.map((inner) => redacted(inner));
  if (typeof value !== 'object' || value === null) return value;
  const hidden = name === 'headers';
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, hidden ? REDACTED : redacted(inner, key)]),
  );
}

/**
 * @param {string} text perhaps what a tool was called with, or answered
 * @returns {string} without secrets; as it is where there are none
 */
function redactedJson(text) {
  if (!/^\s*[{[]/.test(text)) return text;
  try {
    const value = JSON.parse(text);
    const written = JSON.stringify(redacted(value));
    return written === JSON.stringify(value) ? text : written;
  } catch {
    return text; // no JSON
  }
}
