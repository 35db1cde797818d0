/**
 * What every element shares. The tokens (`--voice`, `--ink`, …) come from the page or from the host application.
 */

import {css} from '../vendor/lit.js';

export const sharedStyles = css`
  :host {
    display: block;
    color: var(--ink);
  }
  :host([hidden]) {
    display: none;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  button,
  input {
    font: inherit;
    color: inherit;
  }
  .plain {
    min-block-size: 2.75rem;
    padding: 0 1rem;
    border: 1px solid var(--line-strong);
    border-radius: 999px;
    background: var(--surface);
    cursor: pointer;
  }
  .plain:hover {
    background: var(--raised);
  }
  :focus-visible {
    outline: 2px solid var(--focus);
    outline-offset: 3px;
  }
  .hidden {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`;
