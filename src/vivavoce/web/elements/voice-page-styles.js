/**
 * How the page is laid out: one column under the thumb, two from 64 rem on, and a panel beside the talk.
 */

import {css} from '../vendor/lit.js';

export const voicePageStyles = css`
  :host {
    box-sizing: border-box;
    display: grid;
    grid-template: auto minmax(7rem, 1fr) auto auto / minmax(0, 1fr);
    grid-template-areas: 'header' 'talk' 'stage' 'nav';
    block-size: 100dvh;
    overflow-y: auto;
    max-inline-size: 44rem;
    margin-inline: auto;
    padding: 0 max(1rem, env(safe-area-inset-left)) max(0.25rem, env(safe-area-inset-bottom));
  }
  header {
    grid-area: header;
    display: flex;
    align-items: center;
    justify-content: space-between;
    min-block-size: 4rem;
  }
  h1 {
    margin: 0;
    font: italic 500 1.35rem var(--font-title);
    letter-spacing: 0.01em;
  }
  .where {
    flex: 1;
    margin: 0 0.75rem;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    font-size: var(--text-small);
    color: var(--ink-soft);
  }
  main {
    display: contents;
  }
  .talk {
    grid-area: talk;
    min-block-size: 0;
    display: grid;
    grid-template-rows: auto minmax(0, 1fr);
  }
  .talk > :not(replay-bar),
  .panel > :not(replay-bar) {
    grid-row: 2;
  }
  .talk > memory-view {
    grid-row: 3;
  }
  voice-transcript {
    padding-block: 1rem 2rem;
    mask-image: linear-gradient(transparent, #000 1rem, #000 calc(100% - 2rem), transparent);
  }
  .welcome {
    align-self: center;
    max-inline-size: 28rem;
  }
  .welcome h2 {
    margin: 0 0 0.75rem;
    font: 400 var(--text-title) / 1.1 var(--font-title);
    letter-spacing: -0.01em;
    text-wrap: balance;
  }
  .welcome p {
    margin: 0;
    line-height: 1.55;
    color: var(--ink-soft);
  }
  .stage {
    grid-area: stage;
    display: grid;
    justify-items: center;
    gap: 1rem;
  }
  .top,
  voice-composer {
    inline-size: 100%;
  }
  .now {
    display: grid;
    justify-items: center;
    gap: 0.15rem;
    text-align: center;
  }
  .state {
    display: flex;
    align-items: center;
    gap: 0.5rem;
    margin: 0;
    font-weight: 600;
  }
  .hint {
    min-block-size: 1.5em;
    margin: 0;
    font-size: var(--text-small);
    color: var(--ink-soft);
  }
  .controls {
    display: grid;
    grid-template-columns: 1fr auto 1fr;
    align-items: center;
    inline-size: 100%;
    min-block-size: 8.5rem;
  }
  .controls voice-button {
    grid-column: 2;
  }
  .controls .plain {
    grid-column: 3;
    justify-self: center;
  }
  fieldset {
    display: flex;
    margin: 0;
    padding: 3px;
    border: 1px solid var(--line);
    border-radius: 999px;
    background: var(--raised);
  }
  fieldset label {
    position: relative;
    display: flex;
    align-items: center;
    min-block-size: 2.5rem;
    padding: 0 1.1rem;
    border: 1px solid transparent;
    border-radius: 999px;
    font-size: var(--text-small);
    color: var(--ink-soft);
    cursor: pointer;
  }
  fieldset input {
    position: absolute;
    inset: 0;
    margin: 0;
    opacity: 0;
    cursor: pointer;
  }
  fieldset label:has(:checked) {
    border-color: var(--line-strong);
    background: var(--surface);
    color: var(--ink);
    font-weight: 600;
  }
  fieldset label:has(:focus-visible) {
    outline: 2px solid var(--focus);
    outline-offset: 2px;
  }
  @media (max-width: 63.99rem) {
    :host([troubled]) {
      grid-template-rows: auto minmax(0, 1fr) auto;
    }
    :host([troubled]) .welcome {
      display: none;
    }
    :host([replaying][view='talk']) {
      grid-template-rows: auto minmax(24rem, 1fr) auto auto;
    }
    .talk {
      overflow-y: auto;
    }
    nav {
      position: sticky;
      z-index: 1;
      inset-block-end: 0;
      background: var(--page);
    }
    voice-transcript {
      outline-offset: -2px;
    }
  }
  @media (max-height: 44rem) {
    .stage {
      gap: 0.6rem;
    }
    voice-waves {
      block-size: 3.5rem;
    }
    voice-button {
      inline-size: 5.5rem;
      block-size: 5.5rem;
    }
    .controls {
      min-block-size: 7rem;
    }
  }
  @media (min-width: 64rem) {
    :host {
      grid-template: auto minmax(0, 1fr) / minmax(20rem, 26rem) minmax(0, 1fr);
      grid-template-areas: 'header header' 'stage talk';
      column-gap: clamp(3rem, 7vw, 7rem);
      max-inline-size: 76rem;
      padding-inline: 2.5rem;
    }
    .stage {
      align-content: center;
      padding-block-end: 4rem;
      gap: 1.5rem;
    }
    voice-transcript {
      padding-block-end: 4rem;
    }
  }
  nav {
    grid-area: nav;
    display: flex;
    justify-content: space-around;
    gap: 0.25rem;
  }
  nav a {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    min-block-size: 2.75rem;
    min-inline-size: 4rem;
    padding: 0 0.9rem;
    border-radius: 999px;
    font-size: var(--text-small);
    color: var(--ink-soft);
    text-decoration: none;
  }
  nav a:hover {
    background: var(--raised);
  }
  nav a[aria-current] {
    font-weight: 600;
    color: var(--ink);
    text-decoration: underline 2px;
    text-underline-offset: 0.4rem;
  }
  .panel {
    grid-area: panel;
    min-block-size: 0;
    min-inline-size: 0;
    display: grid;
    grid-template-rows: auto minmax(0, 1fr);
    margin-inline: -1rem;
    border-block: 1px solid var(--line);
    background: var(--surface);
    overflow: hidden;
  }
  @media (max-width: 63.99rem) {
    :host([view='panel']) {
      grid-template: auto minmax(0, 1fr) auto / minmax(0, 1fr);
      grid-template-areas: 'header' 'panel' 'nav';
    }
    :host([view='panel']) .talk,
    :host([view='panel']) .stage {
      display: none;
    }
  }
  @media (min-width: 64rem) {
    :host([view='panel']) {
      grid-template: auto minmax(0, 1fr) auto / minmax(18rem, 22rem) minmax(0, 1fr);
      grid-template-areas: 'header header' 'talk panel' 'stage panel';
      column-gap: 2rem;
      max-inline-size: none;
      padding: 0 1.5rem 1.5rem;
    }
    :host([view='panel']) .stage {
      align-content: end;
      padding-block-end: 0;
      gap: 0.6rem;
    }
    :host([view='panel']) voice-transcript {
      padding-block-end: 1.5rem;
    }
    :host([view='panel']) .controls {
      min-block-size: 7rem;
    }
    :host([view='panel']) voice-waves {
      block-size: 3.5rem;
    }
    :host([view='panel']) voice-button {
      inline-size: 5.5rem;
      block-size: 5.5rem;
    }
    nav {
      grid-area: 1 / 1 / 2 / -1;
      place-self: center;
    }
    header {
      grid-column: 1 / -1;
    }
    .panel {
      margin-inline: 0;
      border: 1px solid var(--line);
      border-radius: 0.75rem;
    }
  }
`;
