/**
 * `<turn-panel>`: Measure. Each turn as a waterfall, the history of the wait for a sound, and what it took in tokens.
 */

import {LitElement, css, html, nothing, svg} from '../vendor/lit.js';
import {span} from '../inspect/times.js';
import {money} from '../measure/prices.js';
import {quantile, tokens} from '../measure/tokens.js';
import {number, say} from '../words.js';
import {costOf} from './cost-table.js';
import {panelStyles} from './panel-styles.js';
import {sharedStyles} from './shared-styles.js';

/**
 * @typedef {import('../measure/prices.js').Prices} Prices
 * @typedef {import('../measure/turns.js').Turn} Turn
 * @typedef {import('../measure/turns.js').Stage} Stage
 */

/** The stages in their order, and what each is called. @type {[Stage, string][]} */
const STAGES = [
  ['decided', 'turn decided'],
  ['transcript', 'transcript'],
  ['created', 'response begun'],
  ['text', 'first words'],
  ['audio', 'first sound'],
  ['played', 'heard'],
];

/** Turns that are drawn, the last ones; the history has all of them. */
const MOST_DRAWN = 40;

/** Pixels of the history. */
const HISTORY = {height: 96, pitch: 14, width: 8};

export class TurnPanel extends LitElement {
  static styles = [
    sharedStyles,
    panelStyles,
    css`
      :host {
        overflow-y: auto;
        padding: 1.25rem 1.5rem 2rem;
      }
      section {
        margin-block-end: 2rem;
      }
      .empty {
        max-inline-size: 26rem;
        margin: 4rem auto;
        text-align: center;
        color: var(--ink-soft);
      }
      .note {
        margin: 0 0 0.75rem;
        font-size: var(--text-small);
        color: var(--ink-soft);
        max-inline-size: 44rem;
      }
      .figures {
        display: flex;
        flex-wrap: wrap;
        gap: 0.5rem 2.5rem;
        margin: 0 0 1rem;
      }
      .figures dt {
        font-size: var(--text-small);
        color: var(--ink-soft);
      }
      .figures dd {
        margin: 0;
        font: 500 1.5rem/1.3 var(--font-title);
        font-variant-numeric: tabular-nums;
      }
      svg {
        display: block;
        overflow: visible;
      }
      svg:dir(rtl) {
        transform: scaleX(-1);
      }
      .history,
      .wide {
        overflow-x: auto;
      }
      .rest {
        stroke: var(--line-strong);
      }
      .voice {
        fill: var(--voice);
      }
      .quiet {
        fill: var(--line-strong);
      }
      .median {
        stroke: var(--ink);
        stroke-dasharray: 2 4;
      }
      article {
        padding-block: 0.9rem;
        border-block-start: 1px solid var(--line);
      }
      h3 {
        margin: 0;
        font-size: 1rem;
        font-weight: 500;
        overflow-wrap: anywhere;
      }
      .answer {
        margin: 0 0 0.5rem;
        font-size: var(--text-small);
        color: var(--ink-soft);
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .falls {
        display: grid;
        grid-template-columns: max-content minmax(0, 1fr) 4.5rem;
        gap: 0.15rem 0.9rem;
        align-items: center;
        margin: 0;
        font-size: var(--text-small);
      }
      .falls dt {
        color: var(--ink-soft);
      }
      .falls dd {
        display: contents;
      }
      .number {
        text-align: end;
        font-variant-numeric: tabular-nums;
      }
      .number,
      .figures dd {
        unicode-bidi: plaintext;
      }
      table {
        border-collapse: collapse;
        font-size: var(--text-small);
        font-variant-numeric: tabular-nums;
      }
      th,
      td {
        padding-block: 0.35rem;
        padding-inline: 0 clamp(0.6rem, 2vw, 1.25rem);
        text-align: end;
        font-weight: 400;
        border-block-end: 1px solid var(--line);
      }
      th:first-child {
        text-align: start;
      }
      thead th {
        color: var(--ink-soft);
      }
    `,
  ];

  static properties = {
    turns: {attribute: false},
    limits: {attribute: false},
    prices: {attribute: false},
    free: {type: Boolean},
    version: {type: Number},
    source: {type: String},
  };

  constructor() {
    super();
    /** @type {readonly Turn[]} */
    this.turns = [];
    /** What the server says of its limits: the `rate_limits` of its last `rate_limits.updated`. @type {any[]} */
    this.limits = [];
    /** @type {Prices | null} */
    this.prices = null;
    /** Whoever answers costs nothing. */
    this.free = false;
    /** Changes whenever the turns did: they are changed in place. */
    this.version = 0;
    /** The recording that this is of; empty for the session. */
    this.source = '';
  }

  render() {
    if (!this.turns.length) {
      return html`<p class="empty">${say('Each turn will stand here: how long it took until it was understood, answered and heard.')}</p>`;
    }
    return html`${this.#waits()} ${this.#waterfalls()} ${this.#tokens()} ${this.#cost()} ${this.#limits()}`;
  }

  #waits() {
    const waits = this.turns.map(({stages}) => stages.played ?? stages.audio ?? stages.text);
    const known = /** @type {number[]} */ (waits.filter((wait) => wait !== undefined));
    const median = quantile(known, 0.5);
    return html`<section aria-labelledby="waits">
      <h2 id="waits">${this.source ? say('The wait for an answer in {0}', this.source) : say('The wait for an answer')}</h2>
      <dl class="figures">
        <div><dt>${say('turns')}</dt><dd>${number(this.turns.length)}</dd></div>
        <div><dt>${say('last')}</dt><dd>${span(known.at(-1))}</dd></div>
        <div><dt>${say('median')}</dt><dd>${span(median)}</dd></div>
        <div><dt>${say('19 of 20 within')}</dt><dd>${span(quantile(known, 0.95))}</dd></div>
      </dl>
      <div class="history" tabindex="0" role="img" aria-label=${waits.map((wait) => span(wait)).join(', ')}>
        ${history(waits, median ?? 0)}
      </div>
    </section>`;
  }

  #waterfalls() {
    const drawn = this.turns.slice(-MOST_DRAWN);
    const longest = Math.max(1, ...drawn.flatMap(({stages}) => STAGES.map(([stage]) => stages[stage] ?? 0)));
    return html`<section aria-labelledby="turns">
      <h2 id="turns">${say('Turns')}</h2>
      <p class="note">
        ${say(
          'From the moment when the voice fell silent, or, for what was written, from when the answer was asked for. The whole width is {0}.',
          span(longest),
        )}
      </p>
      ${drawn.toReversed().map((turn) => this.#turn(turn, longest))}
    </section>`;
  }

  /**
   * @param {Turn} turn
   * @param {number} longest
   */
  #turn(turn, longest) {
    const {question, answer, stages, status, spoken} = turn;
    const dollars = this.prices && costOf(turn, this.prices, this.free);
    const shown = STAGES.filter(([stage]) => stages[stage] !== undefined);
    let before = 0;
    return html`<article>
      <h3 dir="auto">${question || (spoken ? say('Speech') : say('An answer without a question'))}</h3>
      <p class="answer" dir="auto">${answer || say(status)}${status === 'completed' || status === 'in_progress' ? nothing : ` (${say(status)})`}${dollars ? `, ${money(dollars)}` : nothing}</p>
      <dl class="falls">
        ${shown.map(([stage, label]) => {
          const at = stages[stage] ?? 0;
          const from = Math.min(before, at);
          before = Math.max(before, at);
          return html`<dt>${say(label)}</dt>
            <dd>
              ${bar(from / longest, at / longest, stage === 'played' || stage === 'audio')}
              <span class="number">${span(at)}</span>
            </dd>`;
        })}
      </dl>
    </article>`;
  }

  #tokens() {
    const sum = tokens(this.turns.map(({usage}) => usage));
    if (!sum.responses) return nothing;
    const columns = /** @type {const} */ (['text', 'audio', 'image', 'cached', 'total']);
    return html`<section class="wide" tabindex="0" aria-labelledby="tokens">
      <h2 id="tokens">${say('Tokens')}</h2>
      <table aria-labelledby="tokens">
        <thead>
          <tr>
            <th scope="col">${say(sum.responses === 1 ? 'of {0} response' : 'of {0} responses', sum.responses)}</th>
            ${columns.map((column) => html`<th scope="col">${say(column)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${/** @type {const} */ (['input', 'output']).map(
            (side) => html`<tr>
              <th scope="row">${say(side)}</th>
              ${columns.map((column) => html`<td>${number(sum[side][column])}</td>`)}
            </tr>`,
          )}
        </tbody>
      </table>
    </section>`;
  }

  #cost() {
    return html`<section>
      <cost-table
        .turns=${this.turns}
        .prices=${this.prices}
        ?free=${this.free}
        .version=${this.version}
        @priced=${() => this.requestUpdate()}
      ></cost-table>
    </section>`;
  }

  #limits() {
    const limits = this.limits.filter(({limit, remaining}) => limit !== remaining);
    if (!limits.length) return nothing;
    return html`<section aria-labelledby="limits">
      <h2 id="limits">${say('Limits')}</h2>
      <dl class="figures">
        ${limits.map(
          ({name, limit, remaining, reset_seconds}) => html`<div>
            <dt>${say('{0} left of {1}, whole again in {2} s', say(name), limit, reset_seconds)}</dt>
            <dd>${number(remaining)}</dd>
          </div>`,
        )}
      </dl>
    </section>`;
  }
}

/**
 * @param {number} from 0 … 1
 * @param {number} to
 * @param {boolean} voice whether it ends with sound
 * @returns {unknown} a bar, as long as the stage took by itself
 */
function bar(from, to, voice) {
  const percent = (/** @type {number} */ share) => `${(Math.max(0, Math.min(1, share)) * 100).toFixed(2)}%`;
  return html`<svg width="100%" height="12" aria-hidden="true">
    <line class="rest" x1="0" x2="100%" y1="6" y2="6" stroke-dasharray="1 5"></line>
    <rect class=${voice ? 'voice' : 'quiet'} x=${percent(from)} width=${percent(Math.max(0.004, to - from))} height="12" rx="2"></rect>
  </svg>`;
}

/**
 * @param {(number | undefined)[]} waits
 * @param {number} median
 * @returns {unknown} a column for each turn
 */
function history(waits, median) {
  const {height, pitch, width} = HISTORY;
  const most = Math.max(1, ...waits.map((wait) => wait ?? 0));
  const y = (/** @type {number} */ wait) => height - (Math.max(0, wait) / most) * height;
  const full = waits.length * pitch;
  return html`<svg width=${full} height=${height + 1} aria-hidden="true">
    ${waits.map((wait, index) =>
      wait === undefined
        ? nothing
        : svg`<rect class="voice" x=${index * pitch} y=${y(wait)} width=${width} height=${height - y(wait)} rx="2"></rect>`,
    )}
    <line class="rest" x1="0" x2=${full} y1=${height + 0.5} y2=${height + 0.5}></line>
    <line class="median" x1="0" x2=${full} y1=${y(median)} y2=${y(median)}></line>
  </svg>`;
}

customElements.define('turn-panel', TurnPanel);
