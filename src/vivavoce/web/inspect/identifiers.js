/**
 * The names that tie events together. Pure.
 */

/** @typedef {import('../connection.js').RealtimeEvent} RealtimeEvent */

/**
 * @param {RealtimeEvent} event
 * @returns {[name: string, id: string][]} each identifier once, under the name of its field
 */
export function identifiers(event) {
  /** @type {[string, unknown][]} */
  const named = [
    ['response', event.response_id ?? event.response?.id],
    ['item', event.item_id ?? event.item?.id],
    ['before it', event.previous_item_id],
    ['call', event.call_id ?? event.item?.call_id],
    ['refused', event.error?.event_id],
    ['event', event.event_id],
  ];
  return /** @type {[string, string][]} */ (named.filter(([, id]) => typeof id === 'string' && id && id !== 'root'));
}
