/**
 * Which response is under way, so that there is never more than one, and none of a cancelled one is heard. Pure.
 */

/** @typedef {import('./connection.js').RealtimeEvent} RealtimeEvent */

export class Responses {
  /** The id of the response that the server works on. @type {string | null} */
  active = null;
  /** The event_id of the `response.create` that has not been answered yet. @type {string | null} */
  asked = null;
  /** A response is wanted as soon as none is active. */
  wanted = false;
  /** The one that was asked for is to be cancelled when it begins. */
  #unwanted = false;
  /** The cancelled response, of which stragglers may still come. @type {string | null} */
  #silenced = null;
  #count = 0;

  /** True from asking until done. */
  get busy() {
    return this.active !== null || this.asked !== null;
  }

  /**
   * Ask for a response: now, or when the present one is done.
   * @returns {RealtimeEvent[]} events to send
   */
  create() {
    this.wanted = this.busy;
    if (this.busy) return [];
    this.asked = `create_${++this.#count}`;
    return [{type: 'response.create', event_id: this.asked}];
  }

  /**
   * Stop what is under way.
   * @returns {RealtimeEvent[]} events to send
   */
  cancel() {
    this.wanted = false;
    this.#unwanted = this.active === null && this.asked !== null;
    return this.silence() ? [{type: 'response.cancel'}] : [];
  }

  /**
   * Let nothing more of the active response be heard.
   * @returns {boolean} whether there was one that was still heard
   */
  silence() {
    if (this.active === null || this.active === this.#silenced) return false;
    this.#silenced = this.active;
    return true;
  }

  /**
   * @param {RealtimeEvent} event that carries a response_id
   * @returns {boolean} whether it belongs to a response that may be heard
   */
  mayBeHeard({response_id}) {
    return response_id !== this.#silenced;
  }

  /**
   * @param {RealtimeEvent} event from the server
   * @returns {RealtimeEvent[]} events to send
   */
  apply(event) {
    if (event.type === 'response.created') {
      this.active = event.response?.id ?? null;
      this.asked = null;
      if (!this.#unwanted) return [];
      this.#unwanted = false;
      this.silence();
      return [{type: 'response.cancel'}];
    }
    if (event.type === 'response.done' && event.response?.id === this.active) {
      this.active = null;
      return this.wanted ? this.create() : [];
    }
    if (event.type === 'error' && this.asked !== null && event.error?.event_id === this.asked) {
      this.asked = null;
      this.#unwanted = false;
    }
    return [];
  }
}

/**
 * @param {RealtimeEvent} event `response.done`
 * @returns {any[]} the items of the response, as far as the server tells them
 */
export function outputOf({response}) {
  return Array.isArray(response?.output) ? response.output.filter(Boolean) : [];
}
