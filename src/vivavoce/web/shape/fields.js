/**
 * What of a session can be shaped in the console, and how it is kept. Pure.
 *
 * Bounds, choices and notes come from the protocol (`protocol.js`); here is what a person calls the fields. The shape
 * of a session is kept as the protocol has it: the `session` of a `session.update`, without what was left alone.
 */

import {FIELDS} from '../protocol.js';

/**
 * @typedef {Record<string, any>} Shape
 * @typedef {'text' | 'words' | 'number' | 'choice' | 'switch'} Kind
 * @typedef {object} Field
 * @property {string} path dotted, as in the protocol; the kind of turn detection is left out
 * @property {string} label
 * @property {Kind} kind
 * @property {string} says
 * @property {readonly string[]} choices that are offered; of `text`, only suggestions
 * @property {number | undefined} minimum
 * @property {number | undefined} maximum
 * @property {number | undefined} step
 * @property {string} [when] the kind of turn detection that has it
 */

const TURN = 'audio.input.turn_detection';

/** The voices that the protocol names; servers may have others. */
const VOICES = ['alloy', 'ash', 'ballad', 'coral', 'echo', 'sage', 'shimmer', 'verse', 'marin', 'cedar'];

/** @type {Field[]} */
export const SPEAKING = [
  field('instructions', 'Instructions', 'words', 'Who the voice is, what it knows, how it speaks. Empty: the server’s own.'),
  field('audio.output.voice', 'Voice', 'text', 'Changes only before the first answer.', {choices: VOICES}),
  field('audio.output.speed', 'Speed', 'number', '1 is the pace of the voice itself.', {step: 0.05}),
  field('max_output_tokens', 'Longest answer', 'number', 'In tokens. Empty: no limit.'),
  field('reasoning.effort', 'Thinking', 'choice', 'How hard the model thinks, where it is one that does.'),
];

/** @type {Field[]} */
export const LISTENING = [
  field('audio.input.transcription.model', 'Written down by', 'text', 'The model of the user’s transcript.', {
    choices: ['gpt-4o-mini-transcribe', 'gpt-4o-transcribe', 'whisper-1'],
  }),
  field('audio.input.transcription.language', 'Language', 'text', 'Two letters, such as en. Empty: any.'),
  field('audio.input.transcription.prompt', 'Words to expect', 'text', 'Names and terms that are spelt right then.'),
  field('audio.input.noise_reduction.type', 'Noise reduction', 'choice', 'near_field for a headset, far_field for a room.'),
];

/** @type {Field[]} */
export const TURNS = [
  {...field(`${TURN}.type`, 'A turn ends', 'choice', 'On silence, or when it makes sense. For hands-free only.'), choices: ['server_vad', 'semantic_vad']},
  field(`${TURN}.server_vad.threshold`, 'Threshold', 'number', 'How sure it must be that this is speech.', {step: 0.05}),
  field(`${TURN}.server_vad.silence_duration_ms`, 'Silence, ms', 'number', 'How long somebody may pause.', {step: 10}),
  field(`${TURN}.server_vad.prefix_padding_ms`, 'Before speech, ms', 'number', 'How much is kept of what came before.', {step: 10}),
  field(`${TURN}.server_vad.idle_timeout_ms`, 'Ask again after, ms', 'number', 'When nobody says anything.', {step: 500}),
  field(`${TURN}.semantic_vad.eagerness`, 'Eagerness', 'choice', 'How soon it takes the word.'),
  field(`${TURN}.server_vad.create_response`, 'Answer by itself', 'switch', 'Off: ask for each answer.'),
  field(`${TURN}.server_vad.interrupt_response`, 'Let itself be interrupted', 'switch', 'Off: it speaks on.'),
];

/**
 * @param {string} path as in the protocol
 * @param {string} label
 * @param {Kind} kind
 * @param {string} says
 * @param {{choices?: string[], step?: number}} [more]
 * @returns {Field}
 */
function field(path, label, kind, says, {choices, step} = {}) {
  const {minimum, maximum, choices: allowed} = FIELDS[path] ?? {};
  const variant = /\.(server_vad|semantic_vad)\./.exec(path)?.[1];
  const both = variant && `${TURN}.semantic_vad.${path.split('.').at(-1)}` in FIELDS && variant === 'server_vad';
  return {
    path: path.replace(/\.(server_vad|semantic_vad)\./, '.'),
    label,
    kind,
    says,
    choices: choices ?? allowed ?? [],
    minimum,
    maximum,
    step,
    ...(variant && !both ? {when: variant} : {}),
  };
}

/**
 * @param {Shape} shape
 * @param {string} path
 * @returns {any} undefined for what was left alone
 */
export function get(shape, path) {
  return path.split('.').reduce((value, key) => (/** @type {any} */ (value)?.[key]), /** @type {any} */ (shape));
}

/**
 * @param {Shape} shape
 * @param {string} path
 * @param {unknown} value undefined to leave it alone
 * @returns {Shape} another, that differs in this
 */
export function set(shape, path, value) {
  const [key, ...rest] = path.split('.');
  const inner = rest.length ? set(shape[key] ?? {}, rest.join('.'), value) : value;
  const {[key]: _, ...others} = shape;
  const empty = inner === undefined || (rest.length && Object.keys(/** @type {object} */ (inner)).length === 0);
  return empty ? others : {...others, [key]: inner};
}

/**
 * @param {Field} one
 * @param {string} text as it was typed
 * @returns {unknown} the value that the protocol wants; undefined for nothing
 */
export function parse({kind}, text) {
  const words = text.trim();
  if (!words) return undefined;
  if (kind === 'number') return Number.isFinite(Number(words)) ? Number(words) : undefined;
  return kind === 'switch' ? words === 'true' : text;
}

/**
 * @param {Shape} shape
 * @returns {Shape} what goes to the server: without the parameters of a turn detection that is not chosen
 */
export function settled(shape) {
  const turn = get(shape, TURN);
  if (!turn) return shape;
  const type = turn.type ?? 'server_vad';
  const known = Object.entries({...turn, type}).filter(([key]) => key === 'type' || `${TURN}.${type}.${key}` in FIELDS);
  return set(shape, TURN, Object.fromEntries(known));
}

/**
 * @param {any} shape of somebody else: nothing about it is certain
 * @returns {Shape} what of it has a field here, and fits it
 */
export function shown(shape) {
  return [...SPEAKING, ...LISTENING, ...TURNS].reduce((known, field) => {
    const value = get(shape, field.path);
    return fits(field, value) ? set(known, field.path, value) : known;
  }, /** @type {Shape} */ ({}));
}

/**
 * @param {Field} one
 * @param {unknown} value
 */
function fits({kind, choices, minimum = -Infinity, maximum = Infinity}, value) {
  if (kind === 'number') return typeof value === 'number' && value >= minimum && value <= maximum;
  if (kind === 'switch') return typeof value === 'boolean';
  return typeof value === 'string' && (kind !== 'choice' || choices.includes(value));
}
