/**
 * What the states of a session are called, and what a user can do in each. Pure.
 */

import {say} from './words.js';

/**
 * @typedef {import('./session.js').Phase} Phase
 * @typedef {Pick<import('./session.js').VoiceSession, 'mode' | 'held' | 'muted' | 'hearing' | 'hasMicrophone' |
 *   'loading' | 'attempt' | 'ready'>} Situation
 */

/** @type {Record<Phase, string>} */
const WORDS = {
  off: 'Not connected',
  connecting: 'Connecting',
  idle: 'Ready',
  listening: 'Listening',
  thinking: 'Thinking',
  speaking: 'Speaking',
  error: 'Not connected',
};

/** Where the space bar has work of its own. */
const OWN_SPACE = 'input, textarea, select, button, a[href], summary, [contenteditable], [role="button"]';

/**
 * @param {Phase} phase
 * @returns {string} what it is called
 */
export function nameOf(phase) {
  return say(WORDS[phase]);
}

/**
 * @param {Phase} phase
 * @param {Situation} session
 * @returns {string} what the user can do now
 */
export function hintFor(phase, session) {
  const handsFree = session.mode === 'hands-free';
  if (phase === 'connecting' && session.loading) return say('The server loads: {0}', session.loading);
  if (phase === 'connecting') return session.attempt ? say('Connecting again, try {0} …', session.attempt) : '';
  if (phase === 'off' || phase === 'error') return say('Press the button to start');
  if (session.held) return say('Release to send');
  if (!session.hasMicrophone) return say('Write, or use the microphone');
  if (phase === 'thinking') return '';
  if (phase === 'speaking') return handsFree ? say('Speak to interrupt') : say('Hold the button to interrupt');
  if (!handsFree) return say('Hold the button or the space bar');
  if (session.muted) return say('The microphone is muted');
  return session.hearing ? say('Go on …') : say('Just speak');
}

/**
 * @param {KeyboardEvent} event
 * @param {Situation} session
 * @returns {boolean} whether it is the space bar, free to talk with
 */
export function isTalkKey(event, session) {
  if (event.code !== 'Space' || event.ctrlKey || event.altKey || event.metaKey) return false;
  if (!session.ready || session.mode !== 'hold' || !session.hasMicrophone) return false;
  const path = event.composedPath();
  if (path.some((node) => node instanceof HTMLElement && node.localName === 'voice-button')) return true;
  const target = path[0];
  return !(target instanceof Element && target.closest(OWN_SPACE));
}
