import {useRef, useState} from 'react';

import {RealtimeVoice} from './react.js';

/** A list of what was said, beside the element that hears it. */
export function App({server, tokenUrl}) {
  const voice = useRef(null);
  const [state, setState] = useState('off');
  const [said, setSaid] = useState([]);
  return (
    <main>
      <h1>Order by voice</h1>
      <RealtimeVoice
        ref={voice}
        server={server}
        tokenUrl={tokenUrl}
        instructions="You take orders for tea. Repeat the order in one sentence."
        onState={({state}) => setState(state)}
        onTranscript={(one) => setSaid((before) => [...before, one])}
      />
      <p>
        The voice is <strong>{state}</strong>.{' '}
        <button type="button" onClick={() => voice.current.write('One green tea, please.')}>
          Order as always
        </button>
      </p>
      <ul>
        {said.map(({id, role, text}) => (
          <li key={id}>
            {role}: {text}
          </li>
        ))}
      </ul>
    </main>
  );
}
