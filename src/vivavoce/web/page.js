/** What `index.html` loads. */

import './elements/voice-page.js';
