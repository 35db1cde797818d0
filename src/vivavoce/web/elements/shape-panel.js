/**
 * `<shape-panel>`: Shape. What the session is asked to be: model, voice, instructions, turns, tools; and any event.
 *
 * What is changed goes to the server at once, and is kept in this browser.
 */

import {LitElement, css, html, nothing} from '../vendor/lit.js';
import {LISTENING, SPEAKING, TURNS, get, parse, set} from '../shape/fields.js';
import {PLAIN, encode} from '../shape/presets.js';
import {say} from '../words.js';
import './device-choice.js';
import './direct-connection.js';
import './event-composer.js';
import {panelStyles} from './panel-styles.js';
import './ready-tools.js';
import {sharedStyles} from './shared-styles.js';
import './tool-editor.js';
import {typed} from './typed.js';

/**
 * @typedef {import('../shape/fields.js').Field} Field
 * @typedef {import('../studio.js').Studio} Studio
 */

/** What stands in a field that was left alone, where the server does not say what it has. */
const AS_IT_IS = 'as the server has it';

const TURN_TYPE = 'audio.input.turn_detection.type';

export class ShapePanel extends LitElement {
  static styles = [
    sharedStyles,
    panelStyles,
    css`
      :host {
        overflow-y: auto;
        padding: 1.25rem 1.5rem 2rem;
      }
      .columns {
        columns: 21rem;
        column-gap: 2.5rem;
      }
      section {
        display: grid;
        gap: 0.9rem;
        min-inline-size: 0;
        margin-block-end: 2rem;
        break-inside: avoid;
      }
      .bar {
        margin: -1.25rem -1.5rem 1.25rem;
        padding-inline: 1.5rem;
      }
    `,
  ];

  static properties = {studio: {attribute: false}, version: {type: Number}, said: {state: true}};

  constructor() {
    super();
    /** @type {Studio | null} */
    this.studio = null;
    /** Changes whenever the studio did. */
    this.version = 0;
    /** What became of the link. */
    this.said = '';
  }

  render() {
    const {studio} = this;
    if (!studio) return nothing;
    const {model} = studio.preset;
    return html`
      <div class="bar">
        <button class="small" type="button" @click=${this.#share}>${say('Copy as a link')}</button>
        <button class="small" type="button" @click=${() => studio.apply(PLAIN)}>${say('Reset')}</button>
        <p class="said" aria-live="polite">
          ${this.said ||
          say('What is set goes to the server at once, and is kept in this browser; what is cleared is the server’s own again in the next session.')}
        </p>
        ${studio.own ? this.#showOwn(studio) : nothing}
      </div>
      <div class="columns">
        <section aria-labelledby="speaking">
          <h2 id="speaking">${say('The voice')}</h2>
          <div class="asked">
            <label for="model">${say('Model')}</label>
            <input
              class="field"
              id="model"
              aria-describedby="model-help"
              .value=${typed(this, 'model', model)}
              placeholder=${studio.model}
              @change=${(/** @type {Event} */ event) => this.#modelChanged(event)}
            />
            <small id="model-help">${say('From the next session on.')}</small>
          </div>
          ${SPEAKING.map((field) => this.#field(field))}
        </section>
        <section aria-labelledby="listening">
          <h2 id="listening">${say('The ear')}</h2>
          ${LISTENING.map((field) => this.#field(field))}
        </section>
        <section aria-labelledby="taking-turns">
          <h2 id="taking-turns">${say('Turns')}</h2>
          ${TURNS.map((field) => this.#field(field))}
        </section>
        <section aria-labelledby="devices">
          <h2 id="devices">${say('This browser')}</h2>
          <device-choice .studio=${studio} .version=${this.version}></device-choice>
          <direct-connection .studio=${studio} .version=${this.version}></direct-connection>
        </section>
        <section aria-labelledby="tools">
          <h2 id="tools">${say('Tools')}</h2>
          <ready-tools
            .on=${studio.preset.ready}
            .suggested=${studio.suggested}
            @ready=${(/** @type {CustomEvent} */ {detail}) => studio.apply({...studio.preset, ready: detail})}
          ></ready-tools>
          <tool-editor
            .tools=${studio.preset.tools}
            .taken=${studio.readyMade.definitions(studio.preset.ready)}
            @tools=${(/** @type {CustomEvent} */ {detail}) => studio.apply({...studio.preset, tools: detail})}
          ></tool-editor>
        </section>
        <section aria-labelledby="composer">
          <h2 id="composer">${say('Any event')}</h2>
          <event-composer .session=${studio.session} .version=${this.version}></event-composer>
        </section>
      </div>
    `;
  }

  /** @param {Studio} studio */
  #showOwn(studio) {
    return html`<p class="said">${say('A link has taken the place of what you had set here.')}</p>
      <button class="small" type="button" @click=${() => studio.decide(true)}>${say('Back to mine')}</button>
      <button class="small" type="button" @click=${() => studio.decide(false)}>${say('Keep the link’s')}</button>`;
  }

  /** @param {Field} field */
  #field(field) {
    const shape = /** @type {Studio} */ (this.studio).preset.shape;
    if (field.when && (get(shape, TURN_TYPE) ?? 'server_vad') !== field.when) return nothing;
    const value = get(shape, field.path);
    const id = idOf(field);
    return html`<div class="asked">
      <label for=${id}>${say(field.label)}</label>
      ${this.#control(field, value === undefined ? '' : String(value))}
      <small id="${id}-help">${[say(field.says), boundsOf(field)].filter(Boolean).join(' ')}</small>
    </div>`;
  }

  /**
   * @param {Field} field
   * @param {string} value
   */
  #control(field, value) {
    const change = (/** @type {Event} */ event) => this.#changed(field, event);
    const id = idOf(field);
    const help = `${id}-help`;
    if (field.kind === 'words') {
      return html`<textarea
        class="field"
        id=${id}
        aria-describedby=${help}
        rows="6"
        dir="auto"
        placeholder=${this.#effective(field)}
        .value=${typed(this, id, value)}
        @change=${change}
      ></textarea>`;
    }
    if (field.kind === 'choice' || field.kind === 'switch') {
      const choices = field.kind === 'switch' ? [['true', say('yes')], ['false', say('no')]] : field.choices.map((one) => [one, one]);
      return html`<select class="field" id=${id} aria-describedby=${help} @change=${change}>
        <option value="" ?selected=${value === ''}>${this.#effective(field)}</option>
        ${choices.map(([one, label]) => html`<option value=${one} ?selected=${value === one}>${label}</option>`)}
      </select>`;
    }
    const list = field.kind === 'text' && field.choices.length ? `${id}-list` : '';
    return html`<input
        class="field"
        id=${id}
        aria-describedby=${help}
        type=${field.kind === 'number' ? 'number' : 'text'}
        min=${field.minimum ?? nothing}
        max=${field.maximum ?? nothing}
        step=${field.step ?? nothing}
        list=${list || nothing}
        placeholder=${this.#effective(field)}
        .value=${typed(this, id, value)}
        @change=${change}
      />${list ? html`<datalist id=${list}>${field.choices.map((one) => html`<option value=${one}></option>`)}</datalist>` : nothing}`;
  }

  /**
   * @param {Field} field
   * @returns {string} what the server has there
   */
  #effective({path}) {
    const value = get(this.studio?.effective ?? {}, path);
    return value === undefined || value === null || typeof value === 'object' ? say(AS_IT_IS) : String(value);
  }

  /**
   * @param {Field} field
   * @param {Event} event
   */
  #changed(field, event) {
    const control = /** @type {HTMLInputElement} */ (event.target);
    if (!control.reportValidity()) return;
    const studio = /** @type {Studio} */ (this.studio);
    studio.apply({...studio.preset, shape: set(studio.preset.shape, field.path, parse(field, control.value))});
  }

  /** @param {Event} event */
  #modelChanged(event) {
    const studio = /** @type {Studio} */ (this.studio);
    studio.apply({...studio.preset, model: /** @type {HTMLInputElement} */ (event.target).value.trim()});
  }

  async #share() {
    const studio = /** @type {Studio} */ (this.studio);
    try {
      const link = new URL(`${location.pathname}#shape?preset=${encode(studio.preset)}`, location.origin);
      await navigator.clipboard.writeText(link.href);
      this.said = say('The link is copied. It holds what stands here, and no key.');
    } catch (error) {
      this.said = say('No link: {0}', error instanceof Error ? error.message : error);
    }
  }
}

/** @param {Field} field */
function idOf({path}) {
  return path.replaceAll('.', '-');
}

/** @param {Field} field */
function boundsOf({minimum, maximum}) {
  if (minimum === undefined && maximum === undefined) return '';
  if (maximum === undefined) return say('At least {0}.', minimum);
  return say('{0} to {1}.', minimum ?? 0, maximum);
}

customElements.define('shape-panel', ShapePanel);
