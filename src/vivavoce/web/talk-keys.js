/**
 * The keys of a session: the space bar is held to talk, Escape silences the answer. Whoever turns to something else
 * lets go.
 */

import {isTalkKey} from './hints.js';

/**
 * @param {import('./session.js').VoiceSession} session
 * @param {EventTarget} where the keys are heard: an element, or the window
 * @param {AbortSignal} signal ends it
 */
export function listenForKeys(session, where, signal) {
  const down = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Escape') void session.interrupt();
    if (!isTalkKey(event, session)) return;
    event.preventDefault();
    if (!event.repeat) session.press();
  };
  const up = (/** @type {KeyboardEvent} */ event) => {
    if (event.code !== 'Space') return;
    if (isTalkKey(event, session)) event.preventDefault();
    void session.release();
  };
  where.addEventListener('keydown', /** @type {EventListener} */ (down), {signal});
  where.addEventListener('keyup', /** @type {EventListener} */ (up), {signal});
  addEventListener('blur', () => session.release(), {signal});
  document.addEventListener('visibilitychange', () => session.release(), {signal});
}
