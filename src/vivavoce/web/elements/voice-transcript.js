/**
 * `<voice-transcript>`: who said what, set like a play. Words are text and never markup.
 */

import {LitElement, css, html, nothing, repeat} from '../vendor/lit.js';
import {splitAtHeard, textOf} from '../conversation.js';
import {say} from '../words.js';
import {sharedStyles} from './shared-styles.js';

/** @typedef {import('../conversation.js').Item} Item */

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
      .note {
        margin: 0;
        font-size: var(--text-small);
        color: var(--ink-soft);
      }
    `,
  ];

  static properties = {items: {attribute: false}, version: {type: Number}, speaking: {type: Boolean}};

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
    const shown = this.items.filter((item) => item.role === 'user' || item.role === 'assistant');
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
    const [heard, unheard] = splitAtHeard(item);
    const note = noteOf(item);
    return html`<li class="${item.role} ${sounding ? 'sounding' : ''}" part="item ${item.role}">
      <span class="who">${item.role === 'user' ? say('You') : say('Voice')}</span>
      ${heard || unheard
        ? html`<p class="words" dir="auto">${heard}${unheard ? html`<span class="unheard">${unheard}</span>` : nothing}</p>`
        : nothing}
      ${note ? html`<p class="note">${note}</p>` : nothing}
    </li>`;
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
  if (item.heardMs !== null) return say('Interrupted after {0} s.', (item.heardMs / 1000).toFixed(1));
  if (item.status === 'incomplete') return say('Not finished.');
  return '';
}

customElements.define('voice-transcript', VoiceTranscript);
