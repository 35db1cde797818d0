/**
 * `<json-view>`: a value as JSON, to fold and unfold. Its strings are text and never markup.
 */

import {LitElement, css, html, nothing} from '../vendor/lit.js';
import {say} from '../words.js';
import {sharedStyles} from './shared-styles.js';

/** Levels that are open at first. */
const OPEN_LEVELS = 3;

/** Characters of a string that are shown until it is asked for. */
const SHORT = 200;

/** Members of a list or object that are shown until all are asked for. */
const FEW = 200;

export class JsonView extends LitElement {
  static styles = [
    sharedStyles,
    css`
      :host {
        direction: ltr;
        font: var(--text-small) / 1.6 var(--font-code);
        overflow-wrap: anywhere;
      }
      ul {
        margin: 0;
        padding: 0 0 0 0.95rem;
        list-style: none;
        border-inline-start: 1px solid var(--line);
      }
      .root {
        padding: 0;
        border: 0;
      }
      summary {
        cursor: pointer;
        list-style-position: outside;
        margin-inline-start: 0.9rem;
      }
      summary::marker {
        color: var(--ink-faint);
      }
      .leaf {
        padding-inline-start: 0.9rem;
      }
      .key,
      .count {
        color: var(--ink-soft);
      }
      .more {
        min-block-size: 1.5rem;
        padding: 0 0.4rem;
        border: 0;
        background: var(--raised);
        border-radius: 0.25rem;
        color: var(--ink-soft);
        cursor: pointer;
      }
      .literal {
        font-weight: 600;
      }
    `,
  ];

  static properties = {value: {attribute: false}, version: {state: true}};

  /** Paths that are folded or unfolded otherwise than at first. @type {Map<string, boolean>} */
  #open = new Map();

  constructor() {
    super();
    /** @type {unknown} */
    this.value = null;
    /** Counts what was folded and unfolded, to draw again. */
    this.version = 0;
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (changed.has('value')) this.#open.clear();
  }

  render() {
    return html`<ul class="root" part="json">
      ${this.#member('', this.value, '', 0)}
    </ul>`;
  }

  /**
   * @param {string} name
   * @param {unknown} value
   * @param {string} path of the value, unique in the tree
   * @param {number} depth
   * @returns {unknown} a list item; what is folded is not made
   */
  #member(name, value, path, depth) {
    const key = name ? html`<span class="key">${name}</span>: ` : nothing;
    if (typeof value !== 'object' || value === null) {
      return html`<li class="leaf">${key}${this.#leaf(value, path)}</li>`;
    }
    const members = Object.entries(value);
    const [opening, closing] = Array.isArray(value) ? '[]' : '{}';
    if (!members.length) return html`<li class="leaf">${key}${opening}${closing}</li>`;
    const open = this.#open.get(path) ?? depth < OPEN_LEVELS;
    return html`<li>
      <details .open=${open} @toggle=${(/** @type {Event} */ event) => this.#toggled(event, path, open)}>
        <summary>${key}${opening}<span class="count">${open ? nothing : ` ${members.length} ${closing}`}</span></summary>
        ${open ? this.#members(members, path, depth) : nothing}
      </details>
    </li>`;
  }

  /**
   * @param {[string, unknown][]} members
   * @param {string} path
   * @param {number} depth
   */
  #members(members, path, depth) {
    const all = members.length <= FEW || this.#open.get(`${path}/…`);
    const shown = all ? members : members.slice(0, FEW);
    return html`<ul>
      ${shown.map(([key, inner]) => this.#member(key, inner, `${path}/${key}`, depth + 1))}
      ${all ? nothing : html`<li class="leaf">${this.#more(`${path}/…`, say('all {0}', members.length))}</li>`}
    </ul>`;
  }

  /**
   * @param {unknown} value
   * @param {string} path
   */
  #leaf(value, path) {
    if (typeof value !== 'string') return html`<span class="literal">${String(value)}</span>`;
    if (value.length <= SHORT || this.#open.get(path)) return JSON.stringify(value);
    return html`${JSON.stringify(value.slice(0, SHORT)).slice(0, -1)}… ${this.#more(path, say('{0} characters', value.length))}`;
  }

  /**
   * @param {string} path
   * @param {string} label
   */
  #more(path, label) {
    return html`<button class="more" type="button" @click=${() => this.#set(path, true)}>${label}</button>`;
  }

  /**
   * @param {Event} event
   * @param {string} path
   * @param {boolean} before
   */
  #toggled(event, path, before) {
    const {open} = /** @type {HTMLDetailsElement} */ (event.currentTarget);
    if (open !== before) this.#set(path, open);
  }

  /**
   * @param {string} path
   * @param {boolean} open
   */
  #set(path, open) {
    this.#open.set(path, open);
    this.version++;
  }
}

customElements.define('json-view', JsonView);
