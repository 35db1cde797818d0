/**
 * `<voice-page>`: the whole page over one voice session.
 */

import {LitElement, css, html, nothing} from '../vendor/lit.js';
import {browserParts} from '../browser.js';
import {endpointUrl} from '../connection.js';
import {describe} from '../problems.js';
import {VoiceSession} from '../session.js';
import {glyph} from './glyphs.js';
import {sharedStyles} from './shared-styles.js';
import './voice-button.js';
import './voice-composer.js';
import './voice-problem.js';
import './voice-transcript.js';
import './voice-waves.js';

/**
 * @typedef {import('../session.js').Phase} Phase
 * @typedef {import('../session.js').Mode} Mode
 */

/** The model that is asked for; `?model=` in the page's address names another. */
const MODEL = 'gpt-realtime';

/** @type {Record<Phase, string>} */
const WORDS = {
  off: 'Not connected',
  connecting: 'Connecting',
  idle: 'Ready',
  listening: 'Listening',
  thinking: 'Thinking',
  speaking: 'Speaking',
  error: 'Not connected',
};

/** Where the space bar has work of its own. */
const OWN_SPACE = 'input, textarea, select, button, a[href], summary, [contenteditable], [role="button"]';

export class VoicePage extends LitElement {
  static styles = [
    sharedStyles,
    css`
      :host {
        box-sizing: border-box;
        display: grid;
        grid-template: auto minmax(7rem, 1fr) auto / minmax(0, 1fr);
        grid-template-areas: 'header' 'talk' 'stage';
        block-size: 100dvh;
        overflow-y: auto;
        max-inline-size: 44rem;
        margin-inline: auto;
        padding: 0 max(1rem, env(safe-area-inset-left)) max(1rem, env(safe-area-inset-bottom));
      }
      header {
        grid-area: header;
        display: flex;
        align-items: center;
        justify-content: space-between;
        min-block-size: 4rem;
      }
      h1 {
        margin: 0;
        font: italic 500 1.35rem var(--font-title);
        letter-spacing: 0.01em;
      }
      .talk {
        grid-area: talk;
        min-block-size: 0;
        display: grid;
        grid-template-rows: minmax(0, 1fr);
      }
      voice-transcript {
        padding-block: 1rem 2rem;
        mask-image: linear-gradient(transparent, #000 1rem, #000 calc(100% - 2rem), transparent);
      }
      .welcome {
        align-self: center;
        max-inline-size: 28rem;
      }
      .welcome h2 {
        margin: 0 0 0.75rem;
        font: 400 var(--text-title) / 1.1 var(--font-title);
        letter-spacing: -0.01em;
        text-wrap: balance;
      }
      .welcome p {
        margin: 0;
        line-height: 1.55;
        color: var(--ink-soft);
      }
      .stage {
        grid-area: stage;
        display: grid;
        justify-items: center;
        gap: 1rem;
      }
      .top,
      voice-composer {
        inline-size: 100%;
      }
      .now {
        display: grid;
        justify-items: center;
        gap: 0.15rem;
        text-align: center;
      }
      .state {
        display: flex;
        align-items: center;
        gap: 0.5rem;
        margin: 0;
        font-weight: 600;
      }
      .hint {
        min-block-size: 1.5em;
        margin: 0;
        font-size: var(--text-small);
        color: var(--ink-soft);
      }
      .controls {
        display: grid;
        grid-template-columns: 1fr auto 1fr;
        align-items: center;
        inline-size: 100%;
        min-block-size: 8.5rem;
      }
      .controls voice-button {
        grid-column: 2;
      }
      .controls .plain {
        grid-column: 3;
        justify-self: center;
      }
      fieldset {
        display: flex;
        margin: 0;
        padding: 3px;
        border: 1px solid var(--line);
        border-radius: 999px;
        background: var(--raised);
      }
      fieldset label {
        position: relative;
        display: flex;
        align-items: center;
        min-block-size: 2.5rem;
        padding: 0 1.1rem;
        border: 1px solid transparent;
        border-radius: 999px;
        font-size: var(--text-small);
        color: var(--ink-soft);
        cursor: pointer;
      }
      fieldset input {
        position: absolute;
        inset: 0;
        margin: 0;
        opacity: 0;
        cursor: pointer;
      }
      fieldset label:has(:checked) {
        border-color: var(--line-strong);
        background: var(--surface);
        color: var(--ink);
        font-weight: 600;
      }
      fieldset label:has(:focus-visible) {
        outline: 2px solid var(--focus);
        outline-offset: 2px;
      }
      @media (max-width: 63.99rem) {
        :host([troubled]) {
          grid-template-rows: auto minmax(0, 1fr) auto;
        }
        :host([troubled]) .welcome {
          display: none;
        }
      }
      @media (max-height: 44rem) {
        .stage {
          gap: 0.6rem;
        }
        voice-waves {
          block-size: 3.5rem;
        }
        voice-button {
          inline-size: 5.5rem;
          block-size: 5.5rem;
        }
        .controls {
          min-block-size: 7rem;
        }
      }
      @media (min-width: 64rem) {
        :host {
          grid-template: auto minmax(0, 1fr) / minmax(20rem, 26rem) minmax(0, 1fr);
          grid-template-areas: 'header header' 'stage talk';
          column-gap: clamp(3rem, 7vw, 7rem);
          max-inline-size: 76rem;
          padding-inline: 2.5rem;
        }
        .stage {
          align-content: center;
          padding-block-end: 4rem;
          gap: 1.5rem;
        }
        voice-transcript {
          padding-block-end: 4rem;
        }
      }
    `,
  ];

  static properties = {version: {state: true}};

  constructor() {
    super();
    const model = new URLSearchParams(location.search).get('model') ?? MODEL;
    this.session = new VoiceSession(browserParts(endpointUrl(location, model)));
    this.session.addEventListener('change', () => this.version++);
    if (!isSecureContext) this.session.problem = describe('insecure-origin');
    /** Counts changes of the session, to draw again. */
    this.version = 0;
    this.levels = () => this.session.levels();
    this.#listener = new AbortController();
  }

  #listener;

  connectedCallback() {
    super.connectedCallback();
    this.#listener = new AbortController();
    const {signal} = this.#listener;
    addEventListener('keydown', (event) => this.#keyDown(event), {signal});
    addEventListener('keyup', (event) => this.#keyUp(event), {signal});
    addEventListener('blur', () => this.session.release(), {signal});
    addEventListener('pagehide', () => this.session.stop(), {signal});
    document.addEventListener('visibilitychange', () => this.session.release(), {signal});
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#listener.abort();
    this.session.stop();
  }

  render() {
    const {session} = this;
    const {phase, conversation} = session;
    return html`
      <header>
        <h1>Viva Voce</h1>
        ${session.state === 'closed'
          ? nothing
          : html`<button class="plain" type="button" @click=${() => session.stop()}>
              ${session.state === 'open' ? 'End' : 'Cancel'}
            </button>`}
      </header>
      <main class="talk">
        ${conversation.items.length
          ? html`<voice-transcript
              tabindex="0"
              .items=${conversation.items}
              .version=${this.version}
              .speaking=${session.playing}
            ></voice-transcript>`
          : this.#welcome()}
      </main>
      <section class="stage" aria-label="Talk">
        <div class="top">
          <voice-problem
            .problem=${session.problem}
            @remedy=${() => this.#remedy()}
            @dismiss=${() => session.dismiss()}
          ></voice-problem>
          <voice-waves
            ?running=${session.state === 'open'}
            ?hidden=${session.problem && (phase === 'error' || !session.hasMicrophone)}
            .levels=${this.levels}
          ></voice-waves>
        </div>
        <div class="now" data-phase=${phase}>
          <p class="state" role="status">${glyph(phase)}<span>${WORDS[phase]}</span></p>
          <p class="hint">${this.#hint(phase)}</p>
        </div>
        <div class="controls">
          <voice-button
            .phase=${phase}
            .mode=${session.mode}
            .levels=${this.levels}
            ?held=${session.held}
            ?muted=${session.muted}
            ?microphone=${session.hasMicrophone}
            @start=${() => this.#start()}
            @press=${() => session.press()}
            @release=${() => session.release()}
            @mute=${() => session.setMuted(!session.muted)}
          ></voice-button>
          ${phase === 'speaking' || phase === 'thinking'
            ? html`<button class="plain" type="button" @click=${() => session.interrupt()}>Stop</button>`
            : nothing}
        </div>
        <fieldset>
          <legend class="hidden">How to talk</legend>
          ${this.#modeChoice('hold', 'Hold to talk')} ${this.#modeChoice('hands-free', 'Hands-free')}
        </fieldset>
        <voice-composer @write=${(/** @type {CustomEvent} */ event) => session.write(event.detail)}></voice-composer>
      </section>
    `;
  }

  updated() {
    const {problem, conversation} = this.session;
    this.toggleAttribute('troubled', problem !== null && conversation.items.length === 0);
  }

  #welcome() {
    return html`<div class="welcome">
      <h2>Say something.</h2>
      <p>
        Start, then hold the button and talk, or go hands-free. You hear the answer and read both sides here. To
        interrupt, just speak.
      </p>
    </div>`;
  }

  /**
   * @param {Mode} mode
   * @param {string} label
   */
  #modeChoice(mode, label) {
    return html`<label>
      <input
        type="radio"
        name="mode"
        value=${mode}
        .checked=${this.session.mode === mode}
        @change=${() => this.session.setMode(mode)}
      />${label}
    </label>`;
  }

  /**
   * @param {Phase} phase
   * @returns {string} what the user can do now
   */
  #hint(phase) {
    const {session} = this;
    const handsFree = session.mode === 'hands-free';
    if (phase === 'connecting' && session.loading) return `The server loads: ${session.loading}`;
    if (phase === 'connecting') return session.attempt > 1 ? `Try ${session.attempt} …` : '';
    if (phase === 'off' || phase === 'error') return 'Press the button to start';
    if (session.held) return 'Release to send';
    if (!session.hasMicrophone) return 'Write, or use the microphone';
    if (phase === 'thinking') return '';
    if (phase === 'speaking') return handsFree ? 'Speak to interrupt' : 'Hold the button to interrupt';
    if (handsFree) return session.muted ? 'The microphone is muted' : session.hearing ? 'Go on …' : 'Just speak';
    return 'Hold the button or the space bar';
  }

  #start() {
    const {session} = this;
    if (session.state === 'closed') void session.start();
    else void session.openMicrophone();
  }

  #remedy() {
    const {session} = this;
    if (session.problem?.remedy === 'connect') void session.reconnect();
    else if (session.state === 'closed') void session.start();
    else void session.openMicrophone();
  }

  /** @param {KeyboardEvent} event */
  #keyDown(event) {
    if (event.key === 'Escape') void this.session.interrupt();
    if (!this.#talkKey(event)) return;
    event.preventDefault();
    if (!event.repeat) this.session.press();
  }

  /** @param {KeyboardEvent} event */
  #keyUp(event) {
    if (event.code !== 'Space') return;
    if (this.#talkKey(event)) event.preventDefault();
    void this.session.release();
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} whether it is the space bar, free to talk with
   */
  #talkKey(event) {
    const {session} = this;
    if (event.code !== 'Space' || event.ctrlKey || event.altKey || event.metaKey) return false;
    if (!session.ready || session.mode !== 'hold' || !session.hasMicrophone) return false;
    const path = event.composedPath();
    if (path.some((node) => node instanceof HTMLElement && node.localName === 'voice-button')) return true;
    const target = path[0];
    return !(target instanceof Element && target.closest(OWN_SPACE));
  }
}

customElements.define('voice-page', VoicePage);
