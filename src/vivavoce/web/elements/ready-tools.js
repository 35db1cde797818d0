/**
 * `<ready-tools>`: the tools that the console has ready, to be switched on. Event `ready` with those that are on.
 */

import {LitElement, css, html, nothing} from '../vendor/lit.js';
import {READY} from '../ready/ready-made.js';
import {say} from '../words.js';
import {sharedStyles} from './shared-styles.js';

/** @typedef {import('../ready/ready-made.js').Ready} Ready */

/** @type {Record<Ready, {label: string, says: string}>} */
const WORDS = {
  weather: {
    label: 'Weather: get_weather',
    says: 'The model may ask what the weather is anywhere; a map shows where. This browser then asks Open-Meteo.com over the network, and sends it the name of the place and its coordinates.',
  },
  memory: {
    label: 'Memory: set_memory',
    says: 'The model may remember what you tell it. It is kept in this browser, and told to the model again in the sessions to come if you want.',
  },
};

export class ReadyTools extends LitElement {
  static styles = [
    sharedStyles,
    css`
      :host {
        display: grid;
        gap: 0.75rem;
        font-size: var(--text-small);
      }
      label {
        display: flex;
        align-items: center;
        gap: 0.5rem;
        min-block-size: 2rem;
        font-weight: 600;
      }
      p {
        margin: 0;
        color: var(--ink-soft);
      }
      input {
        accent-color: var(--ink);
      }
      .suggested {
        font-weight: 600;
        color: var(--ink);
      }
      @media (pointer: coarse) {
        label {
          min-block-size: 2.75rem;
        }
      }
    `,
  ];

  static properties = {on: {attribute: false}, suggested: {attribute: false}};

  constructor() {
    super();
    /** @type {readonly Ready[]} */
    this.on = [];
    /** Those that a link would have on. @type {readonly Ready[]} */
    this.suggested = [];
  }

  render() {
    return READY.map((name) => {
      const on = this.on.includes(name);
      return html`<div>
        <label>
          <input type="checkbox" .checked=${on} aria-describedby="${name}-help" @change=${() => this.#switch(name, !on)} />
          ${say(WORDS[name].label)}
        </label>
        <p id="${name}-help">
          ${say(WORDS[name].says)}
          ${!on && this.suggested.includes(name)
            ? html`<span class="suggested">${say('The link that you opened would have it on; it is for you to say.')}</span>`
            : nothing}
        </p>
      </div>`;
    });
  }

  /**
   * @param {Ready} name
   * @param {boolean} on
   */
  #switch(name, on) {
    const detail = READY.filter((one) => (one === name ? on : this.on.includes(one)));
    this.dispatchEvent(new CustomEvent('ready', {detail}));
  }
}

customElements.define('ready-tools', ReadyTools);
