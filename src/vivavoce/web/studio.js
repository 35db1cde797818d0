/**
 * All that the console knows: a voice session, every event of it, and what is read out of them.
 *
 * It draws nothing. It dispatches `change` when the session has changed, and `event` with each entry of the log.
 */

import {browserParts} from './browser.js';
import {endpointUrl} from './connection.js';
import {EventLog} from './inspect/event-log.js';
import {tapped} from './inspect/tap.js';
import {Turns} from './measure/turns.js';
import {VoiceSession} from './session.js';

/**
 * @typedef {import('./connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {import('./inspect/event-log.js').Direction} Direction
 */

/** The model that is asked for; `?model=` in the page's address names another. */
const MODEL = 'gpt-realtime';

export class Studio extends EventTarget {
  log = new EventLog();
  turns = new Turns();
  /** The `rate_limits` that the server told of last. @type {any[]} */
  limits = [];
  #playing = false;

  /** @param {Pick<Location, 'protocol' | 'host' | 'search'>} location of the page */
  constructor(location) {
    super();
    const model = new URLSearchParams(location.search).get('model') ?? MODEL;
    const parts = browserParts(endpointUrl(location, model));
    this.session = new VoiceSession(tapped(parts, (dir, event) => this.#note(dir, event)));
    this.session.addEventListener('change', () => this.#changed());
  }

  #changed() {
    const {playing} = this.session;
    if (playing && !this.#playing && this.log.began !== null) this.turns.played(Date.now() - this.log.began);
    this.#playing = playing;
    this.dispatchEvent(new Event('change'));
  }

  /** Forget all events. */
  clear() {
    this.log = new EventLog();
    this.turns = new Turns();
    this.dispatchEvent(new CustomEvent('event', {detail: null}));
  }

  /**
   * @param {Direction} dir
   * @param {RealtimeEvent} event
   */
  #note(dir, event) {
    const entry = this.log.add(dir, event, Date.now());
    this.turns.feed(entry);
    if (event.type === 'rate_limits.updated') this.limits = event.rate_limits ?? [];
    this.dispatchEvent(new CustomEvent('event', {detail: entry}));
  }
}
