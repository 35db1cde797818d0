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
  input,
  select,
  textarea {
    font: inherit;
    color: inherit;
  }
  :placeholder-shown {
    direction: inherit; /* the placeholder's; dir="auto" is for what is typed */
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
  .small,
  .field {
    display: inline-flex;
    align-items: center;
    min-block-size: 2rem;
    padding: 0 0.7rem;
    border: 1px solid var(--line);
    border-radius: 0.5rem;
    background: var(--surface);
    font-size: var(--text-small);
    text-align: start;
    overflow-wrap: anywhere;
  }
  .small {
    cursor: pointer;
  }
  .small:hover:not(:disabled) {
    background: var(--raised);
  }
  .small[aria-pressed='true'] {
    border-color: var(--ink);
    box-shadow: inset 0 0 0 1px var(--ink);
  }
  .small:disabled {
    color: var(--ink-faint);
    cursor: default;
  }
  .field {
    border-color: var(--edge);
  }
  @media (pointer: coarse) {
    .small,
    .field {
      min-block-size: 2.75rem;
    }
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
