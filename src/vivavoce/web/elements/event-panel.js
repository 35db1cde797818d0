/**
 * `<event-panel>`: Inspect. The log of all events, a filter above it, the details of one beside it.
 */

import {LitElement, css, html, nothing} from '../vendor/lit.js';
import {takeFiles} from '../dropped-files.js';
import {EVERYTHING, Rows} from '../inspect/rows.js';
import {write} from '../inspect/recording.js';
import {say} from '../words.js';
import './event-details.js';
import './event-list.js';
import {panelStyles} from './panel-styles.js';
import {sharedStyles} from './shared-styles.js';

/**
 * @typedef {import('../inspect/event-log.js').Entry} Entry
 * @typedef {import('../inspect/event-log.js').EventLog} EventLog
 * @typedef {import('../studio.js').Studio} Studio
 */

/** Kinds of events that are offered, by the beginning of their types. */
const KINDS = ['session.', 'input_audio_buffer.', 'conversation.item.', 'response.', 'output_audio_buffer.', 'error'];

/** Milliseconds of peace before the words of the filter are looked for. */
const PAUSE = 120;

/** Milliseconds of a frame in which entries are looked at, when all have to be: the rest of it is the page's. */
const SLICE = 8;

/** Entries from one look at the clock to the next. */
const FEW = 200;

export class EventPanel extends LitElement {
  static styles = [
    sharedStyles,
    panelStyles,
    css`
      :host {
        display: grid;
        grid-template-rows: auto minmax(0, 1fr);
        min-block-size: 0;
      }
      :host([dropping]) {
        outline: 2px dashed var(--line-strong);
        outline-offset: -2px;
      }
      .body {
        min-block-size: 0;
        display: grid;
        grid-template: minmax(0, 1fr) / minmax(0, 1fr);
        container-type: inline-size;
      }
      .body.detailed {
        grid-template-columns: minmax(0, 1fr) minmax(0, 26rem);
      }
      event-details {
        border-inline-start: 1px solid var(--line);
      }
      .empty {
        align-self: center;
        justify-self: center;
        max-inline-size: 26rem;
        padding: 2rem;
        text-align: center;
        color: var(--ink-soft);
      }
      @media (max-width: 30rem) {
        .grow {
          flex-basis: 5rem;
        }
        select {
          max-inline-size: 7rem;
          padding-inline: 0.5rem 0;
        }
      }
      @media (max-width: 79.99rem) {
        .body.detailed {
          grid-template: minmax(0, 1fr) minmax(0, 1.1fr) / minmax(0, 1fr);
        }
        event-details {
          border-inline-start: 0;
          border-block-start: 1px solid var(--line);
        }
      }
    `,
  ];

  static properties = {
    studio: {attribute: false},
    find: {type: String},
    paused: {state: true},
    absolute: {state: true},
    problem: {state: true},
    picked: {state: true},
    version: {state: true},
  };

  #rows = new Rows();
  #frame = 0;
  #filling = 0;
  /** Entries of the log that have been looked at. */
  #seen = 0;
  /** The number of the entry that is to be picked once it is there; -1 for none. */
  #wanted = -1;
  #timer = 0;
  #listener = new AbortController();

  constructor() {
    super();
    /** @type {Studio | null} */
    this.studio = null;
    /** Words to look for; what is typed takes their place. */
    this.find = '';
    /** New events are kept, and not shown. */
    this.paused = false;
    /** Show the time of day. */
    this.absolute = false;
    /** Why a file could not be read. */
    this.problem = '';
    /** The place of the row that is shown in full; -1 for none. */
    this.picked = -1;
    /** Counts changes of the rows. */
    this.version = 0;
  }

  connectedCallback() {
    super.connectedCallback();
    this.#listener = new AbortController();
    takeFiles(this, (files) => void this.#open(files), this.#listener.signal);
    this.studio?.addEventListener('event', (event) => this.#noted(/** @type {CustomEvent} */ (event).detail), {
      signal: this.#listener.signal,
    });
    this.#refill();
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (changed.has('find') && this.find) this.#filter({...EVERYTHING, text: this.find});
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#listener.abort();
    cancelAnimationFrame(this.#frame);
    cancelAnimationFrame(this.#filling);
    clearTimeout(this.#timer);
  }

  /** @returns {EventLog} what is looked at */
  get log() {
    return /** @type {Studio} */ (this.studio).shown.log;
  }

  /** @returns {string} the name of the recording that is looked at; empty for the session */
  get recording() {
    return this.studio?.replaying?.replay.name ?? '';
  }

  render() {
    const {rows} = this.#rows;
    const row = rows[this.picked] ?? null;
    return html`
      ${this.#toolbar()}
      <div class="body ${row ? 'detailed' : ''}">
        ${rows.length
          ? html`<event-list
              .rows=${rows}
              .version=${this.version}
              .picked=${this.picked}
              .tied=${row ? tiesOf(this.log, row.first) : new Set()}
              .began=${this.log.began ?? 0}
              ?absolute=${this.absolute && this.log.began !== 0}
              @pick=${(/** @type {CustomEvent} */ {detail}) => (this.picked = detail)}
            ></event-list>`
          : html`<p class="empty">${this.#emptiness()}</p>`}
        ${row
          ? html`<event-details
              .row=${row}
              .log=${this.log}
              role="region"
              aria-label=${say('Details of the event')}
              tabindex="0"
              @close=${() => (this.picked = -1)}
              @find=${(/** @type {CustomEvent} */ {detail}) => this.#filter({...EVERYTHING, text: detail})}
              @show=${(/** @type {CustomEvent} */ {detail}) => this.#show(detail)}
            ></event-details>`
          : nothing}
      </div>
    `;
  }

  #toolbar() {
    const {filter, folded} = this.#rows;
    return html`<div class="bar" role="toolbar" aria-label=${say('Events')}>
      <input
        class="field grow"
        type="search"
        aria-label=${say('Find in events')}
        placeholder=${say('Find')}
        .value=${filter.text}
        @input=${(/** @type {InputEvent} */ event) => this.#typed(event)}
      />
      <select class="field" aria-label=${say('Kind')} .value=${filter.type} @change=${this.#kindChosen}>
        <option value="">${say('All kinds')}</option>
        ${KINDS.map((kind) => html`<option value=${kind}>${kind.replace(/\.$/, '')}</option>`)}
      </select>
      <select class="field" aria-label=${say('Direction')} .value=${filter.dir} @change=${this.#directionChosen}>
        <option value="">${say('Both ways')}</option>
        <option value="C">↑ ${say('Sent')}</option>
        <option value="S">↓ ${say('Received')}</option>
      </select>
      ${this.#toggle(say('Errors'), filter.errors, () => this.#filter({errors: !filter.errors}))}
      ${this.#toggle(say('Fold deltas'), folded, () => this.#fold(!folded))}
      ${this.log.began === 0 ? nothing : this.#toggle(say('Clock'), this.absolute, () => (this.absolute = !this.absolute))}
      ${this.recording
        ? nothing
        : html`${this.#toggle(say('Pause'), this.paused, () => this.#pause())}
            <button class="small" type="button" @click=${this.#clear}>${say('Clear')}</button>`}
      <button class="small" type="button" ?disabled=${!this.log.entries.length} @click=${this.#save}>${say('Export')}</button>
      <label class="small file">
        ${say('Import')}<input type="file" multiple accept=".jsonl,.wav,.json" @change=${this.#chosen} />
      </label>
      ${this.#state()}
    </div>`;
  }

  #state() {
    return html`<p class="said">${this.problem || this.#count()}</p>`;
  }

  /** @returns {string} how many there are */
  #count() {
    const {entries, dropped} = this.log;
    const {rows} = this.#rows;
    if (this.recording) return say('{0} of {1} events', entries.length, this.studio?.replaying?.replay.recorded.entries.length);
    const kept =
      rows.length < entries.length
        ? say('{0} events in {1} rows', entries.length, rows.length)
        : say(entries.length === 1 ? '{0} event' : '{0} events', entries.length);
    return dropped ? say('{0}, {1} older ones left out', kept, dropped) : kept;
  }

  /**
   * @param {string} label
   * @param {boolean} on
   * @param {() => void} act
   */
  #toggle(label, on, act) {
    return html`<button class="small" type="button" aria-pressed=${on} @click=${act}>${label}</button>`;
  }

  #emptiness() {
    if (this.log.entries.length) return say('No event is like that.');
    return say('Every event of the session will stand here, in both directions. Start one, or import a recording.');
  }

  /** @param {Entry | null} entry null when all are gone */
  #noted(entry) {
    if (this.paused && entry && !this.recording) return;
    const {entries} = this.log;
    if (!entry || this.#seen > entries.length) this.#refill();
    else if (this.#rows.rows[0]?.first.number < entries[0].number) this.#refill();
    else if (!this.#filling) while (this.#seen < entries.length) this.#rows.add(entries[this.#seen++]);
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.version++;
    });
  }

  #refill() {
    if (!this.studio) return;
    this.#fill();
  }

  /**
   * Look at all entries anew: some in each frame, as many would hold up the page.
   * @param {number} [wanted] the number of the entry to pick
   */
  #fill(wanted = -1) {
    cancelAnimationFrame(this.#filling);
    this.#rows.show([]);
    this.#seen = 0;
    this.#wanted = wanted;
    this.picked = -1;
    this.#fillOn();
  }

  #fillOn() {
    const {entries} = this.log;
    const until = performance.now() + SLICE;
    while (this.#seen < entries.length && performance.now() < until) {
      for (const entry of entries.slice(this.#seen, this.#seen + FEW)) this.#rows.add(entry);
      this.#seen = Math.min(entries.length, this.#seen + FEW);
    }
    if (this.#wanted >= 0 && this.picked < 0) this.picked = this.#rows.find(this.#wanted);
    this.version++;
    this.#filling = this.#seen < entries.length ? requestAnimationFrame(() => this.#fillOn()) : 0;
  }

  /** @param {Partial<import('../inspect/rows.js').Filter>} filter */
  #filter(filter) {
    const shown = this.#rows.rows[this.picked]?.first.number;
    this.#rows.show([], filter);
    this.#fill(shown);
  }

  /** @param {boolean} folded */
  #fold(folded) {
    this.#rows.folded = folded;
    this.#filter({});
  }

  /** @param {InputEvent} event */
  #typed(event) {
    const text = /** @type {HTMLInputElement} */ (event.target).value;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#filter({text}), PAUSE);
  }

  /** @param {Event} event */
  #kindChosen(event) {
    this.#filter({type: /** @type {HTMLSelectElement} */ (event.target).value});
  }

  /** @param {Event} event */
  #directionChosen(event) {
    this.#filter({dir: /** @type {any} */ (event.target).value});
  }

  /**
   * Show an entry, whether the filter lets it through or not.
   * @param {number} number
   */
  async #show(number) {
    if (this.#rows.find(number) < 0) {
      this.#rows.show([], {...EVERYTHING});
      this.#fill(number);
    } else {
      this.picked = this.#rows.find(number);
    }
    while (this.picked < 0 && this.#seen < this.log.entries.length) await new Promise(requestAnimationFrame);
    this.version++;
    await this.#reveal(this.picked);
  }

  /** @param {number} place */
  async #reveal(place) {
    await this.updateComplete;
    const list = /** @type {import('./event-list.js').EventList | null} */ (this.renderRoot.querySelector('event-list'));
    await list?.updateComplete;
    list?.reveal(place);
  }

  #pause() {
    this.paused = !this.paused;
    if (!this.paused) this.#filter({});
  }

  #clear() {
    this.studio?.clear();
  }

  #save() {
    const file = new Blob(write(this.log.entries), {type: 'application/jsonl'});
    const link = document.createElement('a');
    link.href = URL.createObjectURL(file);
    link.download = `${this.recording.replace(/\.jsonl$/, '') || `session-${new Date().toISOString().slice(0, 19)}`}.jsonl`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  /** @param {Event} event */
  async #chosen(event) {
    const input = /** @type {HTMLInputElement} */ (event.target);
    await this.#open([...(input.files ?? [])]);
    input.value = '';
  }

  /** @param {File[]} files of one recording */
  async #open(files) {
    if (!files.length) return;
    try {
      const {openFiles} = await import('../inspect/opening-files.js');
      const {name, log, tapes} = await openFiles(files);
      await this.studio?.openRecording(name, log, tapes);
      this.problem = '';
      await this.#reveal(0);
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
  }
}

/**
 * @param {EventLog} log
 * @param {Entry} entry
 * @returns {Set<number>} the entries that caused it, and that it caused
 */
function tiesOf(log, entry) {
  const ties = new Set(log.effectsOf(entry).map(({number}) => number));
  if (entry.cause !== null) ties.add(entry.cause);
  return ties;
}

customElements.define('event-panel', EventPanel);
