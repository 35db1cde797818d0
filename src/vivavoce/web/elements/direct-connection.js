/**
 * `<direct-connection>`: talk with the server of the page, or with another one by a key of one's own.
 */

import {LitElement, css, html, nothing} from '../vendor/lit.js';
import {say} from '../words.js';
import {panelStyles} from './panel-styles.js';
import {sharedStyles} from './shared-styles.js';

/** @typedef {import('../studio.js').Studio} Studio */

/** What is offered at first: whose protocol it is. */
const PROVIDER = 'https://api.openai.com/v1';

export class DirectConnection extends LitElement {
  static styles = [
    sharedStyles,
    panelStyles,
    css`
      p {
        margin: 0.25rem 0 0.5rem;
        font-size: var(--text-small);
        color: var(--ink-soft);
      }
      dialog {
        max-inline-size: min(32rem, calc(100vw - 2rem));
        padding: 1.5rem;
        border: 1px solid var(--line-strong);
        border-radius: 0.75rem;
        background: var(--surface);
        color: var(--ink);
      }
      dialog::backdrop {
        background: rgb(0 0 0 / 0.4);
      }
      form {
        display: grid;
        gap: 1rem;
      }
      .check {
        display: flex;
        gap: 0.5rem;
        align-items: start;
        font-size: var(--text-small);
      }
      .buttons {
        display: flex;
        gap: 0.5rem;
        justify-content: end;
      }
    `,
  ];

  static properties = {studio: {attribute: false}, version: {type: Number}, wrong: {state: true}};

  constructor() {
    super();
    /** @type {Studio | null} */
    this.studio = null;
    /** Changes whenever the studio did. */
    this.version = 0;
    /** Why what was entered cannot be used. */
    this.wrong = '';
  }

  render() {
    const direct = this.studio?.direct;
    if (!direct) return nothing;
    return html`
      <div class="asked">
        <strong>${say('Server')}</strong>
        ${direct.address
          ? html`<p>
                ${direct.lasting
                  ? say('{0}, with your own key, kept in this browser.', direct.address)
                  : say('{0}, with your own key, kept until this tab is closed.', direct.address)}
                ${say('From the next session on.')}
              </p>
              <button class="small" type="button" @click=${() => this.studio?.connectTo(null)}>${say('Forget the key')}</button>`
          : html`<p>${say('The one of this page.')}</p>
              <button class="small" type="button" @click=${this.#ask}>${say('Use a key of your own …')}</button>`}
      </div>
      <dialog aria-labelledby="title" @close=${this.#closed}>
        <form method="dialog" @submit=${this.#use} autocomplete="off">
          <h2 id="title">${say('A key of your own')}</h2>
          <p>
            ${say(
              'Your browser then talks with that server itself. The key stays here, and goes to that address only: the server of this page does not see it, and no link, preset or recording has it.',
            )}
          </p>
          <div class="asked">
            <label for="address">${say('Address')}</label>
            <input class="field" id="address" name="address" dir="ltr" required value=${PROVIDER} spellcheck="false" />
          </div>
          <div class="asked">
            <label for="key">${say('Key')}</label>
            <input class="field" id="key" name="key" type="password" dir="ltr" required autocomplete="off" spellcheck="false" />
          </div>
          <label class="check">
            <input type="checkbox" name="lasting" />
            ${say('Keep it in this browser also when this tab is closed: everybody who uses this browser can use it then.')}
          </label>
          ${this.wrong ? html`<p class="wrong" role="alert">⚠ ${this.wrong}</p>` : nothing}
          <div class="buttons">
            <button class="small" type="button" @click=${() => this.#dialog.close()}>${say('Cancel')}</button>
            <button class="small" type="submit">${say('Use it')}</button>
          </div>
        </form>
      </dialog>
    `;
  }

  get #dialog() {
    return /** @type {HTMLDialogElement} */ (this.renderRoot.querySelector('dialog'));
  }

  #ask() {
    this.wrong = '';
    this.#dialog.showModal();
  }

  /** Nothing of the key stays in the page. */
  #closed() {
    this.#dialog.querySelector('form')?.reset();
  }

  /** @param {SubmitEvent} event */
  #use(event) {
    event.preventDefault();
    const entered = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const text = (/** @type {string} */ name) => String(entered.get(name) ?? '');
    try {
      this.studio?.connectTo({address: text('address'), key: text('key'), lasting: entered.has('lasting')});
      this.#dialog.close();
    } catch (error) {
      this.wrong = error instanceof Error ? error.message : String(error);
    }
  }
}

customElements.define('direct-connection', DirectConnection);
