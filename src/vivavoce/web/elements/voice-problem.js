/**
 * `<voice-problem>`: what went wrong and what to do. Events `remedy` and `dismiss`.
 */

import {LitElement, css, html, nothing} from '../vendor/lit.js';
import {say} from '../words.js';
import {glyph} from './glyphs.js';
import {sharedStyles} from './shared-styles.js';

/**
 * @typedef {import('../problems.js').Problem} Problem
 * @typedef {import('../problems.js').Remedy} Remedy
 */

/** @type {Record<Remedy, string>} */
const LABELS = {microphone: 'Try again', connect: 'Connect again', none: ''};

export class VoiceProblem extends LitElement {
  static styles = [
    sharedStyles,
    css`
      .problem {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 0.25rem 0.75rem;
        margin-block-end: 0.75rem;
        padding: 0.9rem 1rem;
        border: 1px solid var(--line-strong);
        border-radius: 0.75rem;
        background: var(--raised);
      }
      .glyph {
        font-size: 1.4rem;
      }
      .said {
        min-inline-size: 0;
        overflow-wrap: anywhere;
      }
      h2,
      p {
        margin: 0;
        font-size: inherit;
      }
      h2 {
        font-weight: 600;
      }
      p {
        margin-block-start: 0.2rem;
        font-size: var(--text-small);
        line-height: 1.45;
        color: var(--ink-soft);
      }
      .actions {
        grid-column: 2;
        display: flex;
        flex-wrap: wrap;
        gap: 0.5rem;
        margin-block-start: 0.5rem;
      }
    `,
  ];

  static properties = {problem: {attribute: false}};

  constructor() {
    super();
    /** @type {Problem | null} */
    this.problem = null;
  }

  render() {
    return html`<div role="alert">${this.problem ? this.#show(this.problem) : nothing}</div>`;
  }

  /** @param {Problem} problem */
  #show({title, advice, detail, remedy}) {
    return html`<div class="problem" part="problem">
      ${glyph('error')}
      <div class="said">
        <h2>${say(title)}</h2>
        <p>${say(advice)}</p>
        ${detail ? html`<p>${detail}</p>` : nothing}
      </div>
      <div class="actions">
        ${remedy === 'none'
          ? nothing
          : html`<button class="plain" type="button" @click=${() => this.#tell('remedy')}>${say(LABELS[remedy])}</button>`}
        <button class="plain" type="button" @click=${() => this.#tell('dismiss')}>${say('Dismiss')}</button>
      </div>
    </div>`;
  }

  /** @param {'remedy' | 'dismiss'} type */
  #tell(type) {
    this.dispatchEvent(new CustomEvent(type));
  }
}

customElements.define('voice-problem', VoiceProblem);
