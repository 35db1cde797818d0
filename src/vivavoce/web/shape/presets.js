/**
 * The shape of a session as a link, and back. Pure. No key gets into it.
 */

import {redacted} from '../inspect/recording.js';
import {known} from '../ready/ready-made.js';
import {say} from '../words.js';
import {shown} from './fields.js';

/**
 * @typedef {import('./tools.js').Tool} Tool
 * @typedef {import('../ready/ready-made.js').Ready} Ready
 * @typedef {object} Preset
 * @property {string} model
 * @property {Record<string, any>} shape
 * @property {Tool[]} tools
 * @property {Ready[]} ready the ready-made tools that are on
 */

/** The most characters of a link's preset: what all browsers take. */
const LONGEST = 30_000;

/** @type {Readonly<Preset>} */
export const PLAIN = Object.freeze({model: '', shape: {}, tools: [], ready: []});

/**
 * @param {Preset} preset
 * @returns {string} letters, digits, - and _
 * @throws {RangeError} when it is too long for a link
 */
export function encode(preset) {
  const bytes = new TextEncoder().encode(JSON.stringify(redacted(preset)));
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  const text = btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  if (text.length > LONGEST) throw new RangeError(say('It is too long for a link.'));
  return text;
}

/**
 * @param {string} text
 * @returns {Preset | null} null for what is none
 */
export function decode(text) {
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    return checked(JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)))));
  } catch {
    return null;
  }
}

/**
 * @param {any} value from a link, or from what this browser kept: nothing about it is certain
 * @returns {Preset | null}
 */
export function checked(value) {
  if (typeof value !== 'object' || value === null) return null;
  const {model, shape, tools, ready} = value;
  if (typeof model !== 'string' || typeof shape !== 'object' || shape === null || !Array.isArray(tools)) return null;
  return {model, shape: shown(shape), tools: tools.map(toolOf), ready: known(ready)};
}

/**
 * @param {any} value
 * @returns {Tool}
 */
function toolOf(value) {
  const text = (/** @type {string} */ name) => (typeof value?.[name] === 'string' ? value[name] : '');
  return {name: text('name'), description: text('description'), parameters: text('parameters'), result: text('result')};
}
