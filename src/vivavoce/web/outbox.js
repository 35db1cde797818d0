/**
 * What is to be sent: at once in a session that is ready, else as soon as it is. Pure.
 */

/** @typedef {import('./connection.js').RealtimeEvent} RealtimeEvent */

export class Outbox {
  /** The session's configuration has been taken. */
  ready = false;
  /** @type {RealtimeEvent[]} */
  #waiting = [];

  /** @param {(event: RealtimeEvent) => void} send */
  constructor(send) {
    this.send = send;
  }

  /** @param {RealtimeEvent[]} events to send, in this order */
  put(...events) {
    if (this.ready) events.forEach(this.send);
    else this.#waiting.push(...events);
  }

  /**
   * The session is ready.
   * @param {readonly RealtimeEvent[]} first sent before all that waits
   */
  open(first) {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.ready = true;
    this.put(...first, ...waiting);
  }

  /** @returns {boolean} whether the user has written what nobody has got yet */
  get written() {
    return this.#waiting.some(isWritten);
  }

  /** The session is over, or has never come about: the user's words wait for the next, all else is for nobody. */
  close() {
    this.ready = false;
    this.#waiting = this.#waiting.filter(isWritten);
  }

  /** The user does not wait any more. */
  clear() {
    this.#waiting = [];
  }
}

/**
 * @param {RealtimeEvent} event
 * @returns {boolean} whether it is a message of the user
 */
function isWritten({type, item}) {
  return type === 'conversation.item.create' && item.role === 'user';
}
