/**
 * `<memory-view>`: what the voice was asked to remember, as it changes; it can be changed and forgotten here. Event
 * `remembered` when that was done.
 */

import {LitElement, css, html, live, nothing, repeat} from '../vendor/lit.js';
import {say} from '../words.js';
import {sharedStyles} from './shared-styles.js';

/** @typedef {import('../ready/memory.js').Memory} Memory */

export class MemoryView extends LitElement {
  static styles = [
    sharedStyles,
    css`
      :host {
        container-type: inline-size;
      }
      details {
        border-block-start: 1px solid var(--line);
      }
      summary {
        display: flex;
        align-items: baseline;
        gap: 0.75rem;
        min-block-size: 2.75rem;
        padding-block: 0.6rem;
        font-size: var(--text-small);
        cursor: pointer;
      }
      summary b {
        white-space: nowrap;
      }
      summary::before {
        content: '▸';
      }
      summary:dir(rtl)::before {
        content: '◂';
      }
      [open] > summary::before {
        content: '▾';
      }
      .latest {
        overflow: hidden;
        color: var(--ink-soft);
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      [open] > summary .latest {
        display: none;
      }
      .all {
        max-block-size: min(14rem, 20dvh);
        overflow-y: auto;
        padding-block-end: 0.75rem;
      }
      ul {
        display: grid;
        gap: 0.4rem;
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: grid;
        grid-template-columns: minmax(6rem, 1fr) minmax(0, 2fr) auto;
        align-items: center;
        gap: 0.6rem;
        font-size: var(--text-small);
      }
      label.key {
        font-family: var(--font-code);
        overflow-wrap: anywhere;
      }
      .changed label.key {
        font-weight: 700;
      }
      .changed label.key::before {
        content: '● ';
      }
      p {
        margin: 0 0 0.5rem;
        font-size: var(--text-small);
        color: var(--ink-soft);
      }
      @container (max-width: 26rem) {
        li {
          grid-template-columns: minmax(0, 1fr) auto;
          gap: 0.2rem 0.6rem;
        }
        label.key {
          grid-column: 1 / -1;
        }
      }
      input[type='checkbox'] {
        accent-color: var(--ink);
      }
      .tell {
        display: flex;
        align-items: center;
        gap: 0.5rem;
        min-block-size: 2.75rem;
        font-size: var(--text-small);
      }
    `,
  ];

  static properties = {memory: {attribute: false}, version: {type: Number}};

  constructor() {
    super();
    /** @type {Memory | null} */
    this.memory = null;
    /** Changes whenever the memory may have. */
    this.version = 0;
  }

  render() {
    const {memory} = this;
    if (!memory) return nothing;
    const known = memory.known;
    const latest = known.get(memory.latest);
    return html`<details>
      <summary>
        <b>${say('Memory: {0}', known.size)}</b>
        ${latest === undefined ? nothing : html`<span class="latest" dir="auto">${memory.latest}: ${latest}</span>`}
      </summary>
      <div class="all" tabindex="0" role="group" aria-label=${say('Memory')}>
        ${known.size ? nothing : html`<p>${say('Nothing yet. Ask the voice to remember something.')}</p>`}
        <ul>
          ${repeat(
            [...known],
            ([key]) => key,
            ([key, value], index) => this.#row(memory, key, value, index),
          )}
        </ul>
        <label class="tell">
          <input type="checkbox" .checked=${live(memory.told)} @change=${(/** @type {Event} */ event) => this.#tell(memory, event)} />
          ${say('Tell the model of it when a session begins')}
        </label>
        <p>${say('It is kept in this browser. What you change here, the model learns when it looks, or in the next session.')}</p>
        ${known.size ? html`<button class="small" type="button" @click=${() => this.#done(() => memory.clear())}>${say('Forget everything')}</button>` : nothing}
      </div>
    </details>`;
  }

  /**
   * @param {Memory} memory
   * @param {string} key
   * @param {string} value
   * @param {number} index
   */
  #row(memory, key, value, index) {
    const change = (/** @type {Event} */ event) => {
      this.#done(() => memory.remember(key, /** @type {HTMLInputElement} */ (event.target).value));
    };
    return html`<li class=${key === memory.latest ? 'changed' : ''}>
      <label class="key" for="value-${index}">${key}</label>
      <input class="field" id="value-${index}" maxlength="1000" dir="auto" .value=${live(value)} @change=${change} />
      <button class="small" type="button" aria-label=${say('Forget {0}', key)} @click=${() => this.#done(() => memory.forget(key))}>
        ${say('Forget')}
      </button>
    </li>`;
  }

  /**
   * @param {Memory} memory
   * @param {Event} event
   */
  #tell(memory, event) {
    this.#done(() => (memory.told = /** @type {HTMLInputElement} */ (event.target).checked));
  }

  /** @param {() => void} change */
  #done(change) {
    change();
    this.requestUpdate();
    this.dispatchEvent(new Event('remembered'));
  }
}

customElements.define('memory-view', MemoryView);
