/**
 * `<realtime-voice>`: a voice for any page.
 *
 *     <script type="module" src="https://voice.example.com/web/realtime-voice.js"></script>
 *     <realtime-voice token-url="/voice-key" greeting="Hello! What can I do for you?"></realtime-voice>
 *
 * Its attributes, properties, methods, events, parts and custom properties are in docs/reference/realtime-voice.md.
 */

import {sharedContext} from './browser.js';
import {talkButton} from './elements/voice-button.js';
import './elements/voice-check.js';
import './elements/voice-composer.js';
import {glyph} from './elements/glyphs.js';
import {sharedStyles} from './elements/shared-styles.js';
import {talkStyles} from './elements/talk-styles.js';
import './elements/voice-problem.js';
import './elements/voice-transcript.js';
import {hintFor, nameOf} from './hints.js';
import {explain} from './problems.js';
import {realtimeVoiceStyles} from './realtime-voice-styles.js';
import {VoiceSession} from './session.js';
import {SoundChecks} from './sound-check.js';
import {listenForKeys} from './talk-keys.js';
import {Told} from './told.js';
import {LitElement, html, nothing} from './vendor/lit.js';
import {UNCONNECTED, partsOf, settingsOf} from './wanted.js';
import {say, translate} from './words.js';

/**
 * @typedef {import('./session.js').Phase} Phase
 * @typedef {import('./connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {import('./problems.js').Problem} Problem
 * @typedef {import('./quality.js').Quality} Quality
 */

/** The model that is asked for where neither the attribute nor the key names one. */
const MODEL = 'gpt-realtime';

/** @type {Record<import('./quality.js').Grade, string>} */
const GRADES = {good: 'Good line', fair: 'Fair line', poor: 'Poor line'};

/** Problems that a device which is plugged in may solve. */
const DEVICE_PROBLEMS = new Set(['microphone-lost', 'microphone-missing']);

export class RealtimeVoice extends LitElement {
  static styles = [sharedStyles, talkStyles, realtimeVoiceStyles];

  static shadowRootOptions = {...LitElement.shadowRootOptions, delegatesFocus: true};

  static properties = {
    server: {},
    tokenUrl: {attribute: 'token-url'},
    model: {},
    voice: {},
    instructions: {},
    greeting: {},
    mode: {},
    transport: {},
    label: {},
    getToken: {attribute: false},
    iceServers: {attribute: false},
    version: {state: true},
    quality: {state: true},
  };

  /** Words of another language, for all elements of the page. */
  static translate = translate;

  #session = new VoiceSession(UNCONNECTED);
  #context = sharedContext();
  #listening = new AbortController();
  #told = new Told();
  #checks = new SoundChecks(() => this.version++);

  constructor() {
    super();
    /** Where the gateway is; by default, where this module came from. */
    this.server = new URL('..', import.meta.url).href;
    /** What answers a POST with an ephemeral key. */
    this.tokenUrl = '';
    this.model = MODEL;
    this.voice = '';
    this.instructions = '';
    this.greeting = '';
    /** @type {'hands-free' | 'push-to-talk'} */
    this.mode = 'hands-free';
    /** @type {'websocket' | 'webrtc'} */
    this.transport = 'websocket';
    /** What a screen reader calls it. */
    this.label = '';
    /** In place of `tokenUrl`: gives an ephemeral key. @type {(() => Promise<string>) | null} */
    this.getToken = null;
    /** STUN and TURN servers for calls. @type {RTCIceServer[]} */
    this.iceServers = [];
    /** Counts changes, to draw again. */
    this.version = 0;
    /** @type {Quality | null} */
    this.quality = null;
    this.#session.lasting = true;
    this.#session.addEventListener('change', () => this.#changed());
    this.#session.addEventListener('event', (event) => this.#heard(/** @type {CustomEvent} */ (event).detail));
    this.levels = () => this.#session.levels();
  }

  /** @returns {Phase} what is going on, in one word */
  get state() {
    return this.#session.phase;
  }

  /** @returns {Problem | null} what is wrong, and what to do about it */
  get problem() {
    return this.#session.problem;
  }

  /** @returns {{id: string, role: string, text: string}[]} what was said so far, oldest first */
  get transcript() {
    return Told.all(this.#session.conversation.items);
  }

  /** @returns {boolean} whether the microphone is off, hands-free */
  get muted() {
    return this.#session.muted;
  }

  set muted(muted) {
    this.#session.setMuted(muted);
  }

  /** Connect. Call it from a click or a key press, or browsers keep the sound off. */
  async start() {
    if (this.#session.state === 'open') return this.#session.openMicrophone();
    if (this.#session.state === 'closed' && this.#prepare()) await this.#session.start();
  }

  /** Hang up, and release microphone and loudspeaker; the words stay, and the next session is told them. */
  stop() {
    this.#checks.end();
    this.#session.close();
    this.#context.close();
    this.quality = null;
  }

  /** Forget what was said, also on the other side. */
  clear() {
    this.#told.forget();
    return this.#session.clear();
  }

  /** Silence the answer. */
  interrupt() {
    return this.#session.interrupt();
  }

  /** The talk button goes down. */
  press() {
    this.#session.press();
  }

  /** The talk button goes up. */
  release() {
    return this.#session.release();
  }

  /**
   * Say something in writing. Connects first when need be, without the microphone.
   * @param {string} text
   */
  async write(text) {
    if (this.#session.state !== 'closed' || this.#prepare()) await this.#session.write(text);
  }

  /**
   * Send any client event of the protocol.
   * @param {RealtimeEvent} event
   * @returns {boolean} whether there was a session to send it to
   */
  send(event) {
    return this.#session.send(event);
  }

  /** Before a call: play two tones, and show how loud the microphone is. */
  async check() {
    if (this.#session.state !== 'closed') return;
    this.#session.dismiss();
    try {
      await this.#checks.begin(this.#context());
    } catch (error) {
      this.#session.problem = explain(error, 'microphone-failed');
      this.#changed();
    }
  }

  connectedCallback() {
    super.connectedCallback();
    this.#listening = new AbortController();
    const {signal} = this.#listening;
    listenForKeys(this.#session, this, signal);
    addEventListener('pagehide', () => this.stop(), {signal});
    navigator.mediaDevices?.addEventListener('devicechange', () => this.#devicesChanged(), {signal});
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#listening.abort();
    queueMicrotask(() => {
      if (!this.isConnected) this.stop(); // else it was only moved
    });
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (changed.has('mode')) void this.#session.setMode(this.mode === 'push-to-talk' ? 'hold' : 'hands-free');
    if (changed.has('greeting')) this.#session.greeting = this.greeting;
    if (changed.has('instructions') || changed.has('voice')) this.#session.configure(settingsOf(this));
  }

  render() {
    const session = this.#session;
    const {phase} = session;
    return html`<section part="body" aria-label=${this.label || say('Voice')}>
      <header part="header">
        <p class="state" part="state" role="status">${glyph(phase)}<span>${nameOf(phase)}</span></p>
        ${this.quality ? this.#showQuality(this.quality) : nothing}
        <span class="fill"></span>
        ${session.state === 'closed' ? this.#showCheckButton() : this.#showEnd(session.state)}
      </header>
      <div class="talk" part="talk">${this.#checks.current ? this.#showCheck() : this.#showTalk()}</div>
      <voice-problem
        exportparts="problem, glyph"
        .problem=${session.problem}
        @remedy=${() => this.#remedy()}
        @dismiss=${() => session.dismiss()}
      ></voice-problem>
      ${this.#showControls(phase)}
      <voice-composer
        exportparts="form, input, glyph"
        @write=${(/** @type {CustomEvent<string>} */ event) => this.write(event.detail)}
      ></voice-composer>
    </section>`;
  }

  #showCheckButton() {
    if (this.#checks.current) return nothing;
    return html`<button class="plain" part="check-button" type="button" @click=${() => this.check()}>
      ${say('Check sound')}
    </button>`;
  }

  /** @param {import('./connection.js').ConnectionState} state */
  #showEnd(state) {
    return html`<button class="plain" part="end" type="button" @click=${() => this.stop()}>
      ${state === 'open' ? say('End') : say('Cancel')}
    </button>`;
  }

  #showTalk() {
    const {conversation, playing} = this.#session;
    if (!conversation.items.length) {
      const welcome = say('Press the button and talk, or write.');
      return html`<p class="welcome" part="welcome"><slot name="welcome">${welcome}</slot></p>`;
    }
    return html`<voice-transcript
      exportparts="log, item, user, assistant"
      part="captions"
      tabindex="0"
      .items=${conversation.items}
      .version=${this.version}
      .speaking=${playing}
    ></voice-transcript>`;
  }

  #showCheck() {
    return html`<voice-check
      part="check"
      exportparts="meter"
      .check=${this.#checks.current}
      @done=${() => this.#checks.end()}
    ></voice-check>`;
  }

  /** @param {Quality} quality */
  #showQuality({grade, roundTripMs, loss, jitterMs}) {
    const figures = [roundTripMs ?? 0, loss * 100, jitterMs].map(Math.round);
    return html`<span class="quality" part="quality" data-grade=${grade}
      title=${say('{0} ms there and back, {1} % lost, {2} ms jitter', ...figures)}>${say(GRADES[grade])}</span>`;
  }

  /** @param {Phase} phase */
  #showControls(phase) {
    const session = this.#session;
    const stoppable = phase === 'speaking' || phase === 'thinking';
    return html`<div part="controls">
      <div class="controls">
        <span></span>
        ${talkButton(session, this.levels, () => this.start())}
        <span>${stoppable
          ? html`<button class="plain" part="stop" type="button" @click=${() => this.interrupt()}>${say('Stop')}</button>`
          : nothing}</span>
      </div>
      <p class="hint" part="hint">${hintFor(phase, session)}</p>
      ${phase === 'error' ? nothing : this.#showModes()}
    </div>`;
  }

  #showModes() {
    return html`<fieldset part="modes">
      <legend class="hidden">${say('How to talk')}</legend>
      ${this.#modeChoice('hands-free', say('Hands-free'))} ${this.#modeChoice('push-to-talk', say('Hold to talk'))}
    </fieldset>`;
  }

  /**
   * @param {'hands-free' | 'push-to-talk'} mode
   * @param {string} label
   */
  #modeChoice(mode, label) {
    return html`<label>
      <input type="radio" name="mode" value=${mode} .checked=${this.mode === mode} @change=${() => (this.mode = mode)} />
      ${label}
    </label>`;
  }

  /** @returns {boolean} whether the session can be started */
  #prepare() {
    this.#checks.end();
    try {
      this.#session.rebuild(partsOf(this, {context: this.#context, onquality: (quality) => this.#judged(quality)}));
      return true;
    } catch (error) {
      this.#session.problem = explain(error, 'server-unreachable');
      this.#changed();
      return false;
    }
  }

  /** @param {Quality} quality of the line */
  #judged(quality) {
    this.quality = quality;
    this.#tell('voice-quality', quality);
  }

  #changed() {
    this.version++;
    const {phase, problem, state} = this.#session;
    if (state !== 'open') this.quality = null;
    for (const [type, detail] of this.#told.changes(phase, problem)) this.#tell(type, detail);
  }

  /** @param {RealtimeEvent} event */
  #heard(event) {
    this.#tell('voice-event', event);
    const said = this.#told.said(event);
    if (said) this.#tell('voice-transcript', said);
  }

  /**
   * @param {string} type
   * @param {unknown} detail
   */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, {detail, bubbles: true, composed: true}));
  }

  #remedy() {
    const session = this.#session;
    if (session.problem?.remedy === 'microphone' && session.state !== 'closed') void session.openMicrophone();
    else void this.start();
  }

  #devicesChanged() {
    const session = this.#session;
    if (session.state !== 'closed' && DEVICE_PROBLEMS.has(session.problem?.code ?? '')) void session.openMicrophone();
  }
}

if (!customElements.get('realtime-voice')) customElements.define('realtime-voice', RealtimeVoice);
