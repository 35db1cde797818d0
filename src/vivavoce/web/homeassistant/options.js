/**
 * The options of the card: what they are without being set, what they may be, and the form that sets them. Pure.
 */

import {say} from '../words.js';

/**
 * @typedef {object} Options as in a dashboard's YAML
 * @property {string} [title] above the card; empty for none
 * @property {string} [entity] the conversation entity of the agent; by default, the first that the user may talk with
 * @property {'hold' | 'hands-free'} [mode] how to talk at first
 * @property {boolean} [show_transcript] what is said, in writing
 * @property {boolean} [show_waveform] how loud both sides are
 * @property {boolean} [show_text_input] a line to write instead
 * @property {boolean} [direct_audio] speech goes straight to the server where it can be reached
 * @property {boolean} [mute_while_speaking] hands-free, the microphone is silent while an answer sounds
 */

/** @type {Required<Omit<Options, 'title' | 'entity'>>} */
export const DEFAULTS = {
  mode: 'hold',
  show_transcript: true,
  show_waveform: true,
  show_text_input: true,
  mute_while_speaking: true,
  direct_audio: true,
};

const SWITCHES = /** @type {const} */ (['show_transcript', 'show_waveform', 'show_text_input', 'mute_while_speaking', 'direct_audio']);

/** @type {Record<string, [label: string, help: string]>} */
const WORDS = {
  title: ['Title', 'The name of the agent, if it is left out; empty for none.'],
  entity: ['Agent', 'By default, the first agent that you may talk with.'],
  mode: ['How to talk', 'It can be changed on the card.'],
  show_transcript: ['Show what is said', ''],
  show_waveform: ['Show the waveform', ''],
  show_text_input: ['Offer to write', ''],
  mute_while_speaking: [
    'Mute the microphone while the agent speaks',
    'Hands-free, against echoes. Switched off, you can interrupt by speaking: with headphones, or good echo cancellation.',
  ],
  direct_audio: [
    'Speak straight to the server where it can be reached',
    'Over WebRTC. Otherwise, and from outside, speech goes through Home Assistant.',
  ],
};

/**
 * @param {Record<string, unknown>} config of a dashboard
 * @returns {Options & typeof DEFAULTS}
 * @throws {Error} that the dashboard shows, for what cannot be
 */
export function optionsOf(config) {
  for (const name of SWITCHES) {
    expect(config, name, typeof config[name] === 'boolean', 'true or false');
  }
  expect(config, 'title', typeof config.title === 'string', 'a text');
  const isEntity = typeof config.entity === 'string' && config.entity.startsWith('conversation.');
  expect(config, 'entity', isEntity, 'a conversation entity, such as conversation.ada');
  expect(config, 'mode', config.mode === 'hold' || config.mode === 'hands-free', 'hold or hands-free');
  const given = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined && value !== null));
  return {...DEFAULTS, ...given};
}

/**
 * @param {Record<string, unknown>} config
 * @param {string} name
 * @param {boolean} right whether it is as it should be, where it is set
 * @param {string} expected
 */
function expect(config, name, right, expected) {
  const value = config[name];
  if (value === undefined || value === null || right) return;
  throw new Error(`${name}: expected ${expected}, and got ${JSON.stringify(value)}.`);
}

/** @returns {object} the form of the dashboard's editor */
export function configForm() {
  const modes = [
    {value: 'hold', label: say('Hold to talk')},
    {value: 'hands-free', label: say('Hands-free')},
  ];
  const entity = {filter: {integration: 'openai_realtime', domain: 'conversation'}};
  return {
    schema: [
      {name: 'entity', selector: {entity}},
      {name: 'title', selector: {text: {}}},
      {name: 'mode', default: DEFAULTS.mode, selector: {select: {mode: 'dropdown', options: modes}}},
      ...SWITCHES.map((name) => ({name, default: DEFAULTS[name], selector: {boolean: {}}})),
    ],
    computeLabel: (/** @type {{name: string}} */ {name}) => (WORDS[name] ? say(WORDS[name][0]) : undefined),
    computeHelper: (/** @type {{name: string}} */ {name}) => (WORDS[name]?.[1] ? say(WORDS[name][1]) : undefined),
  };
}
