/**
 * A connection of this browser's own, past the server of the page, with a key of its user's. Pure, but for where it is kept.
 *
 * The key stays here: in this tab, or in this browser if that is asked for. It goes to the address that stands beside it
 * and to no other; what comes from there has it taken out before anybody sees it.
 */

import {addressesOf} from './addresses.js';
import {say} from './words.js';

/**
 * @typedef {import('./session.js').Parts} Parts
 * @typedef {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>} Keeper
 */

/** Where it is kept, in either storage. */
const KEPT = 'vivavoce.direct';

/** What a WebSocket lets a key be made of, and headers too: the characters of a token. */
const KEY = /^[\w!#$%&'*+.^`|~-]{8,512}$/;

/** Hosts of this machine, to which a key may go without TLS. */
const LOCAL = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** What stands in the place of the key. */
const HIDDEN = 'YOUR KEY';

export class Direct {
  /** The address that is connected to; empty for the server of the page. */
  address = '';
  /** It is kept when the tab is closed. */
  lasting = false;
  #key = '';

  /**
   * @param {Keeper | null} tab the storage of this tab; null where there is none
   * @param {Keeper | null} browser the storage of this browser
   */
  constructor(tab = null, browser = null) {
    this.tab = tab;
    this.browser = browser;
    if (!this.#take(tab, false)) this.#take(browser, true);
  }

  /** @returns {string} the host that is spoken to; empty for the server of the page */
  get host() {
    return this.address && new URL(this.address).host;
  }

  /** @returns {Promise<string>} the key, for a line that is opened */
  async key() {
    return this.#key;
  }

  /**
   * @param {{address: string, key: string, lasting?: boolean}} choice
   * @throws {TypeError} for what is no address of a server, or no key
   */
  use({address, key, lasting = false}) {
    const {calls, origin} = addressesOf(address.trim());
    const {protocol, hostname} = new URL(origin);
    if (protocol !== 'https:' && !LOCAL.test(hostname)) {
      throw new TypeError(say('A key only goes where others cannot read it: expected an https: address, got {0}', origin));
    }
    if (!KEY.test(key.trim())) throw new TypeError(say('Expected a key as the provider shows it, without spaces.'));
    this.forget();
    this.address = calls.replace(/\/realtime\/calls(\?.*)?$/, '');
    this.lasting = lasting;
    this.#key = key.trim();
    const keeper = lasting ? this.browser : this.tab;
    try {
      keeper?.setItem(KEPT, JSON.stringify({address: this.address, key: this.#key}));
    } catch {
      // it is full: the key lasts as long as the page
    }
  }

  /** Go back to the server of the page; the key is nowhere any more. */
  forget() {
    this.address = '';
    this.lasting = false;
    this.#key = '';
    this.tab?.removeItem(KEPT);
    this.browser?.removeItem(KEPT);
  }

  /**
   * @param {Parts} parts of a session with that address
   * @returns {Parts} the same, in which no error has the key
   */
  guarded(parts) {
    return {
      ...parts,
      connection: (handlers) =>
        parts.connection({
          ...handlers,
          onevent: (event) => handlers.onevent(event.type === 'error' ? JSON.parse(this.#hide(JSON.stringify(event))) : event),
          onstate: (state, problem) => handlers.onstate(state, problem && {...problem, detail: this.#hide(problem.detail)}),
        }),
    };
  }

  /** @param {string} text */
  #hide(text) {
    return this.#key ? text.replaceAll(this.#key, HIDDEN) : text;
  }

  /**
   * @param {Keeper | null} keeper
   * @param {boolean} lasting
   * @returns {boolean} whether it has one
   */
  #take(keeper, lasting) {
    try {
      const {address, key} = JSON.parse(keeper?.getItem(KEPT) ?? '');
      if (!KEY.test(key) || !new URL(address).host) return false;
      Object.assign(this, {address, lasting});
      this.#key = key;
      return true;
    } catch {
      return false; // none, or somebody else's
    }
  }
}
