/**
 * Function calls of the model: which are open, and what they are answered with. Pure.
 */

import {outputOf} from '../responses.js';

/**
 * @typedef {import('../connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {object} Answerer
 * @property {string} name of the tool
 * @property {string} result what each call is answered with; empty: it is asked for
 * @property {boolean} [runs] it is run for its result, and nobody asked
 * @typedef {object} Call
 * @property {string} id the protocol's call_id
 * @property {string} name
 * @property {string} args JSON
 * @property {string | null} output null while it is open
 * @property {boolean} ours whether it is for us to answer
 * @property {boolean} runs whether that takes nobody’s hand
 */

export class Calls {
  /** @type {Map<string, Call>} */
  calls = new Map();
  /** Call ids of a response that are answered together. @type {string[][]} */
  #rounds = [];
  /** Calls that are run, or were. @type {Set<string>} */
  #begun = new Set();

  /**
   * @param {RealtimeEvent} event from the server
   * @param {readonly Answerer[]} tools ours
   * @returns {[call_id: string, output: string][]} results to send now
   */
  apply(event, tools) {
    const {item, response} = event;
    if (item?.type === 'function_call_output') this.#told(item.call_id, item.output);
    if (event.type !== 'response.done' || response?.status !== 'completed') return [];
    const made = outputOf(event).filter(({type}) => type === 'function_call');
    const mine = made.filter(({name}) => tools.some((tool) => tool.name === name));
    for (const {call_id, name, arguments: args} of made) {
      const ours = mine.some((one) => one.call_id === call_id);
      const tool = ours ? tools.find((tool) => tool.name === name) : undefined;
      const output = tool?.result || this.calls.get(call_id)?.output || null;
      this.calls.set(call_id, {id: call_id, name, args: args ?? '', output, ours, runs: tool?.runs ?? false});
    }
    if (!mine.length) return [];
    this.#rounds.push(mine.map(({call_id}) => call_id));
    return this.#ready();
  }

  /** @returns {Call[]} those that are to be run now, each once */
  begin() {
    const waiting = [...this.calls.values()].filter(({id, runs, output}) => runs && output === null && !this.#begun.has(id));
    for (const {id} of waiting) this.#begun.add(id);
    return waiting;
  }

  /**
   * Answer one.
   * @param {string} id
   * @param {string} output
   * @returns {[call_id: string, output: string][]} results to send now: those of one response go together
   */
  answer(id, output) {
    this.#told(id, output);
    return this.#ready();
  }

  /**
   * @param {string} id
   * @param {string} output
   */
  #told(id, output) {
    const call = this.calls.get(id) ?? {id, name: '', args: '', output: null, ours: false, runs: false};
    this.calls.set(id, {...call, output});
  }

  /** @returns {[call_id: string, output: string][]} */
  #ready() {
    const outputs = (/** @type {string[]} */ ids) => ids.map((id) => /** @type {[string, string | null]} */ ([id, this.calls.get(id)?.output ?? null]));
    const done = this.#rounds.filter((ids) => outputs(ids).every(([, output]) => output !== null));
    this.#rounds = this.#rounds.filter((ids) => !done.includes(ids));
    return /** @type {[string, string][]} */ (done.flatMap(outputs));
  }
}
