/**
 * What tokens cost: the user's own prices, or those that are known. Pure, but for where they are kept.
 *
 * Nobody asks a provider for its prices, so they are a table that can be seen and changed, with its source and date.
 */

import {say, number as written} from '../words.js';
import {AS_OF, KNOWN} from './price-list.js';

/**
 * @typedef {object} Price US dollars for a million tokens
 * @property {number} text
 * @property {number} text_cached
 * @property {number} text_output
 * @property {number} audio
 * @property {number} audio_cached
 * @property {number} audio_output
 * @property {number} image
 * @property {number} image_cached
 * @typedef {keyof Price} Kind
 * @typedef {Pick<Storage, 'getItem' | 'setItem'>} Keeper
 */

/** What has a price, and how it is called. @type {[Kind, string][]} */
export const KINDS = [
  ['text', 'text in'],
  ['text_cached', 'text in, cached'],
  ['text_output', 'text out'],
  ['audio', 'audio in'],
  ['audio_cached', 'audio in, cached'],
  ['audio_output', 'audio out'],
  ['image', 'image in'],
  ['image_cached', 'image in, cached'],
];

/** Where this browser keeps the user's own prices. */
const KEPT = 'vivavoce.prices';

const MILLION = 1e6;

/** The date at the end of a model's name, which is of the same price. */
const SNAPSHOT = /-\d{4}-\d{2}-\d{2}$/;

export class Prices {
  /** The user's, by model. @type {Map<string, Price>} */
  #own;

  /** @param {Keeper | null} keeper null keeps them as long as the page lasts */
  constructor(keeper = null) {
    this.keeper = keeper;
    this.#own = read(keeper);
  }

  /**
   * @param {string} model
   * @returns {Price | null} null where nobody knows
   */
  of(model) {
    const name = undated(model);
    return this.#own.get(name) ?? (Object.hasOwn(KNOWN, name) ? KNOWN[name] : null);
  }

  /**
   * @param {string} model
   * @returns {string} where its prices are from
   */
  source(model) {
    const name = undated(model);
    if (this.#own.has(name)) return say('Your own, kept in this browser.');
    if (Object.hasOwn(KNOWN, name)) return say('From OpenAI’s page of this model, {0}. They may have changed since.', AS_OF);
    return say('Nobody has told what it costs: write it here.');
  }

  /**
   * @param {string} model
   * @returns {boolean} whether the user has set its prices
   */
  isOwn(model) {
    return this.#own.has(undated(model));
  }

  /**
   * @param {string} model
   * @param {Kind} kind
   * @param {number} dollars for a million tokens, 0 or more
   */
  set(model, kind, dollars) {
    if (!(dollars >= 0 && Number.isFinite(dollars))) throw new RangeError(say('Expected a price of 0 or more, got {0}.', dollars));
    this.#own.set(undated(model), {...(this.of(model) ?? FREE), [kind]: dollars});
    this.#keep();
  }

  /**
   * Forget the user's prices of a model.
   * @param {string} model
   */
  reset(model) {
    this.#own.delete(undated(model));
    this.#keep();
  }

  #keep() {
    try {
      this.keeper?.setItem(KEPT, JSON.stringify(Object.fromEntries(this.#own)));
    } catch {
      // it is full: they last as long as the page
    }
  }
}

/** What costs nothing. @type {Readonly<Price>} */
export const FREE = Object.freeze({
  text: 0,
  text_cached: 0,
  text_output: 0,
  audio: 0,
  audio_cached: 0,
  audio_output: 0,
  image: 0,
  image_cached: 0,
});

/**
 * @param {any} usage of a response
 * @param {Price} price
 * @returns {number} US dollars; tokens of which the server does not say what they are count as text
 */
export function cost(usage, price) {
  const read = usage.input_token_details ?? {text_tokens: usage.input_tokens};
  const cached = read.cached_tokens_details ?? {text_tokens: read.cached_tokens};
  const made = usage.output_token_details ?? {text_tokens: usage.output_tokens};
  let sum = 0;
  for (const kind of /** @type {const} */ (['text', 'audio', 'image'])) {
    const tokens = number(read[`${kind}_tokens`]);
    const again = Math.min(tokens, number(cached[`${kind}_tokens`]));
    sum += (tokens - again) * price[kind] + again * price[`${kind}_cached`];
  }
  sum += number(made.text_tokens) * price.text_output + number(made.audio_tokens) * price.audio_output;
  return sum / MILLION;
}

/**
 * @param {number | null} dollars
 * @returns {string} `$1.25`, `$0.0034`; a dash where it is unknown
 */
export function money(dollars) {
  if (dollars === null) return '–';
  const digits = dollars > 0 && dollars < 1 ? 4 : 2;
  return written(dollars, {style: 'currency', currency: 'USD', minimumFractionDigits: digits, maximumFractionDigits: digits});
}

/** @param {string} model @returns {string} its name without the date of a snapshot */
export function undated(model) {
  return model.replace(SNAPSHOT, '');
}

/** @param {Keeper | null} keeper @returns {Map<string, Price>} what of it are prices */
function read(keeper) {
  let kept;
  try {
    kept = JSON.parse(keeper?.getItem(KEPT) ?? '{}');
  } catch {
    kept = {}; // somebody else's
  }
  const isPrice = (/** @type {any} */ price) => KINDS.every(([kind]) => Number.isFinite(price?.[kind]) && price[kind] >= 0);
  return new Map(Object.entries(kept ?? {}).filter(([, price]) => isPrice(price)));
}

/**
 * @param {string} origin of a server of ours
 * @param {typeof fetch} [ask]
 * @returns {Promise<boolean>} whether only the engine that is built in answers there, which costs nothing
 */
export async function isFree(origin, ask = fetch) {
  try {
    const health = await (await ask(`${origin}/health`)).json();
    return Boolean(health.engine) && !health.upstreams?.length;
  } catch {
    return false; // another server: who knows
  }
}

/** @param {unknown} value */
function number(value) {
  return typeof value === 'number' ? value : 0;
}
