/**
 * How `<realtime-voice>` looks. An application changes it by the custom properties `--realtime-voice-…`, and by parts.
 */

import {css} from './vendor/lit.js';

export const realtimeVoiceStyles = css`
  :host {
    --voice: var(--realtime-voice-accent, light-dark(#0b7a5b, #4fd6a8));
    --voice-faint: var(--realtime-voice-accent-faint, color-mix(in srgb, var(--voice) 14%, var(--surface)));
    --on-voice: var(--realtime-voice-on-accent, light-dark(#ffffff, #06231a));
    --ink: var(--realtime-voice-ink, light-dark(#1d1c19, #edeae3));
    --ink-soft: var(--realtime-voice-ink-soft, light-dark(#5f5c55, #a8a49a));
    --ink-faint: var(--realtime-voice-ink-soft, light-dark(#76726a, #8f8b82));
    --line: var(--realtime-voice-line, light-dark(#e2ded5, #2d2c28));
    --line-strong: var(--realtime-voice-line, light-dark(#c4beb2, #4a4842));
    --edge: var(--realtime-voice-line, light-dark(#8e887c, #706d65));
    --page: var(--realtime-voice-ground, light-dark(#faf8f4, #151513));
    --surface: var(--realtime-voice-surface, light-dark(#fffefb, #1d1c1a));
    --raised: var(--realtime-voice-surface, light-dark(#f3f0e9, #222120));
    --focus: var(--realtime-voice-ink, light-dark(#1d1c19, #edeae3));
    --text-small: 0.875rem;
    --text-large: 1rem;
    box-sizing: border-box;
    display: grid;
    grid-template: minmax(0, 1fr) / minmax(0, 1fr);
    inline-size: 100%;
    max-inline-size: 26rem;
    block-size: var(--realtime-voice-height, 34rem);
    max-block-size: 100dvh;
    border: 1px solid var(--line);
    border-radius: var(--realtime-voice-radius, 1rem);
    overflow: hidden;
    background: var(--page);
    color: var(--ink);
    font: 400 1rem / 1.5 var(--realtime-voice-font, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif);
    text-align: start;
  }
  section {
    display: grid;
    grid-template: auto minmax(4rem, 1fr) auto auto auto / minmax(0, 1fr);
    gap: 0.5rem;
    min-block-size: 0;
    overflow-y: auto;
    padding: 0.75rem 1rem 1rem;
  }
  header {
    display: flex;
    align-items: center;
    gap: 0.5rem;
    min-block-size: 2.75rem;
  }
  .state {
    display: inline-flex;
    align-items: center;
    gap: 0.5rem;
    margin: 0;
    font-weight: 600;
  }
  .quality {
    min-inline-size: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    font-size: var(--text-small);
    color: var(--ink-soft);
  }
  .talk {
    display: grid;
    min-block-size: 0;
    align-content: center;
  }
  voice-transcript {
    min-block-size: 0;
    max-block-size: 100%;
  }
  .controls {
    display: grid;
    grid-template-columns: 1fr auto 1fr;
    align-items: center;
    justify-items: start;
    gap: 1rem;
    padding-block: 0.75rem 1.25rem;
  }
  .controls > :first-child {
    justify-self: end;
  }
  voice-button {
    inline-size: 5rem;
    block-size: 5rem;
  }
  voice-button::part(button) {
    font-size: 2rem;
  }
  input[type='radio'] {
    accent-color: var(--ink);
  }
  @media (prefers-contrast: more) {
    :host {
      --ink-soft: var(--ink);
      --ink-faint: var(--ink);
      --line-strong: var(--ink);
      --edge: var(--ink);
    }
  }
`;
