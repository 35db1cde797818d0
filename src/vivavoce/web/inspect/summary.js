/**
 * One line that says what an event, or a run of deltas, is about. Pure.
 */

import {duration} from '../formats.js';
import {fixed, say} from '../words.js';

/**
 * @typedef {import('../connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {import('./rows.js').Row} Row
 */

/** The most characters of one line. */
const LONGEST = 160;

/**
 * @param {Row} row
 * @returns {string} what is said in it; empty for what speaks for itself
 */
export function summary({entries, first, last}) {
  const {type} = first.event;
  const sound = type === 'input_audio_buffer.append' ? 'audio' : type.endsWith('audio.delta') ? 'delta' : '';
  if (sound) return say('{0} s of sound', fixed(lengthOf(entries, sound) / 1000, 2));
  if (type.endsWith('.delta')) return shortened(words(entries.slice(0, LONGEST + 1).map(({event}) => event)));
  return shortened(about(last.event));
}

/** How long the runs are that have been measured: they grow while they are looked at. @type {WeakMap<object, {count: number, ms: number}>} */
const measured = new WeakMap();

/**
 * @param {import('./event-log.js').Entry[]} entries of a run, which only grows
 * @param {string} field with the sound
 * @returns {number} milliseconds
 */
function lengthOf(entries, field) {
  const known = measured.get(entries) ?? {count: 0, ms: 0};
  for (; known.count < entries.length; known.count++) {
    const {event, format} = entries[known.count];
    known.ms += duration(format, event[field]);
  }
  measured.set(entries, known);
  return known.ms;
}

/**
 * @param {RealtimeEvent[]} events deltas of one item
 * @returns {string} their words together
 */
export function words(events) {
  return events.map(({delta}) => (typeof delta === 'string' ? delta : '')).join('');
}

/**
 * @param {RealtimeEvent} event
 * @returns {string}
 */
function about({type, error, session, item, response, transcript, text, part, ...event}) {
  if (error) return [error.code, error.message].filter(Boolean).join(': ');
  if (session) return session.model ?? Object.keys(session).filter((key) => key !== 'type').join(', ');
  if (item) return describeItem(item);
  if (type === 'response.done') return describeResponse(response ?? {});
  if (typeof (transcript ?? text) === 'string') return transcript ?? text;
  if (part) return part.transcript || part.text || part.type || '';
  if (event.arguments) return `${event.name ?? ''}(${event.arguments})`;
  if (event.audio_end_ms !== undefined) return say('at {0} s', fixed(event.audio_end_ms / 1000, 2));
  if (event.audio_start_ms !== undefined) return say('at {0} s', fixed(event.audio_start_ms / 1000, 2));
  if (Array.isArray(event.rate_limits)) return event.rate_limits.map((limit) => `${limit?.name} ${limit?.remaining}`).join(', ');
  return '';
}

/** @param {any} item */
function describeItem({type, role, name, content, output, ...item}) {
  if (type === 'function_call') return `${name}(${item.arguments ?? ''})`;
  if (type === 'function_call_output') return `→ ${output ?? ''}`;
  const said = (Array.isArray(content) ? content : []).map((/** @type {any} */ part) => part?.transcript ?? part?.text ?? '').join(' ').trim();
  return [role ?? type, said].filter(Boolean).join(': ');
}

/** @param {any} response */
function describeResponse({status, status_details, usage}) {
  const why = status_details?.error?.message ?? status_details?.reason;
  const tokens = usage?.total_tokens ? say('{0} tokens', usage.total_tokens) : '';
  return [status, why, tokens].filter(Boolean).join(', ');
}

/** @param {unknown} value */
function shortened(value) {
  const line = String(value).replace(/\s+/g, ' ').trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST)} …` : line;
}
