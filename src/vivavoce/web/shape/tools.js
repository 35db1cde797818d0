/**
 * Functions that the model may call, made by hand, and their made-up results. Pure.
 */

import {say} from '../words.js';

/**
 * @typedef {object} Tool
 * @property {string} name
 * @property {string} description
 * @property {string} parameters a JSON schema, as it was typed
 * @property {string} result what each call is answered with; empty: it is asked for
 */

/** What the protocol allows as a name. */
const NAME = /^[\w-]{1,64}$/;

/** @type {Tool} */
export const EXAMPLE = Object.freeze({
  name: 'get_weather',
  description: 'The weather at a place, now.',
  parameters: `{
  "type": "object",
  "properties": {
    "location": {"type": "string", "description": "A town, with its country"}
  },
  "required": ["location"]
}`,
  result: '{"sky": "clear", "temperature": "18 °C"}',
});

/**
 * @param {Tool} tool
 * @param {readonly {name: string}[]} others
 * @returns {string} what is wrong with it, and what is expected; empty for nothing
 */
export function wrong({name, parameters}, others = []) {
  if (!NAME.test(name)) return say('A name has 1 to 64 letters, digits, _ and -.');
  if (others.some((other) => other.name === name)) return say('There is another tool called {0}.', name);
  if (!parameters.trim()) return '';
  try {
    const schema = JSON.parse(parameters);
    if (schema?.type !== 'object') return say('The schema of the arguments has "type": "object".');
  } catch (error) {
    return say('The schema is no JSON: {0}', error instanceof Error ? error.message : error);
  }
  return '';
}

/**
 * @param {readonly Tool[]} tools
 * @param {readonly {name: string}[]} [taken] have names that no other tool may have
 * @returns {object[]} those that nothing is wrong with, as the protocol has them
 */
export function wire(tools, taken = []) {
  const right = tools.filter((tool) => !wrong(tool, [...taken, ...tools.filter((other) => other !== tool)]));
  return right.map(({name, description, parameters}) => ({
    type: 'function',
    name,
    ...(description ? {description} : {}),
    ...(parameters.trim() ? {parameters: JSON.parse(parameters)} : {}),
  }));
}
