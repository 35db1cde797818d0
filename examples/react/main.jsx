import {createRoot} from 'react-dom/client';

import {App} from './App.jsx';

createRoot(document.querySelector('#root')).render(<App server="http://localhost:8000" tokenUrl="/voice-key" />);
