/**
 * What the panels of the console share: small controls in a bar.
 */

import {css} from '../vendor/lit.js';

export const panelStyles = css`
  .bar {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.4rem;
    padding: 0.6rem 0.75rem;
    border-block-end: 1px solid var(--line);
    background: var(--surface);
  }
  .grow {
    flex: 1 1 9rem;
    min-inline-size: 0;
  }
  .said {
    flex: 1 1 100%;
    margin: 0;
    font-size: var(--text-small);
    color: var(--ink-soft);
  }
  .file {
    position: relative;
    overflow: hidden;
  }
  .file input {
    position: absolute;
    inset: 0;
    opacity: 0;
    cursor: pointer;
  }
  .file:focus-within {
    outline: 2px solid var(--focus);
    outline-offset: 2px;
  }
  .asked {
    display: grid;
    gap: 0.25rem;
    font-size: var(--text-small);
  }
  .asked label {
    font-weight: 600;
  }
  .asked small {
    font-size: inherit;
    color: var(--ink-soft);
  }
  .asked > .small,
  form > .small {
    justify-self: start;
  }
  .asked .field {
    inline-size: 100%;
    min-block-size: 2.5rem;
    background: var(--page);
  }
  textarea.field {
    padding-block: 0.5rem;
    resize: vertical;
    line-height: 1.5;
  }
  .field::placeholder {
    color: var(--ink-faint);
    opacity: 1;
  }
  .code {
    direction: ltr;
    font-family: var(--font-code);
  }
  .wrong {
    margin: 0;
    font-size: var(--text-small);
    font-weight: 600;
  }
  h2 {
    margin: 0 0 0.25rem;
    font: 500 1.125rem var(--font-title);
  }
`;
