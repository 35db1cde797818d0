/**
 * `<event-list>`: one line for each row of the log. Only those in sight are in the page, so that 100,000 scroll as
 * easily as ten. Event `pick` with the row.
 *
 * It is a list box: arrows, Page Up and Down, Home and End move the choice, and a screen reader hears the row.
 */

import {LitElement, css, html, nothing, repeat} from '../vendor/lit.js';
import {failed} from '../inspect/rows.js';
import {summary} from '../inspect/summary.js';
import {clock, offset} from '../inspect/times.js';
import {number, say} from '../words.js';
import {sharedStyles} from './shared-styles.js';

/** @typedef {import('../inspect/rows.js').Row} Row */

/** Pixels of one row, which the style repeats. */
const ROW = 32;

/** Rows that are made beyond the edges, for quick fingers. */
const BEYOND = 12;

/** Pixels from the end within which new rows keep the end in sight. */
const NEAR_END = 48;

export class EventList extends LitElement {
  static styles = [
    sharedStyles,
    css`
      :host {
        position: relative;
        overflow-y: auto;
        overscroll-behavior: contain;
        contain: strict;
        font-size: var(--text-small);
      }
      .box {
        position: relative;
        outline: none;
      }
      :host([keyed]) {
        outline: 2px solid var(--focus);
        outline-offset: -2px;
      }
      .seen {
        position: absolute;
        inset: 0 0 auto;
      }
      .row {
        display: grid;
        grid-template-columns: 5.2rem 1.2rem minmax(0, 19rem) minmax(0, 1fr);
        gap: 0.6rem;
        align-items: center;
        block-size: 32px;
        padding-inline: calc(0.75rem - 3px) 0.75rem;
        border-inline-start: 3px solid transparent;
        white-space: nowrap;
        cursor: pointer;
      }
      .row > * {
        overflow: hidden;
        text-overflow: ellipsis;
      }
      .row:hover {
        background: var(--raised);
      }
      .row[aria-selected='true'] {
        background: var(--ink);
        color: var(--page);
      }
      .row[aria-selected='true'] * {
        color: inherit;
      }
      .row.tied {
        border-color: var(--ink-faint);
      }
      .row.failed .name {
        font-weight: 700;
        text-decoration: underline 2px;
        text-underline-offset: 3px;
      }
      .time {
        text-align: end;
        font-variant-numeric: tabular-nums;
        color: var(--ink-soft);
      }
      .dir {
        text-align: center;
        color: var(--ink-soft);
      }
      .type {
        display: flex;
        direction: ltr;
      }
      .type:dir(rtl) {
        justify-content: end;
      }
      .name {
        overflow: hidden;
        text-overflow: ellipsis;
      }
      .about {
        color: var(--ink-soft);
      }
      .count {
        padding-inline-start: 0.4rem;
        color: var(--ink-soft);
        font-variant-numeric: tabular-nums;
      }
      @container (max-width: 34rem) {
        .row {
          grid-template-columns: 4.2rem 1rem minmax(0, 1fr);
        }
        .about {
          display: none;
        }
      }
    `,
  ];

  static properties = {
    rows: {attribute: false},
    version: {type: Number},
    picked: {type: Number},
    tied: {attribute: false},
    began: {type: Number},
    absolute: {type: Boolean},
    span: {state: true},
  };

  /** The end is in sight, and is to stay so. */
  #follow = true;
  #resized = new ResizeObserver(() => this.#look());

  constructor() {
    super();
    /** @type {readonly Row[]} */
    this.rows = [];
    /** Changes whenever the rows did: they are changed in place. */
    this.version = 0;
    /** The place of the row that is picked; -1 for none. */
    this.picked = -1;
    /** Numbers of the entries that are tied to the one that is picked. @type {ReadonlySet<number>} */
    this.tied = new Set();
    /** When the log began, in milliseconds since 1970. */
    this.began = 0;
    /** Show the time of day. */
    this.absolute = false;
    /** The rows in sight. @type {[from: number, to: number]} */
    this.span = [0, 0];
    this.addEventListener('scroll', () => {
      this.#follow = this.scrollHeight - this.scrollTop - this.clientHeight < NEAR_END;
      this.#look();
    });
  }

  connectedCallback() {
    super.connectedCallback();
    this.#resized.observe(this);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#resized.disconnect();
  }

  /**
   * Bring a row into sight.
   * @param {number} place
   */
  reveal(place) {
    this.#follow = false;
    const top = place * ROW;
    if (top < this.scrollTop || top + ROW > this.scrollTop + this.clientHeight) {
      this.scrollTo(0, Math.max(0, top - this.clientHeight / 3));
    }
  }

  render() {
    const [from, to] = this.span;
    const active = this.picked >= from && this.picked < to ? `row-${this.picked}` : nothing;
    return html`<div
      class="box"
      role="listbox"
      tabindex="0"
      aria-label=${say('Events')}
      aria-activedescendant=${active}
      @keydown=${this.#key}
      @focus=${this.#focused}
      @blur=${() => this.removeAttribute('keyed')}
    >
      <div class="seen" role="presentation">
        ${repeat(
          this.rows.slice(from, to),
          (row) => row.first.number,
          (row, index) => this.#row(row, from + index),
        )}
      </div>
    </div>`;
  }

  updated() {
    const box = /** @type {HTMLElement} */ (this.renderRoot.querySelector('.box'));
    const seen = /** @type {HTMLElement} */ (this.renderRoot.querySelector('.seen'));
    box.style.setProperty('block-size', `${this.rows.length * ROW}px`);
    seen.style.setProperty('transform', `translateY(${this.span[0] * ROW}px)`);
    if (this.#follow) this.scrollTo(0, this.scrollHeight);
    this.#look();
  }

  /**
   * @param {Row} row
   * @param {number} place
   */
  #row(row, place) {
    const {dir, event, t} = row.first;
    const bad = failed(event);
    const tied = row.entries.length < 500 && row.entries.some((entry) => this.tied.has(entry.number));
    return html`<div
      id="row-${place}"
      class="row ${bad ? 'failed' : ''} ${tied ? 'tied' : ''}"
      role="option"
      aria-selected=${place === this.picked}
      aria-setsize=${this.rows.length}
      aria-posinset=${place + 1}
      @click=${() => this.#pick(place)}
    >
      <span class="time">${this.absolute ? clock(this.began + t) : offset(t)}</span>
      <span class="dir" aria-label=${dir === 'C' ? say('sent') : say('received')}>${dir === 'C' ? '↑' : '↓'}</span>
      <span class="type">
        <span class="name">${bad ? '⚠ ' : ''}${event.type}</span>
        ${row.entries.length > 1 ? html`<span class="count">×${number(row.entries.length)}</span>` : nothing}
      </span>
      <span class="about" dir="auto">${summary(row)}</span>
    </div>`;
  }

  /** See which rows are in sight now. */
  #look() {
    const from = Math.max(0, Math.floor(this.scrollTop / ROW) - BEYOND);
    const to = Math.min(this.rows.length, Math.ceil((this.scrollTop + this.clientHeight) / ROW) + BEYOND);
    if (from !== this.span[0] || to !== this.span[1]) this.span = [from, to];
  }

  /** The box is as long as the log, so its ring would be out of sight: the list wears it. @param {FocusEvent} event */
  #focused(event) {
    this.toggleAttribute('keyed', /** @type {HTMLElement} */ (event.target).matches(':focus-visible'));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    this.setAttribute('keyed', '');
    const page = Math.max(1, Math.floor(this.clientHeight / ROW) - 1);
    /** @type {Record<string, number>} */
    const moves = {ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity};
    const move = moves[event.key];
    if (move === undefined || !this.rows.length) return;
    event.preventDefault();
    this.#pick(Math.max(0, Math.min(this.rows.length - 1, this.picked + move)));
  }

  /** @param {number} place */
  #pick(place) {
    this.reveal(place);
    this.dispatchEvent(new CustomEvent('pick', {detail: place}));
  }
}

customElements.define('event-list', EventList);
