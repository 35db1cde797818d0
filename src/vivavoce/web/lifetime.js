/**
 * The life of a session: the line to the server is opened, may be lost and opened again, and ends; and what is
 * wrong with it. What is said over the line is the session's own affair, which extends this.
 */

/**
 * @typedef {import('./connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {import('./connection.js').ConnectionHandlers} ConnectionHandlers
 * @typedef {import('./connection.js').ConnectionState} ConnectionState
 * @typedef {import('./player.js').PlayerHandlers} PlayerHandlers
 * @typedef {import('./recorder.js').RecorderHandlers} RecorderHandlers
 * @typedef {import('./answering.js').Loudspeaker} Loudspeaker
 * @typedef {import('./talking.js').Microphone} Microphone
 * @typedef {import('./problems.js').Problem} Problem
 * @typedef {{open: (attempts?: number) => Promise<void>, close: () => void, hear?: (on: boolean, silent: boolean) => void,
 *   send: (event: RealtimeEvent, options?: {droppable?: boolean}) => boolean}} Endpoint
 * @typedef {object} Parts what a session is made of; `browser.js` has the real ones
 * @property {(handlers: ConnectionHandlers) => Endpoint} connection
 * @property {(handlers: PlayerHandlers) => Promise<Loudspeaker>} player
 * @property {(handlers: RecorderHandlers) => Promise<Microphone>} recorder
 * @property {boolean} [media] speech goes as media, and needs no events
 */

/** How often a reconnect tries: for about half a minute. */
export const RECONNECT_ATTEMPTS = 6;

export class Lifetime extends EventTarget {
  /** @type {ConnectionState} */
  state = 'closed';
  /** The n-th try of a reconnect; 0 otherwise. */
  attempt = 0;
  /** What the server loads before it can answer; empty otherwise. */
  loading = '';
  /** A lost connection is made again without asking, and told what was said. */
  lasting = false;
  /** @type {Problem | null} */
  problem = null;

  /** @type {Endpoint | null} */
  #line = null;
  /** How often it has ended. */
  #ends = 0;

  /** @param {Parts} parts */
  constructor(parts) {
    super();
    this.parts = parts;
  }

  /**
   * Send any event.
   * @param {RealtimeEvent} event
   * @param {{droppable?: boolean}} [options] audio may be left out when too much waits already
   * @returns {boolean} whether there was a session to send it to
   */
  send(event, options) {
    return this.#line?.send(event, options) ?? false;
  }

  /** Hang up: everything is released, the words stay. */
  stop() {
    this.#line?.close();
    this.#end();
    this.update({state: 'closed', problem: null});
  }

  /** The user has read the problem. */
  dismiss() {
    this.update({problem: null});
  }

  /**
   * What takes its time to open may come when nobody waits for it any more.
   * @returns {() => boolean} whether the session of now is still under way
   * @protected
   */
  watch() {
    const ends = this.#ends;
    return () => ends === this.#ends && this.state !== 'closed';
  }

  /**
   * Open a line. What another one says from now on is for nobody.
   * @param {number} attempts
   * @protected
   */
  async connect(attempts) {
    const heard = (/** @type {() => void} */ act) => line === this.#line && act();
    const line = this.parts.connection({
      onevent: (event) => heard(() => this.receive(event)),
      onstate: (state, problem) => heard(() => this.#lineChanged(state, problem)),
      onattempt: (attempt) => heard(() => this.update({attempt: attempts > 1 ? attempt : 0})),
      onloading: (loading) => heard(() => this.update({loading})),
    });
    this.#line = line;
    await line.open(attempts);
  }

  /**
   * The server says something.
   * @param {RealtimeEvent} _event
   * @protected
   */
  receive(_event) {}

  /**
   * What belonged to one line is over with it.
   * @protected
   */
  settle() {}

  /**
   * Nobody listens any more.
   * @protected
   */
  hush() {}

  /**
   * @param {boolean} on whether the microphone is sent, where it goes as media
   * @param {boolean} silent whether it is sent as silence
   * @protected
   */
  hear(on, silent) {
    this.#line?.hear?.(on, silent);
  }

  /**
   * @param {Partial<Pick<Lifetime, 'state' | 'problem' | 'attempt' | 'loading'>>} values
   * @protected
   */
  update(values) {
    Object.assign(this, values);
    this.changed();
  }

  /**
   * Something that can be seen has changed.
   * @protected
   */
  changed() {
    this.dispatchEvent(new Event('change'));
  }

  /**
   * @param {ConnectionState} state
   * @param {Problem | null} problem
   */
  #lineChanged(state, problem) {
    if (state === 'closed' && problem && this.lasting && this.state === 'open') {
      void this.#again();
      return;
    }
    if (state === 'closed') this.#end();
    const expired = this.problem?.code === 'session-expired';
    const shown = state === 'closed' && !expired ? problem : this.problem;
    this.update({state, problem: shown, attempt: 0, loading: ''});
  }

  /** The line was lost: the microphone is kept, and another line is tried. */
  async #again() {
    this.#leave();
    const current = this.watch();
    this.update({state: 'connecting', problem: null});
    if (current()) await this.connect(RECONNECT_ATTEMPTS);
  }

  #end() {
    this.#ends++;
    this.hush();
    this.#leave();
  }

  #leave() {
    this.#line = null;
    this.settle();
  }
}
