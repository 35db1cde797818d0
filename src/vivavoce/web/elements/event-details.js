/**
 * `<event-details>`: all of one event: what it is, its JSON, and what it is tied to.
 *
 * Events `show` with the number of another entry, `find` with an identifier to filter by, `close`.
 */

import {LitElement, css, html, nothing} from '../vendor/lit.js';
import {identifiers} from '../inspect/identifiers.js';
import {words} from '../inspect/summary.js';
import {clock, offset, span} from '../inspect/times.js';
import {EVENTS} from '../protocol.js';
import {say} from '../words.js';
import './json-view.js';
import {sharedStyles} from './shared-styles.js';

/**
 * @typedef {import('../inspect/event-log.js').Entry} Entry
 * @typedef {import('../inspect/event-log.js').EventLog} EventLog
 * @typedef {import('../inspect/rows.js').Row} Row
 */

/** Effects that are listed; of a response there may be hundreds. */
const MOST_EFFECTS = 12;

export class EventDetails extends LitElement {
  static styles = [
    sharedStyles,
    css`
      :host {
        overflow-y: auto;
        padding: 0.9rem 1rem 1.5rem;
        background: var(--surface);
      }
      header {
        display: flex;
        gap: 0.5rem;
        align-items: start;
        justify-content: space-between;
      }
      h2 {
        margin: 0;
        font-size: 1rem;
        overflow-wrap: anywhere;
      }
      p,
      dl {
        margin: 0.25rem 0 0;
        font-size: var(--text-small);
        color: var(--ink-soft);
      }
      .words {
        margin-block-start: 0.75rem;
        font-size: 1rem;
        color: var(--ink);
        white-space: pre-wrap;
      }
      dl {
        display: grid;
        gap: 0.2rem;
        margin-block: 0.75rem;
      }
      dd {
        margin: 0 0 0.35rem;
        display: grid;
        gap: 0.25rem;
        color: var(--ink);
      }
      dd .small {
        justify-content: space-between;
        gap: 0.75rem;
      }
      .apart {
        flex: none;
        color: var(--ink-soft);
        font-variant-numeric: tabular-nums;
        unicode-bidi: plaintext;
      }
      .tools {
        display: flex;
        flex-wrap: wrap;
        gap: 0.5rem;
        align-items: center;
        margin-block: 0.75rem;
      }
      .actions {
        flex: none;
        display: flex;
        gap: 0.35rem;
      }
    `,
  ];

  static properties = {row: {attribute: false}, log: {attribute: false}, at: {state: true}, copied: {state: true}};

  constructor() {
    super();
    /** @type {Row | null} */
    this.row = null;
    /** @type {EventLog | null} */
    this.log = null;
    /** Which of a run is shown. */
    this.at = 0;
    /** What copying said; empty before. */
    this.copied = '';
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (!changed.has('row')) return;
    this.at = 0;
    this.copied = '';
  }

  render() {
    if (!this.row) return nothing;
    const {entries} = this.row;
    const entry = entries[Math.min(this.at, entries.length - 1)];
    const {event, dir, t} = entry;
    const says = EVENTS[event.type]?.says;
    const joined = entries.length > 1 ? words(event.type.endsWith('audio.delta') ? [] : entries.map((one) => one.event)) : '';
    return html`
      <header>
        <h2>${event.type}</h2>
        <div class="actions">
          <button class="small" type="button" @click=${() => this.#copy(event)}>${this.copied || say('Copy')}</button>
          <button class="small" type="button" aria-label=${say('Close the details')} @click=${() => this.#tell('close')}>✕</button>
        </div>
      </header>
      ${says ? html`<p>${say(says)}</p>` : nothing}
      <p>${this.#when(dir, t)}</p>
      ${entries.length > 1 ? this.#steps(entries) : nothing}
      ${joined ? html`<p class="words" dir="auto">${joined}</p>` : nothing}
      ${this.#cause(entry)}
      <json-view .value=${event}></json-view>
      ${this.#ties(entry)}
    `;
  }

  /**
   * @param {Entry['dir']} dir
   * @param {number} t
   */
  #when(dir, t) {
    const began = this.log?.began;
    const after = offset(t);
    if (!began) return dir === 'C' ? say('Sent {0} s after the beginning', after) : say('Received {0} s after the beginning', after);
    const at = clock(began + t);
    return dir === 'C'
      ? say('Sent {0} s after the beginning, at {1}', after, at)
      : say('Received {0} s after the beginning, at {1}', after, at);
  }

  /** @param {Entry[]} entries */
  #steps(entries) {
    const lasted = entries[entries.length - 1].t - entries[0].t;
    return html`<div class="tools">
      <button class="small" type="button" aria-label=${say('The one before')} ?disabled=${this.at === 0} @click=${() => this.at--}>‹</button>
      <span>${say('{0} of {1} in {2}', this.at + 1, entries.length, span(lasted))}</span>
      <button
        class="small"
        type="button"
        aria-label=${say('The one after')}
        ?disabled=${this.at >= entries.length - 1}
        @click=${() => this.at++}
      >
        ›
      </button>
    </div>`;
  }

  /** @param {Entry} entry */
  #cause(entry) {
    const cause = entry.cause === null ? undefined : this.log?.at(entry.cause);
    if (!cause) return nothing;
    return html`<dl><dt>${say('because of')}</dt><dd>${this.#link(cause, entry.t)}</dd></dl>`;
  }

  /** @param {Entry} entry */
  #ties(entry) {
    const effects = this.log?.effectsOf(entry) ?? [];
    const kinds = [...new Map(effects.map((effect) => [effect.event.type, effect])).values()].slice(0, MOST_EFFECTS);
    return html`<dl>
      ${kinds.length ? html`<dt>${say('led to')}</dt><dd>${kinds.map((effect) => this.#link(effect, entry.t))}</dd>` : nothing}
      ${identifiers(entry.event).map(
        ([name, id]) => html`<dt>${say(name)}</dt>
          <dd>
            <button class="small" type="button" title=${say('Show all that name it')} @click=${() => this.#tell('find', id)}>
              ${id}
            </button>
          </dd>`,
      )}
    </dl>`;
  }

  /**
   * @param {Entry} other
   * @param {number} t of the entry that is shown
   */
  #link(other, t) {
    const apart = other.t - t;
    return html`<button class="small" type="button" @click=${() => this.#tell('show', other.number)}>
      <span>${other.event.type}</span><span class="apart">${apart < 0 ? '−' : '+'}${span(Math.abs(apart))}</span>
    </button>`;
  }

  /** @param {unknown} event */
  async #copy(event) {
    try {
      await navigator.clipboard.writeText(JSON.stringify(event, null, 2));
      this.copied = say('Copied');
    } catch {
      this.copied = say('Not allowed');
    }
  }

  /**
   * @param {'show' | 'find' | 'close'} type
   * @param {number | string} [detail]
   */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, {detail}));
  }
}

customElements.define('event-details', EventDetails);
