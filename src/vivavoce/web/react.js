/**
 * `RealtimeVoice` for React 19: the element, with properties and callbacks as React has them. Copy this file into an
 * application, or import it from the server.
 *
 *     <RealtimeVoice server="https://voice.example.com" tokenUrl="/voice-key" onTranscript={({role, text}) => …} />
 *
 * React 19 knows custom elements: `<realtime-voice>` works without this, once its script is loaded. This loads it,
 * waits for it, and gives its properties and events names and types.
 */

import {createElement, useEffect, useState} from 'react';

/**
 * @typedef {object} RealtimeVoiceProps
 * @property {string} server the address of the gateway, which serves the element too
 * @property {string} [tokenUrl] what answers a POST with an ephemeral key
 * @property {() => Promise<string>} [getToken] in place of `tokenUrl`
 * @property {string} [model]
 * @property {string} [voice]
 * @property {string} [instructions]
 * @property {string} [greeting]
 * @property {'hands-free' | 'push-to-talk'} [mode]
 * @property {'websocket' | 'webrtc'} [transport]
 * @property {RTCIceServer[]} [iceServers]
 * @property {string} [label] what a screen reader calls it
 * @property {(detail: {state: string, previous: string}) => void} [onState]
 * @property {(detail: {id: string, role: 'user' | 'assistant', text: string}) => void} [onTranscript]
 * @property {(detail: {code: string, title: string, advice: string, detail: string}) => void} [onProblem]
 * @property {(event: {type: string, [field: string]: any}) => void} [onEvent] each event of the server
 * @property {(detail: {grade: 'good' | 'fair' | 'poor', roundTripMs: number | null, loss: number, jitterMs: number}) =>
 *   void} [onQuality]
 * @property {import('react').Ref<HTMLElement>} [ref] the element, with its methods
 * @property {string} [id]
 * @property {string} [className]
 * @property {import('react').CSSProperties} [style]
 * @property {import('react').ReactNode} [children] what stands there before anything is said, with `slot="welcome"`
 */

const NAME = 'realtime-voice';

/**
 * @param {RealtimeVoiceProps} props
 * @returns {import('react').ReactElement | null} null until the element is loaded
 */
export function RealtimeVoice({server, onState, onTranscript, onProblem, onEvent, onQuality, ...rest}) {
  const [loaded, setLoaded] = useState(false);
  useEffect(() => {
    const wanted = new AbortController();
    if (!customElements.get(NAME)) void import(/* @vite-ignore */ new URL('/web/realtime-voice.js', server).href);
    void customElements.whenDefined(NAME).then(() => wanted.signal.aborted || setLoaded(true));
    return () => wanted.abort();
  }, [server]);
  if (!loaded) return null; // before, React would take properties for attributes
  return createElement(NAME, {
    ...rest,
    server,
    'onvoice-state': told(onState),
    'onvoice-transcript': told(onTranscript),
    'onvoice-problem': told(onProblem),
    'onvoice-event': told(onEvent),
    'onvoice-quality': told(onQuality),
  });
}

/**
 * @template T
 * @param {((detail: T) => void) | undefined} callback
 * @returns {((event: CustomEvent<T>) => void) | undefined}
 */
function told(callback) {
  return callback && (({detail}) => callback(detail));
}
