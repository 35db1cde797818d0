/**
 * `<device-choice>`: which microphone hears, which loudspeaker speaks, and what carries the sound between.
 */

import {LitElement, css, html, nothing} from '../vendor/lit.js';
import {say} from '../words.js';
import {panelStyles} from './panel-styles.js';
import {sharedStyles} from './shared-styles.js';

/** @typedef {import('../studio.js').Studio} Studio */

export class DeviceChoice extends LitElement {
  static styles = [
    sharedStyles,
    panelStyles,
    css`
      :host {
        display: grid;
        gap: 0.9rem;
      }
      meter {
        inline-size: 100%;
        block-size: 0.75rem;
      }
    `,
  ];

  static properties = {studio: {attribute: false}, version: {type: Number}, devices: {state: true}, said: {state: true}};

  #frame = 0;
  #listener = new AbortController();

  constructor() {
    super();
    /** @type {Studio | null} */
    this.studio = null;
    /** Changes whenever the studio did. */
    this.version = 0;
    /** @type {MediaDeviceInfo[]} */
    this.devices = [];
    /** Why a choice could not be followed. */
    this.said = '';
  }

  connectedCallback() {
    super.connectedCallback();
    this.#listener = new AbortController();
    navigator.mediaDevices?.addEventListener('devicechange', () => this.#look(), {signal: this.#listener.signal});
    void this.#look();
    this.#measure();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#listener.abort();
    cancelAnimationFrame(this.#frame);
  }

  /** @param {Map<string, unknown>} changed */
  updated(changed) {
    if (changed.has('version')) void this.#look(); // names are told only after the microphone was allowed
  }

  render() {
    const {studio} = this;
    if (!studio) return nothing;
    return html`
      <div class="asked">
        <label for="audioinput">${say('Microphone')}</label>
        ${this.#choice('audioinput', studio.microphone, (id) => studio.choose({microphone: id}))}
        <small>${studio.session.state === 'closed' ? nothing : say('From the next session on.')}</small>
      </div>
      <div class="asked">
        <label for="level">${say('Level')}</label>
        <meter id="level" min="0" max="1" low="0" high="0.9" optimum="0.5" value="0"></meter>
        <small>${say('What the server hears of you.')}</small>
      </div>
      ${'setSinkId' in AudioContext.prototype
        ? html`<div class="asked">
            <label for="audiooutput">${say('Loudspeaker')}</label>
            ${this.#choice('audiooutput', studio.loudspeaker, (id) => this.#playOn(id))}
          </div>`
        : nothing}
      <div class="asked">
        <label for="carried">${say('Carried by')}</label>
        <select class="field" id="carried" @change=${this.#carried}>
          <option value="websocket" ?selected=${studio.transport === 'websocket'}>WebSocket</option>
          <option value="webrtc" ?selected=${studio.transport === 'webrtc'}>WebRTC</option>
        </select>
        <small>${say('WebRTC is a call: no sound is in the events, and the server truncates what was interrupted.')}</small>
      </div>
      ${this.said ? html`<p class="wrong">⚠ ${this.said}</p>` : nothing}
    `;
  }

  /**
   * @param {MediaDeviceKind} kind
   * @param {string} chosen
   * @param {(id: string) => void} choose
   */
  #choice(kind, chosen, choose) {
    const found = this.devices.filter((device) => device.kind === kind && device.deviceId && device.deviceId !== 'default');
    return html`<select
      class="field"
      id=${kind}
      @change=${(/** @type {Event} */ event) => choose(/** @type {HTMLSelectElement} */ (event.target).value)}
    >
      <option value="">${say('the system’s')}</option>
      ${found.map(({deviceId, label}) => html`<option value=${deviceId} ?selected=${deviceId === chosen}>${label || say('without a name')}</option>`)}
    </select>`;
  }

  /** @param {Event} event */
  #carried(event) {
    this.studio?.choose({transport: /** @type {any} */ (event.target).value});
  }

  /** @param {string} id */
  async #playOn(id) {
    try {
      await this.studio?.playOn(id);
      this.said = '';
    } catch (error) {
      this.said = say('It cannot be played there: {0}', error instanceof Error ? error.message : error);
    }
  }

  async #look() {
    this.devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  }

  #measure() {
    this.#frame = requestAnimationFrame(() => this.#measure());
    const meter = /** @type {HTMLMeterElement | null} */ (this.renderRoot.querySelector('meter'));
    const level = this.studio?.session.levels().input ?? 0;
    if (meter) meter.value = Math.min(1, level * 5);
  }
}

customElements.define('device-choice', DeviceChoice);
