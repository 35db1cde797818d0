/**
 * `<replay-bar>`: a recording is open: play it, stop it, go anywhere in it, and back to the session.
 */

import {LitElement, css, html, nothing} from '../vendor/lit.js';
import {offset} from '../inspect/times.js';
import {number, say} from '../words.js';
import {panelStyles} from './panel-styles.js';
import {sharedStyles} from './shared-styles.js';

/** @typedef {import('../studio.js').Studio} Studio */

/** Speeds that are offered. */
const SPEEDS = [0.5, 1, 2, 5, 20];

export class ReplayBar extends LitElement {
  static styles = [
    sharedStyles,
    panelStyles,
    css`
      .play {
        min-inline-size: 5.2rem;
      }
      .times {
        font-size: var(--text-small);
        font-variant-numeric: tabular-nums;
        color: var(--ink-soft);
      }
      .name {
        max-inline-size: 14rem;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        font-size: var(--text-small);
        font-weight: 600;
      }
      input[type='range'] {
        flex: 1 1 8rem;
        min-inline-size: 0;
        min-block-size: 2rem;
        accent-color: var(--ink);
      }
      @media (max-width: 30rem) {
        .name {
          display: none;
        }
        .play {
          min-inline-size: 0;
        }
        input[type='range'],
        .times {
          order: 1;
        }
        button:last-of-type,
        .said {
          order: 2;
        }
      }
    `,
  ];

  static properties = {studio: {attribute: false}, version: {type: Number}};

  constructor() {
    super();
    /** @type {Studio | null} */
    this.studio = null;
    /** Changes whenever the studio did. */
    this.version = 0;
  }

  render() {
    const replaying = this.studio?.replaying;
    if (!replaying) return nothing;
    const {name, at, length, playing, speed} = replaying.replay;
    return html`<div class="bar" role="toolbar" aria-label=${say('Recording')}>
      <span class="name" title=${name}>${name}</span>
      <button class="small play" type="button" ?disabled=${!length} @click=${() => replaying.toggle()}>${playing ? `❚❚ ${say('Pause')}` : `▶ ${say('Play')}`}</button>
      <button class="small" type="button" aria-label=${say('One event back')} @click=${() => replaying.step(-1)}>‹</button>
      <button class="small" type="button" aria-label=${say('One event on')} @click=${() => replaying.step(1)}>›</button>
      <input
        type="range"
        min="0"
        max=${length}
        step="any"
        aria-label=${say('Place in the recording')}
        aria-valuetext=${say('{0} of {1}', offset(at), offset(length))}
        .value=${String(at)}
        @input=${(/** @type {Event} */ event) => replaying.seek(Number(/** @type {HTMLInputElement} */ (event.target).value))}
      />
      <span class="times">${offset(at)} / ${offset(length)}</span>
      <select
        class="field"
        aria-label=${say('Speed')}
        @change=${(/** @type {Event} */ event) => replaying.hurry(Number(/** @type {HTMLSelectElement} */ (event.target).value))}
      >
        ${SPEEDS.map((one) => html`<option value=${one} ?selected=${one === speed}>${number(one)} ×</option>`)}
      </select>
      <button class="small" type="button" @click=${() => this.studio?.closeRecording()}>${say('Back to the session')}</button>
      ${this.#said(replaying.problem || noteOn(replaying))}
    </div>`;
  }

  /** @param {string} what */
  #said(what) {
    return what ? html`<p class="said" role="status">${what}</p>` : nothing;
  }
}

/**
 * @param {import('../replaying.js').Replaying} replaying
 * @returns {string} what cannot be heard or played; empty where all can
 */
function noteOn({audible, replay}) {
  if (!replay.length) return say('It does not say when its events happened: step through them.');
  if (!audible) return say('It has no sound in its events. If it has WAV files, open them together with it.');
  return replay.speed === 1 ? '' : say('Sound is heard at {0} ×.', 1);
}

customElements.define('replay-bar', ReplayBar);
