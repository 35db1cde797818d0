/**
 * `custom:openai-realtime-card`: talk with your home from a dashboard.
 *
 * It is made of the same parts as the console and `<realtime-voice>`; only the line to the endpoint is another. All
 * cards of a page that talk with the same agent show one session.
 */

import {talkButton} from '../elements/voice-button.js';
import '../elements/voice-composer.js';
import {glyph} from '../elements/glyphs.js';
import {sharedStyles} from '../elements/shared-styles.js';
import {talkStyles} from '../elements/talk-styles.js';
import '../elements/voice-problem.js';
import '../elements/voice-transcript.js';
import '../elements/voice-waves.js';
import {hintFor, nameOf} from '../hints.js';
import {listenForKeys} from '../talk-keys.js';
import {LitElement, html, nothing} from '../vendor/lit.js';
import {say} from '../words.js';
import {cardStyles} from './card-styles.js';
import {speak} from './languages.js';
import {configForm, optionsOf} from './options.js';
import {voiceFor} from './shared-voice.js';

/**
 * @typedef {import('../session.js').Phase} Phase
 * @typedef {import('../session.js').VoiceSession} VoiceSession
 * @typedef {import('./connection.js').HomeSocket} HomeSocket
 * @typedef {ReturnType<typeof optionsOf>} Options
 * @typedef {object} Hass what is used of the frontend's state
 * @property {HomeSocket} connection
 * @property {string} language
 * @property {Record<string, {attributes: {friendly_name?: string}}>} states
 * @property {(key: string, placeholders?: Record<string, string>) => string} localize
 * @property {(category: string, integration: string) => Promise<unknown>} loadBackendTranslation
 */

const TYPE = 'openai-realtime-card';

/** Above a card that has neither a title nor an agent. */
const TITLE = 'OpenAI Realtime';

/** Problems that a device which is plugged in may solve. */
const DEVICE_PROBLEMS = new Set(['microphone-lost', 'microphone-missing']);

export class OpenAIRealtimeCard extends LitElement {
  static styles = [sharedStyles, talkStyles, cardStyles];

  static shadowRootOptions = {...LitElement.shadowRootOptions, delegatesFocus: true};

  static properties = {options: {state: true}, version: {state: true}};

  static getConfigForm = configForm;

  /** @returns {object} the options of a card that was just chosen */
  static getStubConfig() {
    return {};
  }

  /** @type {Hass | null} */
  #hass = null;
  /** @type {import('./shared-voice.js').SharedVoice | null} */
  #voice = null;
  #following = new AbortController();

  constructor() {
    super();
    /** @type {Options} */
    this.options = optionsOf({});
    /** Counts changes, to draw again. */
    this.version = 0;
    this.levels = () => this.#voice?.session.levels() ?? {input: 0, output: 0};
  }

  /** @param {Record<string, unknown>} config as it is in the dashboard */
  setConfig(config) {
    const options = optionsOf(config);
    const changed = options.entity !== this.options.entity;
    this.options = options;
    if (changed && this.#voice) {
      this.#leave();
      this.#join();
    }
  }

  /** @returns {Hass | null} */
  get hass() {
    return this.#hass;
  }

  set hass(hass) {
    const first = !this.#hass;
    if (hass && hass.language !== this.#hass?.language) void this.#speak(hass);
    this.#hass = hass;
    if (first && this.isConnected) this.#join();
  }

  /** A card asks its element by this name. @returns {boolean} */
  get muteWhileSpeaking() {
    return this.options.mute_while_speaking;
  }

  /** Another such name. @returns {boolean} */
  get speaksStraight() {
    return this.options.direct_audio;
  }

  /** @returns {number} its height, in rows of 50 px */
  getCardSize() {
    const {show_transcript, show_waveform, show_text_input} = this.options;
    return 4 + (show_transcript ? 3 : 0) + (show_waveform ? 1 : 0) + (show_text_input ? 1 : 0);
  }

  /** @returns {object} its place in a view of sections */
  getGridOptions() {
    return {columns: 12, min_columns: 6, rows: 'auto'};
  }

  connectedCallback() {
    super.connectedCallback();
    if (this.#hass) this.#join();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#leave();
  }

  render() {
    const {options} = this;
    const session = this.#voice?.session;
    if (!session) return nothing;
    const {phase} = session;
    return html`<ha-card>
      <header>
        ${this.#title ? html`<h2>${this.#title}</h2>` : nothing}
        <p class="state" role="status">${glyph(phase)}<span>${nameOf(phase)}</span></p>
        <span class="fill"></span>
        ${session.state === 'closed' ? nothing : this.#showEnd(session)}
      </header>
      ${options.show_transcript ? this.#showTranscript(session) : nothing}
      <voice-problem
        .problem=${session.problem}
        @remedy=${() => this.#remedy(session)}
        @dismiss=${() => session.dismiss()}
      ></voice-problem>
      ${options.show_waveform ? this.#showWaves(session) : nothing} ${this.#showControls(session)}
      ${options.show_text_input ? this.#showComposer(session) : nothing}
    </ha-card>`;
  }

  get #title() {
    const {title, entity} = this.options;
    return title ?? (entity ? this.#hass?.states[entity]?.attributes.friendly_name : undefined) ?? TITLE;
  }

  /** @param {VoiceSession} session */
  #showEnd(session) {
    return html`<button class="plain" type="button" @click=${() => this.#voice?.stop()}>
      ${session.state === 'open' ? say('End') : say('Cancel')}
    </button>`;
  }

  /** @param {VoiceSession} session */
  #showTranscript({conversation, playing}) {
    const spoken = conversation.items.length > 0;
    return html`<div class="talk">
      ${spoken
        ? html`<voice-transcript
            tabindex="0"
            .items=${conversation.items}
            .version=${this.version}
            .speaking=${playing}
          ></voice-transcript>`
        : html`<p class="welcome">${this.#welcome}</p>`}
    </div>`;
  }

  get #welcome() {
    return this.options.show_text_input ? say('Press the button and talk, or write.') : say('Press the button and talk.');
  }

  /** @param {VoiceSession} session */
  #showWaves(session) {
    return html`<voice-waves .levels=${this.levels} ?running=${session.state === 'open'}></voice-waves>`;
  }

  /** @param {VoiceSession} session */
  #showControls(session) {
    const {phase} = session;
    const stoppable = phase === 'speaking' || phase === 'thinking';
    return html`<div>
      <div class="controls">
        <span></span>
        ${talkButton(session, this.levels, () => this.#start(session))}
        <span
          >${stoppable
            ? html`<button class="plain" type="button" @click=${() => session.interrupt()}>${say('Stop')}</button>`
            : nothing}</span
        >
      </div>
      <p class="hint">${hintFor(phase, session)}</p>
      ${phase === 'error'
        ? nothing
        : html`<fieldset>
            <legend class="hidden">${say('How to talk')}</legend>
            ${this.#modeChoice(session, 'hold', say('Hold to talk'))} ${this.#modeChoice(session, 'hands-free', say('Hands-free'))}
          </fieldset>`}
    </div>`;
  }

  /**
   * @param {VoiceSession} session
   * @param {import('../configuration.js').Mode} mode
   * @param {string} label
   */
  #modeChoice(session, mode, label) {
    return html`<label>
      <input type="radio" name="mode" .checked=${session.mode === mode} @change=${() => session.setMode(mode)} />
      ${label}
    </label>`;
  }

  /** @param {VoiceSession} session */
  #showComposer(session) {
    return html`<voice-composer
      @write=${(/** @type {CustomEvent<string>} */ event) => session.write(event.detail)}
    ></voice-composer>`;
  }

  /** @param {VoiceSession} session */
  async #start(session) {
    if (session.state === 'open') await session.openMicrophone();
    else await session.start();
  }

  /** @param {VoiceSession} session */
  #remedy(session) {
    if (session.problem?.remedy === 'microphone' && session.state !== 'closed') void session.openMicrophone();
    else void session.start();
  }

  /** Show the voice of the page for this agent. */
  #join() {
    const hass = this.#hass;
    if (!hass || this.#voice) return;
    const {entity, mode} = this.options;
    const wanted = {language: hass.language, ...(entity ? {entity_id: entity} : {})};
    const localized = (/** @type {string} */ key, /** @type {Record<string, string>} */ placeholders) =>
      this.#hass?.localize(`component.openai_realtime.exceptions.${key}.message`, placeholders) ?? '';
    const voice = voiceFor(hass.connection, wanted, {say: localized});
    const {session} = voice;
    this.#voice = voice;
    this.#following = new AbortController();
    const {signal} = this.#following;
    session.addEventListener('change', () => this.version++, {signal});
    listenForKeys(session, this, signal);
    addEventListener('pagehide', () => voice.stop(), {signal});
    navigator.mediaDevices?.addEventListener('devicechange', () => this.#devicesChanged(session), {signal});
    if (voice.join(this) === 1 && session.state === 'closed') void session.setMode(mode);
    this.version++;
  }

  #leave() {
    this.#following.abort();
    this.#voice?.leave(this);
    this.#voice = null;
  }

  /** @param {VoiceSession} session */
  #devicesChanged(session) {
    if (session.state !== 'closed' && DEVICE_PROBLEMS.has(session.problem?.code ?? '')) void session.openMicrophone();
  }

  /** @param {Hass} hass */
  async #speak(hass) {
    await Promise.all([speak(hass.language), hass.loadBackendTranslation('exceptions', 'openai_realtime')]);
    this.version++;
  }
}

if (!customElements.get(TYPE)) {
  customElements.define(TYPE, OpenAIRealtimeCard);
  const page = /** @type {{customCards?: object[]}} */ (/** @type {unknown} */ (window));
  page.customCards = page.customCards ?? [];
  page.customCards.push({
    type: TYPE,
    name: 'OpenAI Realtime',
    description: 'Talk with your home, by Viva Voce.',
    preview: true,
    documentationURL: 'https://github.com/vivavoce/vivavoce/blob/main/docs/home-assistant/card.md',
  });
}
