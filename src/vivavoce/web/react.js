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
 * @returns {import('react').ReactElement | null} null until the element is loaded; `onProblem` is told when it is not
 */
export function RealtimeVoice({server, onState, onTranscript, onProblem, onEvent, onQuality, ...rest}) {
  const [loaded, setLoaded] = useState(false);
  useEffect(() => {
    let wanted = true;
    load(server).then(
      () => wanted && setLoaded(true),
      (error) => wanted && onProblem?.(unloaded(error)),
    );
    return () => {
      wanted = false;
    };
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
 * @param {string} server as people write it, perhaps below a path, perhaps with `/v1` or a `?token=`
 * @returns {Promise<unknown>} once the element is there
 */
async function load(server) {
  const {origin, pathname} = new URL(server, document.baseURI);
  const root = pathname.replace(/\/(v1(\/realtime)?)?\/?$/, '');
  const script = `${origin.replace(/^ws/, 'http')}${root}/web/realtime-voice.js`;
  if (!customElements.get(NAME)) await import(/* @vite-ignore */ script);
  return customElements.whenDefined(NAME);
}

/** @param {unknown} error */
function unloaded(error) {
  return {
    code: 'server-unreachable',
    title: 'The server does not answer',
    advice: 'See that it is running and that this device reaches it, then open the page again.',
    detail: String(error),
  };
}

/**
 * @template T
 * @param {((detail: T) => void) | undefined} callback
 * @returns {((event: CustomEvent<T>) => void) | undefined}
 */
function told(callback) {
  return callback && (({detail}) => callback(detail));
}
