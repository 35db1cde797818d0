/**
 * `set_memory`: what the voice is asked to remember, kept in this browser. Pure but for the storage it is given.
 *
 * The three tools take and give what the server's of those names do (`vivavoce.tools.memory`).
 */

/**
 * @typedef {import('./ready-made.js').Definition} Definition
 * @typedef {Pick<Storage, 'getItem' | 'setItem'>} Store
 */

/** Where this browser keeps it. */
const KEPT = 'vivavoce.memory';

/** How much is remembered: as much as the server would of one user. */
const MOST_KEYS = 100;
const KEY_CHARACTERS = 64;
const VALUE_CHARACTERS = 1000;

const KEY = {type: 'string', minLength: 1, maxLength: KEY_CHARACTERS};

/** @type {Definition[]} */
export const MEMORY_TOOLS = [
  tool('set_memory', 'Remember something about the user, now and in later conversations.', ['key', 'value'], {
    key: {...KEY, description: 'What it is about, in lower case with underscores, such as "favourite_colour".'},
    value: {type: 'string', maxLength: VALUE_CHARACTERS, description: 'What is to be remembered.'},
  }),
  tool('get_memory', 'Recall what is remembered about the user.', [], {
    key: {anyOf: [KEY, {type: 'null'}], default: null, description: 'What it is about; leave it out to recall everything.'},
  }),
  tool('delete_memory', 'Forget something about the user.', ['key'], {
    key: {...KEY, description: 'What it is about.'},
  }),
];

/** What is remembered; another page of this browser may change it, so it is read anew each time. */
export class Memory {
  /** Holds what no storage takes. @type {string | null} */
  #unkept = null;
  /** The key that changed last; empty for none. */
  latest = '';

  /** @param {Store | null} store null where none is allowed: it is remembered as long as the page is there */
  constructor(store) {
    this.store = store;
  }

  /** @returns {Map<string, string>} the oldest first */
  get known() {
    const known = Object.entries(this.#read().known ?? {});
    return new Map(known.flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])));
  }

  /** @returns {boolean} whether the model is told of it when a session begins */
  get told() {
    return this.#read().told !== false;
  }

  set told(told) {
    this.#write(this.known, told);
  }

  /**
   * Keep a value in place of the one before.
   * @param {string} key
   * @param {string} value
   * @throws {Error} for more than is remembered
   */
  remember(key, value) {
    const known = this.known.set(key, value);
    if (known.size > MOST_KEYS) throw new Error(`No more than ${MOST_KEYS} things are remembered; forget one first.`);
    this.#write(known, this.told);
    this.latest = key;
  }

  /**
   * @param {string} key
   * @returns {boolean} whether there was such a thing
   */
  forget(key) {
    const known = this.known;
    const had = known.delete(key);
    if (had) this.#write(known, this.told);
    return had;
  }

  /** Forget everything. */
  clear() {
    this.#write(new Map(), this.told);
  }

  /**
   * Do what the model asks.
   * @param {string} name of the tool
   * @param {Record<string, any>} args as the model wrote them
   * @returns {string | Record<string, string>} the result
   * @throws {Error} in words for the model
   */
  run(name, {key = null, value}) {
    if (name === 'get_memory' && key === null) return Object.fromEntries(this.known);
    if (typeof key !== 'string' || !key || key.length > KEY_CHARACTERS) {
      throw new Error(`key: expected 1 to ${KEY_CHARACTERS} characters.`);
    }
    if (name === 'set_memory') {
      if (typeof value !== 'string' || value.length > VALUE_CHARACTERS) {
        throw new Error(`value: expected a text of up to ${VALUE_CHARACTERS} characters.`);
      }
      this.remember(key, value);
      return 'Remembered.';
    }
    const found = this.known.get(key);
    if (found === undefined) throw new Error(`Nothing is remembered as ${key}.`);
    if (name === 'get_memory') return {[key]: found};
    this.forget(key);
    return 'Forgotten.';
  }

  /** @returns {string} what the model is told when a session begins; empty for nothing */
  get words() {
    const known = this.known;
    if (!this.told || !known.size) return '';
    return `What set_memory was told of the user in earlier conversations: ${JSON.stringify(Object.fromEntries(known))}`;
  }

  /** @returns {{known?: Record<string, unknown>, told?: boolean}} */
  #read() {
    try {
      const value = JSON.parse(this.#unkept ?? this.store?.getItem(KEPT) ?? '{}');
      return typeof value?.known === 'object' && value.known !== null ? value : {told: value?.told};
    } catch {
      return {}; // somebody else's, or forbidden
    }
  }

  /**
   * @param {Map<string, string>} known
   * @param {boolean} told
   */
  #write(known, told) {
    const text = JSON.stringify({known: Object.fromEntries(known), told});
    try {
      if (!this.store) throw new Error('There is no storage.');
      this.store.setItem(KEPT, text);
      this.#unkept = null;
    } catch {
      this.#unkept = text; // forbidden, or full
    }
  }
}

/**
 * @param {string} name
 * @param {string} description
 * @param {string[]} required
 * @param {Record<string, any>} properties
 * @returns {Definition}
 */
function tool(name, description, required, properties) {
  return {type: 'function', name, description, parameters: {type: 'object', properties, required, additionalProperties: false}};
}
