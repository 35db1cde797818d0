/**
 * The tools that the console has ready: the weather and a memory. Who switches them on lets this browser run them.
 */

import {Memory, MEMORY_TOOLS} from './memory.js';
import {GET_WEATHER, getWeather} from './weather.js';

/**
 * @typedef {{type: 'function', name: string, description: string, parameters: Record<string, any>}} Definition
 * @typedef {'weather' | 'memory'} Ready
 * @typedef {import('../shape/calls.js').Answerer} Answerer
 * @typedef {import('../shape/calls.js').Call} Call
 */

/** @type {Readonly<Record<Ready, readonly Definition[]>>} */
const DEFINITIONS = {weather: [GET_WEATHER], memory: MEMORY_TOOLS};

/** @type {readonly Ready[]} */
export const READY = ['weather', 'memory'];

/**
 * @param {any} names of tools, from wherever
 * @returns {Ready[]} those that there are
 */
export function known(names) {
  return READY.filter((name) => Array.isArray(names) && names.includes(name));
}

export class ReadyMade {
  /** Of the present session; what it asked for is given up with it. */
  #life = new AbortController();
  /** The model has not been told yet what is remembered. */
  #untold = false;

  /**
   * @param {Memory} memory
   * @param {typeof globalThis.fetch} [fetch]
   */
  constructor(memory, fetch) {
    this.memory = memory;
    this.fetch = fetch;
  }

  /**
   * @param {readonly Ready[]} on
   * @returns {Definition[]} what the model is told of those that are on
   */
  definitions(on) {
    return on.flatMap((name) => DEFINITIONS[name]);
  }

  /**
   * @param {readonly Ready[]} on
   * @returns {Answerer[]}
   */
  answerers(on) {
    return this.definitions(on).map(({name}) => ({name, result: '', runs: true}));
  }

  /** A session begins. */
  begin() {
    this.end();
    this.#life = new AbortController();
    this.#untold = true;
  }

  /** The session is over. */
  end() {
    this.#life.abort();
  }

  /**
   * @param {readonly Ready[]} on
   * @returns {string} what the model is to be told, once in a session; empty for nothing
   */
  opening(on) {
    const words = this.#untold && on.includes('memory') ? this.memory.words : '';
    this.#untold = false;
    return words;
  }

  /**
   * @param {Pick<Call, 'name' | 'args'>} call
   * @returns {Promise<{output: string, late: boolean}>} the result as the model reads it (a failure is a result too),
   *   and whether the session that asked is over
   */
  async run({name, args}) {
    const {signal} = this.#life;
    const output = await this.#result(name, args, signal);
    return {output, late: signal.aborted};
  }

  /**
   * @param {string} name
   * @param {string} args
   * @param {AbortSignal} signal
   */
  async #result(name, args, signal) {
    try {
      const known = argumentsOf(args);
      const result = name === GET_WEATHER.name ? await getWeather(known, {fetch: this.fetch, signal}) : this.memory.run(name, known);
      return typeof result === 'string' ? result : JSON.stringify(result);
    } catch (error) {
      return JSON.stringify({error: error instanceof Error ? error.message : String(error)});
    }
  }
}

/**
 * @param {string} text
 * @returns {Record<string, any>}
 * @throws {Error} with what was expected
 */
function argumentsOf(text) {
  let value;
  try {
    value = JSON.parse(text || '{}');
  } catch {
    throw new Error('The arguments are no JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('Expected arguments in an object.');
  return value;
}
