/**
 * `<event-composer>`: write any event, beginning with an example of each, and send it as it stands.
 */

import {LitElement, css, html, nothing} from '../vendor/lit.js';
import {EVENTS} from '../protocol.js';
import {parse, templates} from '../shape/templates.js';
import {say} from '../words.js';
import {panelStyles} from './panel-styles.js';
import {sharedStyles} from './shared-styles.js';

/** @typedef {import('../session.js').VoiceSession} VoiceSession */

export class EventComposer extends LitElement {
  static styles = [
    sharedStyles,
    panelStyles,
    css`
      form {
        display: grid;
        gap: 0.75rem;
      }
      p {
        margin: 0;
        font-size: var(--text-small);
        color: var(--ink-soft);
      }
    `,
  ];

  static properties = {session: {attribute: false}, version: {type: Number}, type: {state: true}, said: {state: true}};

  constructor() {
    super();
    /** @type {VoiceSession | null} */
    this.session = null;
    /** Changes whenever the session did. */
    this.version = 0;
    /** The example that was chosen last. */
    this.type = 'response.create';
    /** What became of the last event. */
    this.said = '';
  }

  render() {
    return html`<form @submit=${this.#submit}>
      <div class="asked">
        <label for="type">${say('Begin with')}</label>
        <select class="field" id="type" @change=${this.#chosen}>
          ${templates().map(({type}) => html`<option value=${type} ?selected=${type === this.type}>${type}</option>`)}
        </select>
        <small>${say(EVENTS[this.type].says)}</small>
      </div>
      <div class="asked">
        <label for="event">${say('The event')}</label>
        <textarea class="field code" id="event" rows="9" spellcheck="false"></textarea>
      </div>
      <button class="small" type="submit" ?disabled=${this.session?.state !== 'open'}>${say('Dispatch')}</button>
      <p role="note" aria-live="polite">${this.said || (this.session?.state === 'open' ? nothing : say('There is no session.'))}</p>
    </form>`;
  }

  firstUpdated() {
    this.#fill();
  }

  /** @returns {HTMLTextAreaElement} */
  get #area() {
    return /** @type {HTMLTextAreaElement} */ (this.renderRoot.querySelector('textarea'));
  }

  /** @param {Event} event */
  #chosen(event) {
    this.type = /** @type {HTMLSelectElement} */ (event.target).value;
    this.#fill();
  }

  #fill() {
    const {conversation, responses} = this.session ?? {};
    const items = conversation?.items ?? [];
    const found = templates({
      item: items.at(-1)?.id,
      answer: items.findLast(({role}) => role === 'assistant')?.id,
      response: responses?.active ?? undefined,
    }).find(({type}) => type === this.type);
    this.#area.value = JSON.stringify(found, null, 2);
    this.said = '';
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    event.preventDefault();
    try {
      const sent = this.session?.send(parse(this.#area.value));
      this.said = sent ? say('It is on its way: Inspect shows what becomes of it.') : say('There is no session.');
    } catch (error) {
      this.said = `⚠ ${error instanceof Error ? error.message : error}`;
    }
  }
}

customElements.define('event-composer', EventComposer);
