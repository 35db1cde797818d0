/**
 * The files of a recording, chosen or dropped together: its events, and what each side said, in WAV files.
 */

import {say} from '../words.js';
import {read} from './recording.js';
import {readWav} from './wav.js';

/**
 * @typedef {import('./event-log.js').EventLog} EventLog
 * @typedef {import('./soundtrack.js').Tapes} Tapes
 */

/** How the names of its files begin that hold one side each. */
const SIDES = /** @type {const} */ ({user: 'C', assistant: 'S'});

/**
 * @param {File[]} files
 * @returns {Promise<{name: string, log: EventLog, tapes: Tapes}>}
 * @throws {Error} with the file, and what was expected of it
 */
export async function openFiles(files) {
  const sounds = files.filter(({name}) => /\.wav$/i.test(name));
  const events = files.filter((file) => !sounds.includes(file) && !/\.json$/i.test(file.name)); // session.json
  if (events.length !== 1) {
    const got = files.map(({name}) => name).join(', ');
    throw new Error(say('Expected the events of one recording (.jsonl), alone or with its sounds (.wav); got {0}.', got));
  }
  const [{name}] = events;
  const log = await told(events[0], async (file) => read(await file.text()));
  /** @type {Tapes} */
  const tapes = {};
  for (const file of sounds) Object.assign(tapes, await told(file, tapesIn));
  return {name, log, tapes};
}

/**
 * @param {File} file
 * @returns {Promise<Tapes>}
 */
async function tapesIn(file) {
  const [C, S] = readWav(await file.arrayBuffer());
  if (S) return {C, S}; // the gateway's: the user left, the assistant right
  for (const [begin, side] of Object.entries(SIDES)) if (file.name.toLowerCase().startsWith(begin)) return {[side]: C};
  throw new TypeError(say('Expected user.wav, assistant.wav, or one file with the user left and the assistant right.'));
}

/**
 * @template T
 * @param {File} file
 * @param {(file: File) => Promise<T>} reader
 * @returns {Promise<T>}
 */
async function told(file, reader) {
  try {
    return await reader(file);
  } catch (error) {
    throw new Error(`${file.name}: ${error instanceof Error ? error.message : error}`);
  }
}
