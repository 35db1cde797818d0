// The one door to Lit: everything else here is the released files.
export {LitElement, css, html, noChange, nothing, svg} from './lit-element/lit-element.js';
export {repeat} from './lit-html/directives/repeat.js';
export {live} from './lit-html/directives/live.js';
