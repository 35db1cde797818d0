/**
 * `<voice-check>`: before a call, two tones to hear, and a bar that follows the microphone. Event: `done`.
 */

import {LitElement, css, html, nothing} from '../vendor/lit.js';
import {say} from '../words.js';
import {sharedStyles} from './shared-styles.js';

/** What fills the bar: speech close to the microphone has about a fifth of full scale. */
const FULL = 0.2;

export class VoiceCheck extends LitElement {
  static styles = [
    sharedStyles,
    css`
      :host {
        text-align: center;
        font-size: var(--text-small);
      }
      p {
        margin: 0 0 0.5rem;
        overflow-wrap: anywhere;
      }
      .meter {
        inline-size: 12rem;
        max-inline-size: 100%;
        block-size: 0.5rem;
        margin: 0 auto 0.5rem;
        border: 1px solid var(--line-strong);
        border-radius: 999px;
        overflow: hidden;
      }
      .meter > div {
        block-size: 100%;
        background: var(--voice);
        transform: scaleX(var(--level, 0));
        transform-origin: left;
      }
      .meter:dir(rtl) > div {
        transform-origin: right;
      }
      @media (forced-colors: active) {
        .meter > div {
          background: CanvasText;
        }
      }
    `,
  ];

  static properties = {check: {attribute: false}};

  #frame = 0;

  constructor() {
    super();
    /** @type {import('../sound-check.js').SoundCheck | null} */
    this.check = null;
  }

  connectedCallback() {
    super.connectedCallback();
    const tick = () => {
      this.#frame = requestAnimationFrame(tick);
      const bar = /** @type {HTMLElement | null} */ (this.renderRoot.querySelector('.meter'));
      bar?.style.setProperty('--level', Math.min(1, (this.check?.level() ?? 0) / FULL).toFixed(2));
    };
    tick();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    cancelAnimationFrame(this.#frame);
  }

  render() {
    const {check} = this;
    if (!check) return nothing;
    return html`
      <p>${say('You should have heard two tones. Now speak: the bar follows your voice.')}</p>
      <div class="meter" part="meter" aria-hidden="true"><div></div></div>
      <p>${check.label}</p>
      <button class="plain" type="button" @click=${() => check.play()}>${say('Play again')}</button>
      <button class="plain" type="button" @click=${() => this.dispatchEvent(new CustomEvent('done'))}>${say('Done')}</button>
    `;
  }
}

customElements.define('voice-check', VoiceCheck);
