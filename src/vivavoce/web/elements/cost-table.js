/**
 * `<cost-table>`: what the tokens cost, and the prices that this is reckoned with, to be changed. Event `priced`.
 */

import {LitElement, css, html, live, nothing} from '../vendor/lit.js';
import {FREE, KINDS, cost, money, undated} from '../measure/prices.js';
import {say} from '../words.js';
import {panelStyles} from './panel-styles.js';
import {sharedStyles} from './shared-styles.js';

/**
 * @typedef {import('../measure/prices.js').Kind} Kind
 * @typedef {import('../measure/prices.js').Prices} Prices
 * @typedef {import('../measure/turns.js').Turn} Turn
 */

/**
 * @param {Turn} turn
 * @param {Prices} prices
 * @param {boolean} free whether all of it costs nothing
 * @returns {number | null} US dollars; null where the tokens or the prices are unknown
 */
export function costOf({usage, model}, prices, free) {
  const price = free ? FREE : prices.of(model);
  return usage && price ? cost(usage, price) : null;
}

export class CostTable extends LitElement {
  static styles = [
    sharedStyles,
    panelStyles,
    css`
      dl {
        display: flex;
        flex-wrap: wrap;
        gap: 0.5rem 2.5rem;
        margin: 0 0 0.75rem;
      }
      dt {
        font-size: var(--text-small);
        color: var(--ink-soft);
      }
      dd {
        margin: 0;
        font: 500 1.5rem/1.3 var(--font-title);
        font-variant-numeric: tabular-nums;
      }
      p {
        margin: 0 0 0.75rem;
        max-inline-size: 44rem;
        font-size: var(--text-small);
        color: var(--ink-soft);
      }
      summary {
        min-block-size: 2rem;
        font-size: var(--text-small);
        cursor: pointer;
      }
      fieldset {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr));
        gap: 0.75rem;
        margin: 0.5rem 0 1rem;
        padding: 0.75rem 1rem 1rem;
        border: 1px solid var(--line);
        border-radius: 0.5rem;
      }
      legend {
        padding-inline: 0.3rem;
        font-size: var(--text-small);
        font-weight: 600;
      }
      fieldset p {
        grid-column: 1 / -1;
        margin: 0;
      }
    `,
  ];

  static properties = {turns: {attribute: false}, prices: {attribute: false}, free: {type: Boolean}, version: {type: Number}};

  /** A price was missing: the table stands open, and stays so when the first of its fields is filled. */
  #asking = false;

  constructor() {
    super();
    /** @type {readonly Turn[]} */
    this.turns = [];
    /** @type {Prices | null} */
    this.prices = null;
    /** Whoever answers costs nothing. */
    this.free = false;
    /** Changes whenever the turns did. */
    this.version = 0;
  }

  render() {
    const {prices, free} = this;
    const used = this.turns.filter(({usage}) => usage);
    if (!prices || !used.length) return nothing;
    const costs = used.map((turn) => costOf(turn, prices, free));
    const known = /** @type {number[]} */ (costs.filter((one) => one !== null));
    this.#asking ||= known.length < costs.length;
    const sum = known.reduce((total, one) => total + one, 0);
    const models = [...new Set(used.map(({model}) => undated(model)))];
    return html`<h2>${say('Cost')}</h2>
      <dl>
        <div><dt>${say('together')}</dt><dd>${money(known.length ? sum : null)}</dd></div>
        <div><dt>${say('last response')}</dt><dd>${money(costs.at(-1) ?? null)}</dd></div>
        <div><dt>${say('a response, on average')}</dt><dd>${money(known.length ? sum / known.length : null)}</dd></div>
      </dl>
      ${free
        ? html`<p>${say('The built-in engine answers, on your own machine: its tokens cost nothing.')}</p>`
        : html`<p>
              ${known.length < costs.length ? say('Of {0} of {1} responses it is unknown.', costs.length - known.length, costs.length) : nothing}
              ${say('At the prices below. The recognition of what you say is another model’s, and not in it.')}
            </p>
            <details ?open=${this.#asking}>
              <summary>${say('Prices, in US dollars for a million tokens')}</summary>
              ${models.map((model) => this.#table(model, prices))}
            </details>`}`;
  }

  /**
   * @param {string} model
   * @param {Prices} prices
   */
  #table(model, prices) {
    const price = prices.of(model);
    return html`<fieldset>
      <legend>${model || say('A model without a name')}</legend>
      ${KINDS.map(
        ([kind, label]) => html`<label class="asked">
          ${say(label)}
          <input
            class="field"
            type="number"
            min="0"
            step="any"
            inputmode="decimal"
            .value=${live(price ? String(price[kind]) : '')}
            @change=${(/** @type {Event} */ event) => this.#set(model, kind, event)}
          />
        </label>`,
      )}
      <p>
        ${prices.source(model)}
        ${prices.isOwn(model)
          ? html`<button class="small" type="button" @click=${() => this.#priced(() => prices.reset(model))}>${say('Forget them')}</button>`
          : nothing}
      </p>
    </fieldset>`;
  }

  /**
   * @param {string} model
   * @param {Kind} kind
   * @param {Event} event
   */
  #set(model, kind, event) {
    const control = /** @type {HTMLInputElement} */ (event.target);
    if (!control.reportValidity()) return;
    this.#priced(() => this.prices?.set(model, kind, Number(control.value)));
  }

  /** @param {() => void} change */
  #priced(change) {
    change();
    this.requestUpdate();
    this.dispatchEvent(new Event('priced'));
  }
}

customElements.define('cost-table', CostTable);
