/**
 * What those who show a talk in little room share: `<realtime-voice>`, and the card for Home Assistant.
 */

import {css} from '../vendor/lit.js';

export const talkStyles = css`
  .fill {
    flex: 1;
  }
  .welcome {
    margin: 0;
    color: var(--ink-soft);
    text-align: center;
    text-wrap: balance;
  }
  .hint {
    margin: 0;
    min-block-size: 1.5em;
    text-align: center;
    font-size: var(--text-small);
    color: var(--ink-soft);
  }
  fieldset {
    display: flex;
    flex-wrap: wrap;
    justify-content: center;
    gap: 0 1.25rem;
    margin: 0;
    padding: 0;
    border: 0;
    font-size: var(--text-small);
  }
  label {
    display: inline-flex;
    align-items: center;
    gap: 0.4rem;
    min-block-size: 2.75rem;
    cursor: pointer;
  }
  input[type='radio'] {
    margin: 0;
  }
`;
