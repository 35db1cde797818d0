/**
 * `RealtimeVoice` for React 19: the element, with properties and callbacks as React has them.
 *
 *     import {RealtimeVoice} from './vivavoce/react.js';
 *     <RealtimeVoice server="https://voice.example.com" tokenUrl="/voice-key" onTranscript={({role, text}) => …} />
 *
 * React 19 knows custom elements: `<realtime-voice>` works without this. It is a name, types and callbacks more.
 */

import {createElement} from 'react';

import './realtime-voice.js';

/**
 * @typedef {import('./realtime-voice.js').RealtimeVoice} Element
 * @typedef {Partial<Pick<Element, 'server' | 'tokenUrl' | 'model' | 'voice' | 'instructions' | 'greeting' | 'mode' |
 *   'transport' | 'label' | 'getToken' | 'iceServers'>>} Settings
 * @typedef {object} Callbacks each is given the `detail` of the event
 * @property {(detail: {state: import('./session.js').Phase, previous: string}) => void} [onState]
 * @property {(detail: import('./told.js').Said) => void} [onTranscript]
 * @property {(detail: import('./problems.js').Problem) => void} [onProblem]
 * @property {(detail: import('./connection.js').RealtimeEvent) => void} [onEvent]
 * @property {(detail: import('./quality.js').Quality) => void} [onQuality]
 * @typedef {Settings & Callbacks & {ref?: import('react').Ref<Element>, className?: string, id?: string,
 *   style?: import('react').CSSProperties, children?: import('react').ReactNode}} RealtimeVoiceProps
 */

/** Each callback, and the event that it is called for. */
const EVENTS = {
  onState: 'voice-state',
  onTranscript: 'voice-transcript',
  onProblem: 'voice-problem',
  onEvent: 'voice-event',
  onQuality: 'voice-quality',
};

/**
 * @param {RealtimeVoiceProps} props
 * @returns {import('react').ReactElement}
 */
export function RealtimeVoice({onState, onTranscript, onProblem, onEvent, onQuality, ...rest}) {
  const callbacks = {onState, onTranscript, onProblem, onEvent, onQuality};
  const listeners = Object.entries(callbacks)
    .filter(([, callback]) => callback)
    .map(([name, callback]) => [
      `on${EVENTS[/** @type {keyof typeof EVENTS} */ (name)]}`,
      (/** @type {CustomEvent} */ {detail}) => callback?.(detail),
    ]);
  return createElement('realtime-voice', {...rest, ...Object.fromEntries(listeners)});
}
