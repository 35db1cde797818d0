/**
 * One drawing for each state, so that none is told by colour alone. They are decoration: words stand beside them.
 */

import {html, svg} from '../vendor/lit.js';

/** @typedef {import('../session.js').Phase} Phase */

const MICROPHONE = svg`<rect x="9" y="3" width="6" height="11" rx="3"/><path d="M5 11a7 7 0 0 0 14 0M12 18v3"/>`;

/** @type {Record<Phase | 'muted' | 'send', unknown>} */
const SHAPES = {
  off: MICROPHONE,
  connecting: svg`<path d="M4 12h3M10.5 12h3M17 12h3"/>`,
  idle: MICROPHONE,
  listening: svg`<path d="M4 10v4M8 7v10M12 4v16M16 7v10M20 10v4"/>`,
  thinking: svg`<circle cx="5" cy="12" r="1.4"/><circle cx="12" cy="12" r="1.4"/><circle cx="19" cy="12" r="1.4"/>`,
  speaking: svg`<path d="M4 9v6h4l5 4V5L8 9H4zM16.5 9a4 4 0 0 1 0 6M19 6.5a8 8 0 0 1 0 11"/>`,
  error: svg`<path d="M12 4 2.5 20h19L12 4zM12 10v5M12 17.4v.2"/>`,
  muted: svg`${MICROPHONE}<path d="M4 3l16 18"/>`,
  send: svg`<path d="M12 20V5M5.5 11.5 12 5l6.5 6.5"/>`,
};

/**
 * @param {keyof typeof SHAPES} name
 * @returns {unknown} a template, sized by the font and coloured by the text around it
 */
export function glyph(name) {
  return html`<svg part="glyph" class="glyph" viewBox="0 0 24 24" width="1em" height="1em" fill="none"
    stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"
    aria-hidden="true">${SHAPES[name]}</svg>`;
}
