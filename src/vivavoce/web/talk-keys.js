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
  let held = false; // by the space bar, not by a finger
  const leave = () => {
    held = false;
    void session.release();
  };
  const letGo = () => held && leave();
  const down = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Escape') void session.interrupt();
    if (!isTalkKey(event, session)) return;
    event.preventDefault();
    if (event.repeat) return;
    held = true;
    session.press();
  };
  const up = (/** @type {KeyboardEvent} */ event) => {
    if (event.code !== 'Space' || !held) return;
    event.preventDefault();
    letGo();
  };
  const out = (/** @type {FocusEvent} */ {relatedTarget: next}) => {
    if (where instanceof Node && next instanceof Node && !where.contains(next)) letGo();
  };
  where.addEventListener('keydown', /** @type {EventListener} */ (down), {signal});
  where.addEventListener('focusout', /** @type {EventListener} */ (out), {signal});
  addEventListener('keyup', up, {signal}); // wherever the focus is by then
  addEventListener('blur', leave, {signal});
  document.addEventListener('visibilitychange', leave, {signal});
  signal.addEventListener('abort', letGo);
}
