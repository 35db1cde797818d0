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

  /** The session is over; what waits for it is for nobody. */
  close() {
    this.ready = false;
    this.#waiting = [];
  }
}
