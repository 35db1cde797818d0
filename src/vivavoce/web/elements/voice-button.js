/**
 * `<voice-button>`: the one round button. It starts, is held to talk, or switches the microphone, hands-free.
 *
 * Events: `start`, `press`, `release`, `mute`. A click that no pointer made (Enter, a screen reader, a switch)
 * presses and, the next time, releases.
 */

import {LitElement, css, html} from '../vendor/lit.js';
import {say} from '../words.js';
import {glyph} from './glyphs.js';
import {sharedStyles} from './shared-styles.js';

/**
 * @typedef {import('../session.js').Phase} Phase
 * @typedef {import('../session.js').Mode} Mode
 */

export class VoiceButton extends LitElement {
  static styles = [
    sharedStyles,
    css`
      :host {
        position: relative;
        inline-size: 7rem;
        block-size: 7rem;
      }
      button,
      .halo,
      .orbit {
        position: absolute;
        inset: 0;
        border-radius: 50%;
      }
      button {
        border: 2px solid var(--voice);
        background: var(--surface);
        color: var(--voice);
        font-size: 2.75rem;
        line-height: 0;
        cursor: pointer;
        touch-action: none;
        user-select: none;
        -webkit-user-select: none;
        -webkit-touch-callout: none;
        -webkit-tap-highlight-color: transparent;
        transition:
          background-color 0.15s,
          color 0.15s,
          transform 0.15s;
      }
      button:hover {
        background: var(--voice-faint);
      }
      button[data-look='off'],
      button[data-look='held'] {
        background: var(--voice);
        color: var(--on-voice);
      }
      button[data-look='held'] {
        transform: scale(0.95);
      }
      button[data-look='muted'],
      button[data-look='error'],
      button[aria-disabled='true'] {
        border-color: var(--line-strong);
        color: var(--ink-soft);
      }
      button[aria-disabled='true'] {
        cursor: default;
        background: var(--surface);
      }
      .halo {
        pointer-events: none;
        background: var(--voice);
        opacity: 0.16;
        transform: scale(calc(1 + 0.35 * var(--level, 0)));
      }
      .orbit {
        pointer-events: none;
        inset: -0.6rem;
        border: 2px dashed var(--voice);
        opacity: 0;
      }
      .orbit.turning {
        opacity: 0.7;
        animation: turn 6s linear infinite;
      }
      @keyframes turn {
        to {
          transform: rotate(1turn);
        }
      }
      @media (prefers-reduced-motion: reduce) {
        .orbit.turning {
          animation: none;
        }
        button {
          transition: none;
        }
        .halo {
          transform: none;
        }
      }
    `,
  ];

  static properties = {
    phase: {type: String},
    mode: {type: String},
    held: {type: Boolean},
    muted: {type: Boolean},
    microphone: {type: Boolean},
    levels: {attribute: false},
  };

  #frame = 0;
  #level = 0;

  constructor() {
    super();
    /** @type {Phase} */
    this.phase = 'off';
    /** @type {Mode} */
    this.mode = 'hold';
    this.held = false;
    this.muted = false;
    this.microphone = false;
    /** @type {() => {input: number, output: number}} */
    this.levels = () => ({input: 0, output: 0});
  }

  connectedCallback() {
    super.connectedCallback();
    const tick = () => {
      this.#frame = requestAnimationFrame(tick);
      this.#breathe();
    };
    tick();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    cancelAnimationFrame(this.#frame);
  }

  /** @returns {string} what a press does, in words */
  get label() {
    if (this.phase === 'off' || this.phase === 'error') return say('Start');
    if (this.phase === 'connecting') return say('Connecting');
    if (!this.microphone) return say('Use the microphone');
    if (this.mode === 'hands-free') return this.muted ? say('Unmute the microphone') : say('Mute the microphone');
    return this.held ? say('Release to send') : say('Hold to talk');
  }

  get #look() {
    if (this.phase === 'off') return 'off';
    if (this.phase === 'error') return 'error';
    if (this.held) return 'held';
    return this.mode === 'hands-free' && this.muted ? 'muted' : 'on';
  }

  render() {
    const drawing = this.#look === 'muted' ? 'muted' : this.phase === 'error' ? 'off' : this.phase;
    return html`
      <div class="halo" aria-hidden="true"></div>
      <div class="orbit ${this.phase === 'thinking' || this.phase === 'connecting' ? 'turning' : ''}"></div>
      <button
        part="button"
        type="button"
        aria-label=${this.label}
        data-look=${this.#look}
        aria-disabled=${this.phase === 'connecting'}
        @pointerdown=${this.#down}
        @pointerup=${this.#up}
        @pointercancel=${this.#up}
        @lostpointercapture=${this.#up}
        @contextmenu=${(/** @type {Event} */ event) => event.preventDefault()}
        @click=${this.#click}
      >
        ${glyph(drawing)}
      </button>
    `;
  }

  get #holds() {
    return this.mode === 'hold' && this.microphone && !['off', 'error', 'connecting'].includes(this.phase);
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (!this.#holds || event.button !== 0) return;
    const button = /** @type {HTMLElement} */ (event.currentTarget);
    button.setPointerCapture(event.pointerId);
    this.#tell('press');
  }

  #up() {
    if (this.#holds && this.held) this.#tell('release');
  }

  /** @param {MouseEvent} event */
  #click(event) {
    if (this.phase === 'connecting') return; // not disabled, which would take the focus away
    if (!this.#holds) this.#tell(this.mode === 'hands-free' && this.microphone && this.#on ? 'mute' : 'start');
    else if (event.detail === 0) this.#tell(this.held ? 'release' : 'press');
  }

  get #on() {
    return this.phase !== 'off' && this.phase !== 'error';
  }

  /** @param {'start' | 'press' | 'release' | 'mute'} type */
  #tell(type) {
    this.dispatchEvent(new CustomEvent(type));
  }

  /** The halo follows whoever is speaking. */
  #breathe() {
    const {input, output} = this.levels();
    const target = Math.min(1, Math.max(input, output) * 5);
    const level = Math.abs(target - this.#level) < 0.005 ? target : this.#level + (target - this.#level) * 0.3;
    if (level === this.#level) return;
    this.#level = level;
    this.style.setProperty('--level', level.toFixed(3));
  }
}

customElements.define('voice-button', VoiceButton);

/**
 * The button of a session, which it presses, releases and mutes.
 * @param {import('../session.js').VoiceSession} session
 * @param {() => {input: number, output: number}} levels
 * @param {() => void} start what a press does where nobody is listening yet
 */
export const talkButton = (session, levels, start) => html`<voice-button
  exportparts="button, glyph"
  .phase=${session.phase}
  .mode=${session.mode}
  .levels=${levels}
  ?held=${session.held}
  ?muted=${session.muted}
  ?microphone=${session.hasMicrophone}
  @start=${start}
  @press=${() => session.press()}
  @release=${() => session.release()}
  @mute=${() => session.setMuted(!session.muted)}
></voice-button>`;
