/**
 * `<voice-transcript>`: who said what, set like a play. Words are text and never markup.
 *
 * With `deeds`, items can be heard again, retried, deleted and inspected, and function calls are shown and answered.
 * Events `act` with `{action, id}`, `answer` with `{id, output}`.
 */

import {LitElement, css, html, nothing, repeat} from '../vendor/lit.js';
import {splitAtHeard, textOf} from '../conversation.js';
import {fixed, say} from '../words.js';
import {sharedStyles} from './shared-styles.js';

/**
 * @typedef {import('../conversation.js').Item} Item
 * @typedef {import('../shape/calls.js').Call} Call
 * @typedef {'play' | 'retry' | 'forget' | 'inspect'} Action
 * @typedef {object} Deeds what can be done with items; without them the words stand alone
 * @property {(id: string) => boolean} sounds whether it can be heard again
 * @property {string} again the item that is heard again now
 * @property {ReadonlyMap<string, Call>} calls
 * @property {boolean} open whether there is a session
 * @property {(call: Call) => unknown} [card] what shows a call in place of its JSON; null for a call that has no card
 */

/** Pixels from the end within which new words keep the end in sight. */
const NEAR_END = 80;

export class VoiceTranscript extends LitElement {
  static styles = [
    sharedStyles,
    css`
      :host {
        overflow-y: auto;
        overscroll-behavior: contain;
      }
      ol {
        margin: 0;
        padding: 0;
        list-style: none;
        display: grid;
        gap: 1.5rem;
      }
      li {
        display: grid;
        gap: 0.2rem;
        overflow-wrap: anywhere;
      }
      .who {
        font-size: var(--text-small);
        letter-spacing: 0.06em;
        color: var(--ink-soft);
      }
      .assistant {
        padding-inline-start: 0.9rem;
        border-inline-start: 2px solid var(--line);
      }
      .assistant.sounding {
        border-color: var(--voice);
      }
      .words {
        margin: 0;
        font-size: var(--text-large);
        line-height: 1.45;
        white-space: pre-wrap;
      }
      .user .words {
        color: var(--ink-soft);
      }
      .unheard {
        color: var(--ink-faint);
        text-decoration: line-through;
        text-decoration-color: var(--line-strong);
      }
      .top {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: 0.5rem;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        justify-content: end;
        margin-block: -0.3rem;
      }
      .actions .small {
        padding-inline: 0.55rem;
        border-color: transparent;
        background: none;
        color: var(--ink-soft);
      }
      .actions .small:hover {
        color: var(--ink);
        text-decoration: underline;
        text-underline-offset: 0.3rem;
      }
      @media (hover: hover) {
        .actions {
          opacity: 0;
        }
        li:hover .actions,
        li:focus-within .actions,
        .actions.kept {
          opacity: 1;
        }
      }
      .call {
        margin: 0;
        direction: ltr;
        font: var(--text-small) / 1.5 var(--font-code);
        white-space: pre-wrap;
      }
      form {
        display: grid;
        gap: 0.4rem;
      }
      form .small {
        justify-self: start;
      }
      textarea {
        padding: 0.5rem 0.7rem;
        font: var(--text-small) / 1.5 var(--font-code);
      }
      .note {
        margin: 0;
        font-size: var(--text-small);
        color: var(--ink-soft);
      }
    `,
  ];

  static properties = {items: {attribute: false}, version: {type: Number}, speaking: {type: Boolean}, deeds: {attribute: false}};

  /** The end is in sight, and is to stay so. */
  #follow = true;
  #resized = new ResizeObserver(() => this.#scroll());

  constructor() {
    super();
    this.addEventListener('scroll', () => {
      this.#follow = this.scrollHeight - this.scrollTop - this.clientHeight < NEAR_END;
    });
    /** @type {readonly Item[]} */
    this.items = [];
    /** Changes whenever the items did: they are changed in place. */
    this.version = 0;
    /** The last answer is sounding now. */
    this.speaking = false;
    /** @type {Deeds | null} */
    this.deeds = null;
  }

  connectedCallback() {
    super.connectedCallback();
    this.#resized.observe(this);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#resized.disconnect();
  }

  updated() {
    this.#scroll();
  }

  #scroll() {
    if (this.#follow) this.scrollTop = this.scrollHeight;
  }

  render() {
    const calls = this.deeds !== null;
    const shown = this.items.filter(({role, type}) => role === 'user' || role === 'assistant' || (calls && type === 'function_call'));
    const last = shown.findLast((item) => item.role === 'assistant');
    return html`<div role="log" aria-live="off" aria-label=${say('Conversation')} part="log">
      <ol>
        ${repeat(
          shown,
          (item) => item.id,
          (item) => this.#line(item, this.speaking && item === last),
        )}
      </ol>
    </div>`;
  }

  /**
   * @param {Item} item
   * @param {boolean} sounding
   */
  #line(item, sounding) {
    if (item.type === 'function_call') return this.#call(item);
    const [heard, unheard] = splitAtHeard(item);
    const note = noteOf(item);
    return html`<li class="${item.role} ${sounding ? 'sounding' : ''}" part="item ${item.role}">
      <div class="top"><span class="who">${item.role === 'user' ? say('You') : say('Voice')}</span>${this.#actions(item)}</div>
      ${heard || unheard
        ? html`<p class="words" dir="auto">${heard}${unheard ? html`<span class="unheard">${unheard}</span>` : nothing}</p>`
        : nothing}
      ${note ? html`<p class="note">${note}</p>` : nothing}
    </li>`;
  }

  /** @param {Item} item */
  #actions({id}) {
    const {deeds} = this;
    if (!deeds) return nothing;
    const heard = deeds.again === id;
    return html`<div class="actions ${heard ? 'kept' : ''}">
      ${deeds.sounds(id) ? this.#action('play', heard ? say('Silence') : say('Play'), id) : nothing}
      ${deeds.open ? html`${this.#action('retry', say('Again'), id)} ${this.#action('forget', say('Delete'), id)}` : nothing}
      ${this.#action('inspect', say('Inspect'), id)}
    </div>`;
  }

  /**
   * @param {Action} action
   * @param {string} label
   * @param {string} id
   */
  #action(action, label, id) {
    const act = () => this.dispatchEvent(new CustomEvent('act', {detail: {action, id}}));
    return html`<button class="small" type="button" @click=${act}>${label}</button>`;
  }

  /** @param {Item} item */
  #call(item) {
    const call = this.deeds?.calls.get(item.callId);
    const output = call?.output ?? null;
    const card = call && this.deeds?.card?.(call);
    return html`<li class="tool" part="item tool">
      <div class="top"><span class="who">${say('Tool')}</span>${this.#actions(item)}</div>
      ${card ?? html`<p class="call">${item.name}(${item.args})</p>`}
      ${card || output === null ? nothing : html`<p class="call">→ ${output}</p>`}
      ${call?.ours && !call.runs && output === null ? this.#ask(call) : nothing}
    </li>`;
  }

  /** @param {Call} call */
  #ask({id, name}) {
    return html`<form @submit=${(/** @type {SubmitEvent} */ event) => this.#answer(event, id)}>
      <textarea class="field" name="output" rows="2" spellcheck="false" aria-label=${say('Result of {0}', name)}></textarea>
      <button class="small" type="submit">${say('Give this result')}</button>
    </form>`;
  }

  /**
   * @param {SubmitEvent} event
   * @param {string} id
   */
  #answer(event, id) {
    event.preventDefault();
    const output = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('output') ?? '');
    this.dispatchEvent(new CustomEvent('answer', {detail: {id, output}}));
  }
}

/**
 * @param {Item} item
 * @returns {string} what is to be said beside the words; empty for nothing
 */
function noteOf(item) {
  if (item.role === 'user') {
    if (item.transcription === 'failed') return textOf(item) ? '' : say('Spoken; the words were not recognised.');
    if (textOf(item)) return '';
    if (item.transcription === 'speaking') return say('Speaking …');
    return item.transcription === 'final' ? say('No words.') : say('Spoken …');
  }
  if (item.heardMs !== null) return say('Interrupted after {0} s.', fixed(item.heardMs / 1000, 1));
  if (item.status === 'incomplete') return say('Not finished.');
  return '';
}

customElements.define('voice-transcript', VoiceTranscript);
