/**
 * How the card looks: Home Assistant's theme, light or dark, gives the colours.
 */

import {css} from '../vendor/lit.js';

export const cardStyles = css`
  :host {
    --voice: var(--primary-color, #009ac7);
    --voice-faint: var(--secondary-background-color, #e5e5e5);
    --on-voice: var(--text-primary-color, #ffffff);
    --ink: var(--primary-text-color, #212121);
    --ink-soft: var(--secondary-text-color, #727272);
    --ink-faint: var(--secondary-text-color, #727272);
    --line: var(--divider-color, #e0e0e0);
    --line-strong: var(--secondary-text-color, #727272);
    --edge: var(--secondary-text-color, #727272);
    --surface: var(--ha-card-background, var(--card-background-color, #ffffff));
    --raised: var(--secondary-background-color, #e5e5e5);
    --focus: var(--primary-text-color, #212121);
    --text-small: 0.875rem;
    --text-large: 1rem;
    block-size: 100%;
  }
  ha-card {
    display: flex;
    flex-direction: column;
    gap: 0.5rem;
    block-size: 100%;
    padding: 0.75rem 1rem 1rem;
    overflow: hidden;
    line-height: 1.45;
  }
  header {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.25rem 0.75rem;
    min-block-size: 2.75rem;
  }
  h2 {
    min-inline-size: 0;
    margin: 0;
    overflow-wrap: anywhere;
    font: inherit;
    font-size: var(--ha-card-header-font-size, 1.5rem);
    line-height: 1.3;
  }
  .state {
    display: inline-flex;
    align-items: center;
    gap: 0.4rem;
    margin: 0;
    font-size: var(--text-small);
    color: var(--ink-soft);
  }
  .talk {
    display: grid;
    align-content: center;
    min-block-size: 3rem;
    max-block-size: var(--openai-realtime-card-transcript-height, 16rem);
    flex: 1 1 auto;
  }
  voice-transcript {
    min-block-size: 0;
    max-block-size: inherit;
  }
  voice-waves {
    block-size: 3.5rem;
  }
  .controls {
    display: grid;
    grid-template-columns: 1fr auto 1fr;
    align-items: center;
    justify-items: start;
    gap: 0.75rem;
    padding-block: 0.75rem;
  }
  voice-button {
    inline-size: 4.5rem;
    block-size: 4.5rem;
  }
  voice-button::part(button) {
    font-size: 1.8rem;
  }
  input[type='radio'] {
    accent-color: var(--voice);
  }
`;
