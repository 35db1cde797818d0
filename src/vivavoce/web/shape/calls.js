/**
 * Function calls of the model: which are open, and what they are answered with. Pure.
 */

/**
 * @typedef {import('../connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {import('./tools.js').Tool} Tool
 * @typedef {object} Call
 * @property {string} id the protocol's call_id
 * @property {string} name
 * @property {string} args JSON
 * @property {string | null} output null while it is open
 * @property {boolean} ours whether it is for us to answer
 */

export class Calls {
  /** @type {Map<string, Call>} */
  calls = new Map();
  /** Call ids of a response that are answered together. @type {string[][]} */
  #rounds = [];

  /**
   * @param {RealtimeEvent} event from the server
   * @param {readonly Tool[]} tools ours
   * @returns {[call_id: string, output: string][]} results to send now
   */
  apply(event, tools) {
    const {item, response} = event;
    if (item?.type === 'function_call_output') this.#told(item.call_id, item.output);
    if (event.type !== 'response.done' || response?.status !== 'completed') return [];
    const made = (response.output ?? []).filter((/** @type {any} */ one) => one.type === 'function_call');
    const mine = made.filter((/** @type {any} */ {name}) => tools.some((tool) => tool.name === name));
    for (const {call_id, name, arguments: args} of made) {
      const ours = mine.some((/** @type {any} */ one) => one.call_id === call_id);
      const result = ours ? tools.find((tool) => tool.name === name)?.result : '';
      const output = result || this.calls.get(call_id)?.output || null;
      this.calls.set(call_id, {id: call_id, name, args: args ?? '', output, ours});
    }
    if (!mine.length) return [];
    this.#rounds.push(mine.map((/** @type {any} */ {call_id}) => call_id));
    return this.#ready();
  }

  /**
   * Answer one by hand.
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
    const call = this.calls.get(id) ?? {id, name: '', args: '', output: null, ours: false};
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
