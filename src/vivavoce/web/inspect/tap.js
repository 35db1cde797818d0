/**
 * Listen to a connection: both directions go through, and each event is told on its way.
 */

/**
 * @typedef {import('../connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {import('../session.js').Parts} Parts
 * @typedef {import('./event-log.js').Direction} Direction
 */

/** Audio needs no name: there is much of it, and it is not answered. */
const UNNAMED = 'input_audio_buffer.append';

/**
 * @param {Parts} parts of a session
 * @param {(dir: Direction, event: RealtimeEvent) => void} tell
 * @returns {Parts} the same, overheard; client events get an event_id, so that errors can name them
 */
export function tapped(parts, tell) {
  let count = 0;
  return {
    ...parts,
    connection: (handlers) => {
      const line = parts.connection({
        ...handlers,
        onevent: (event) => {
          tell('S', event);
          handlers.onevent(event);
        },
      });
      const send = line.send.bind(line);
      line.send = (event, options) => {
        const named = event.type === UNNAMED ? event : {event_id: `console_${++count}`, ...event};
        const sent = send(named, options);
        if (sent) tell('C', named);
        return sent;
      };
      return line;
    },
  };
}
