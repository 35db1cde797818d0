/**
 * `<voice-composer>`: say it in writing. Event `write` with the words as its detail.
 */

import {LitElement, css, html} from '../vendor/lit.js';
import {say} from '../words.js';
import {glyph} from './glyphs.js';
import {sharedStyles} from './shared-styles.js';

/** The most characters of one message. */
const MOST_CHARACTERS = 4000;

export class VoiceComposer extends LitElement {
  static styles = [
    sharedStyles,
    css`
      form {
        display: flex;
        align-items: center;
        border: 1px solid var(--edge);
        border-radius: 999px;
        background: var(--surface);
      }
      form:focus-within {
        outline: 2px solid var(--focus);
        outline-offset: 2px;
      }
      input {
        flex: 1;
        min-inline-size: 0;
        min-block-size: 2.75rem;
        padding: 0;
        padding-inline-start: 1.1rem;
        border: 0;
        background: none;
      }
      input:focus-visible {
        outline: none;
      }
      input::placeholder {
        color: var(--ink-soft);
        opacity: 1;
      }
      button {
        inline-size: 2.75rem;
        block-size: 2.75rem;
        border: 0;
        border-radius: 50%;
        background: none;
        font-size: 1.25rem;
        line-height: 0;
        cursor: pointer;
      }
    `,
  ];

  render() {
    return html`<form part="form" @submit=${this.#submit}>
      <input
        part="input"
        type="text"
        name="words"
        dir="auto"
        aria-label=${say('Message')}
        placeholder=${say('Or write it')}
        autocomplete="off"
        enterkeyhint="send"
        maxlength=${MOST_CHARACTERS}
      />
      <button type="submit" aria-label=${say('Send')}>${glyph('send')}</button>
    </form>`;
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    event.preventDefault();
    const input = /** @type {HTMLInputElement} */ (this.renderRoot.querySelector('input'));
    const words = input.value.trim();
    input.value = '';
    if (words) this.dispatchEvent(new CustomEvent('write', {detail: words}));
  }
}

customElements.define('voice-composer', VoiceComposer);
