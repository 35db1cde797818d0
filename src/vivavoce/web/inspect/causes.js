/**
 * Which event answers which. Pure.
 *
 * The protocol says it only of errors, which name the event_id. For all others it follows from its order: answers to
 * one kind of request come in the order of the requests, and a response is the answer to the last thing that can ask
 * for one.
 */

/** @typedef {import('../connection.js').RealtimeEvent} RealtimeEvent */

/** What a client's event is answered with. @type {Record<string, string>} */
const ANSWERS = {
  'session.update': 'session.updated',
  'input_audio_buffer.commit': 'input_audio_buffer.committed',
  'input_audio_buffer.clear': 'input_audio_buffer.cleared',
  'output_audio_buffer.clear': 'output_audio_buffer.cleared',
  'conversation.item.create': 'conversation.item.added',
  'conversation.item.retrieve': 'conversation.item.retrieved',
  'conversation.item.truncate': 'conversation.item.truncated',
  'conversation.item.delete': 'conversation.item.deleted',
  'response.create': 'response.created',
};

/** What an item comes into being with; what follows about it follows from the last of these. */
const BEARERS = new Set(['input_audio_buffer.committed', 'response.output_item.added', 'conversation.item.added']);

const ANSWERED = new Set(Object.values(ANSWERS));

/** Requests that wait for their answers; more than these are not remembered. */
const MOST_WAITING = 200;

/** Identifiers whose latest event is remembered. */
const MOST_KNOWN = 5000;

export class Causes {
  /** Requests by the type that answers them. @type {Map<string, {number: number, event: RealtimeEvent}[]>} */
  #waiting = new Map();
  /** The number of the event that has this event_id, began this response, or made this item. @type {Map<string, number>} */
  #known = new Map();
  /** What made the server begin a response by itself. @type {number | null} */
  #turn = null;
  /** The last `response.cancel`, until a response is done. @type {number | null} */
  #cancel = null;

  /**
   * @param {number} number of this event
   * @param {'C' | 'S'} dir
   * @param {RealtimeEvent} event
   * @returns {number | null} the number of the event that it answers
   */
  of(number, dir, event) {
    if (dir === 'S') return this.#received(number, event);
    this.#sent(number, event);
    return this.#known.get(`item ${event.item_id ?? event.item?.call_id}`) ?? null;
  }

  /**
   * @param {number} number
   * @param {RealtimeEvent} event
   */
  #sent(number, event) {
    if (event.event_id) this.#remember(`event ${event.event_id}`, number);
    if (event.type === 'response.cancel') this.#cancel = number;
    const answer = ANSWERS[event.type];
    if (!answer) return;
    const waiting = this.#waiting.get(answer) ?? [];
    waiting.push({number, event});
    if (waiting.length > MOST_WAITING) waiting.shift();
    this.#waiting.set(answer, waiting);
  }

  /**
   * @param {number} number
   * @param {RealtimeEvent} event
   * @returns {number | null}
   */
  #received(number, event) {
    const cause = this.#causeOf(event);
    if (event.type === 'input_audio_buffer.committed') this.#turn = number;
    if (event.type === 'response.created') this.#remember(`response ${event.response?.id}`, number);
    if (BEARERS.has(event.type)) this.#remember(`item ${event.item_id ?? event.item?.id}`, number);
    if (event.type === 'response.output_item.done' && event.item?.call_id) {
      this.#remember(`item ${event.item.call_id}`, number); // what the result of a function call answers
    }
    return cause;
  }

  /**
   * @param {RealtimeEvent} event
   * @returns {number | null}
   */
  #causeOf(event) {
    if (event.type === 'error') return this.#refused(event.error?.event_id);
    if (event.type === 'response.done' && event.response?.status === 'cancelled' && this.#cancel !== null) {
      const cancel = this.#cancel;
      this.#cancel = null;
      return cancel;
    }
    const asked = ANSWERED.has(event.type) ? this.#answered(event) : null;
    if (asked !== null) return asked;
    if (event.type === 'response.created') return this.#turn;
    const response = event.response_id ?? event.response?.id;
    if (response) return this.#known.get(`response ${response}`) ?? null;
    return this.#known.get(`item ${event.item_id ?? event.item?.id}`) ?? null;
  }

  /**
   * @param {RealtimeEvent} event
   * @returns {number | null} the oldest request that it can be the answer to
   */
  #answered(event) {
    const waiting = this.#waiting.get(event.type) ?? [];
    const found = waiting.findIndex(({event: request}) => fits(request, event));
    return found < 0 ? null : waiting.splice(found, 1)[0].number;
  }

  /**
   * @param {string | null | undefined} id
   * @returns {number | null} the event of that name, which will have no other answer
   */
  #refused(id) {
    const number = id ? this.#known.get(`event ${id}`) : undefined;
    if (number === undefined) return null;
    for (const [answer, waiting] of this.#waiting) {
      this.#waiting.set(answer, waiting.filter((request) => request.number !== number));
    }
    return number;
  }

  /**
   * @param {string} name
   * @param {number} number
   */
  #remember(name, number) {
    this.#known.set(name, number);
    if (this.#known.size > MOST_KNOWN) this.#known.delete(/** @type {string} */ (this.#known.keys().next().value));
  }
}

/**
 * @param {RealtimeEvent} request
 * @param {RealtimeEvent} answer
 * @returns {boolean} whether nothing in them says otherwise
 */
function fits(request, answer) {
  if (request.type !== 'conversation.item.create') return !request.item_id || request.item_id === answer.item_id;
  if (request.item?.id) return request.item.id === answer.item?.id;
  return request.item?.type === answer.item?.type && request.item?.role === answer.item?.role;
}
