/**
 * `<voice-page>`: the console. The talk is always there; a panel beside it inspects the session.
 *
 * The page's fragment says which panel is open (`#inspect`), so that it can be bookmarked, and Back closes it.
 */

import {LitElement, html, nothing} from '../vendor/lit.js';
import {describe} from '../problems.js';
import {hintFor, nameOf} from '../hints.js';
import {decode} from '../shape/presets.js';
import {Studio} from '../studio.js';
import {listenForKeys} from '../talk-keys.js';
import {say} from '../words.js';
import './event-panel.js';
import {glyph} from './glyphs.js';
import './memory-view.js';
import './replay-bar.js';
import './shape-panel.js';
import {sharedStyles} from './shared-styles.js';
import {card} from './tool-cards.js';
import {talkButton} from './voice-button.js';
import './voice-composer.js';
import {voicePageStyles} from './voice-page-styles.js';
import './voice-problem.js';
import './turn-panel.js';
import './voice-transcript.js';
import './voice-waves.js';

/**
 * @typedef {import('../session.js').Mode} Mode
 * @typedef {'talk' | 'inspect' | 'measure' | 'shape'} View
 */

/** What can be looked at. @type {Record<View, string>} */
const VIEWS = {talk: 'Talk', inspect: 'Inspect', measure: 'Measure', shape: 'Shape'};

export class VoicePage extends LitElement {
  static styles = [sharedStyles, voicePageStyles];

  static properties = {version: {state: true}, view: {state: true}, find: {state: true}};

  constructor() {
    super();
    this.studio = new Studio(location);
    this.session = this.studio.session;
    this.studio.addEventListener('change', () => this.version++);
    /** What Inspect looks for at first. */
    this.find = '';
    /** @type {View} */
    this.view = 'talk';
    this.#look();
    if (!isSecureContext) this.session.problem = describe('insecure-origin');
    /** Counts changes of the session, to draw again. */
    this.version = 0;
    this.levels = () => this.studio.replaying?.levels() ?? this.session.levels();
    this.#listener = new AbortController();
  }

  #listener;

  connectedCallback() {
    super.connectedCallback();
    this.#listener = new AbortController();
    const {signal} = this.#listener;
    listenForKeys(this.session, window, signal);
    addEventListener('hashchange', () => this.#look(), {signal});
    addEventListener('securitypolicyviolation', (event) => this.studio.forbidden(event), {signal});
    addEventListener('storage', () => this.version++, {signal}); // another page remembers or forgets
    addEventListener('pagehide', () => this.session.stop(), {signal});
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#listener.abort();
    this.session.stop();
  }

  render() {
    const {session} = this;
    const {phase} = session;
    const {conversation} = this.studio.shown;
    const replay = this.studio.replaying?.replay;
    return html`
      <header>
        <h1>Viva Voce</h1>
        ${this.studio.direct.host ? html`<p class="where">${say('with {0}', this.studio.direct.host)}</p>` : nothing}
        ${session.state === 'closed'
          ? nothing
          : html`<button class="plain" type="button" @click=${() => session.stop()}>
              ${session.state === 'open' ? say('End') : say('Cancel')}
            </button>`}
      </header>
      <nav aria-label=${say('Views')}>
        ${Object.entries(VIEWS).map(
          ([view, label]) =>
            html`<a href="#${view}" aria-current=${view === this.view ? 'page' : nothing}>${say(label)}</a>`,
        )}
      </nav>
      <main>
        <div class="talk">
          ${this.view === 'talk' ? this.#replay() : nothing}
          ${conversation.items.length
            ? html`<voice-transcript
                tabindex="0"
                .items=${conversation.items}
                .version=${this.version}
                .speaking=${replay ? replay.speaking : session.playing}
                .deeds=${this.#deeds()}
                @act=${(/** @type {CustomEvent} */ {detail}) => this.#act(detail)}
                @answer=${(/** @type {CustomEvent} */ {detail}) => this.studio.answer(detail.id, detail.output)}
              ></voice-transcript>`
            : this.#welcome()}
          ${this.#memory()}
        </div>
        <section class="stage" aria-label=${say('Talk')}>
          <div class="top">
            <voice-problem
              .problem=${session.problem}
              @remedy=${() => this.#remedy()}
              @dismiss=${() => session.dismiss()}
            ></voice-problem>
            <voice-waves
              ?running=${replay ? replay.playing : session.state === 'open'}
              ?hidden=${session.problem && (phase === 'error' || !session.hasMicrophone)}
              .levels=${this.levels}
            ></voice-waves>
          </div>
          <div class="now" data-phase=${phase}>
            <p class="state" role="status">${glyph(phase)}<span>${nameOf(phase)}</span></p>
            <p class="hint">${hintFor(phase, session)}</p>
          </div>
          <div class="controls">
            ${talkButton(session, this.levels, () => this.#start())}
            ${phase === 'speaking' || phase === 'thinking'
              ? html`<button class="plain" type="button" @click=${() => session.interrupt()}>${say('Stop')}</button>`
              : nothing}
          </div>
          <fieldset>
            <legend class="hidden">${say('How to talk')}</legend>
            ${this.#modeChoice('hold', say('Hold to talk'))} ${this.#modeChoice('hands-free', say('Hands-free'))}
          </fieldset>
          <voice-composer @write=${(/** @type {CustomEvent} */ event) => session.write(event.detail)}></voice-composer>
        </section>
        ${this.#panel()}
      </main>
    `;
  }

  /** @returns {import('./voice-transcript.js').Deeds} */
  #deeds() {
    const {shown, again, replaying, session} = this.studio;
    return {sounds: (id) => shown.sounds.has(id), again, calls: shown.calls.calls, open: session.ready && !replaying, card: (call) => card(this.studio, call)};
  }

  /** @param {{action: import('./voice-transcript.js').Action, id: string}} deed */
  #act({action, id}) {
    if (action === 'play') this.studio.play(id);
    else if (action === 'retry') void this.session.retry(id);
    else if (action === 'forget') this.session.forget(id);
    else location.hash = `inspect?find=${encodeURIComponent(id)}`;
  }

  /** Show what the address says; a preset in it is taken over, and leaves it. */
  #look() {
    this.view = viewOf(location.hash);
    const query = new URLSearchParams(location.hash.split('?')[1]);
    this.find = query.get('find') ?? '';
    const preset = decode(query.get('preset') ?? '');
    if (!preset) return;
    this.studio.take(preset);
    history.replaceState(null, '', `#${this.view}`);
  }

  #memory() {
    const {memory, preset} = this.studio;
    if (!preset.ready.includes('memory')) return nothing;
    return html`<memory-view .memory=${memory} .version=${this.version}></memory-view>`;
  }

  #panel() {
    if (this.view === 'talk') return nothing;
    return html`<section class="panel" aria-label=${say(VIEWS[this.view])}>
      ${this.#replay()}
      ${this.view === 'inspect' ? this.#inspect() : this.view === 'measure' ? this.#measure() : this.#shape()}
    </section>`;
  }

  #inspect() {
    return html`<event-panel
      .studio=${this.studio}
      .find=${this.find}
    ></event-panel>`;
  }

  #replay() {
    return html`<replay-bar .studio=${this.studio} .version=${this.version} ?hidden=${!this.studio.replaying}></replay-bar>`;
  }

  #shape() {
    return html`<shape-panel tabindex="0" .studio=${this.studio} .version=${this.version}></shape-panel>`;
  }

  #measure() {
    const {studio} = this;
    const {shown, replaying} = studio;
    return html`<turn-panel
      tabindex="0"
      .turns=${shown.turns.turns}
      .limits=${shown.limits}
      .prices=${studio.prices}
      ?free=${studio.free && !replaying}
      .version=${this.version}
      .source=${replaying?.replay.name ?? ''}
    ></turn-panel>`;
  }

  updated() {
    const {problem} = this.session;
    const {conversation} = this.studio.shown;
    this.setAttribute('view', this.view === 'talk' ? 'talk' : 'panel');
    this.toggleAttribute('replaying', this.studio.replaying !== null);
    this.toggleAttribute('troubled', problem !== null && conversation.items.length === 0);
  }

  #welcome() {
    return html`<div class="welcome">
      <h2>${say('Say something.')}</h2>
      <p>
        ${say('Start, then hold the button and talk, or go hands-free. You hear the answer and read both sides here. To interrupt, just speak.')}
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
}

/**
 * @param {string} hash of the page's address
 * @returns {View}
 */
function viewOf(hash) {
  const name = hash.slice(1).split('?')[0];
  return name in VIEWS ? /** @type {View} */ (name) : 'talk';
}

customElements.define('voice-page', VoicePage);
