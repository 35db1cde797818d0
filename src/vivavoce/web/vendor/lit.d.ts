// Types for the type checker; the browser never loads this.
export {LitElement, css, html, noChange, nothing, svg} from 'lit';
export {repeat} from 'lit/directives/repeat.js';
export {live} from 'lit/directives/live.js';
