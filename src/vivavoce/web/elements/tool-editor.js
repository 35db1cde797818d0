/**
 * `<tool-editor>`: functions for the model, by JSON schema, each with a made-up result. Event `tools` with all of them.
 */

import {LitElement, css, html, nothing} from '../vendor/lit.js';
import {EXAMPLE, wrong} from '../shape/tools.js';
import {say} from '../words.js';
import {panelStyles} from './panel-styles.js';
import {sharedStyles} from './shared-styles.js';
import {typed} from './typed.js';

/** @typedef {import('../shape/tools.js').Tool} Tool */

export class ToolEditor extends LitElement {
  static styles = [
    sharedStyles,
    panelStyles,
    css`
      fieldset {
        display: grid;
        gap: 0.6rem;
        min-inline-size: 0;
        margin: 0 0 1rem;
        padding: 0.9rem;
        border: 1px solid var(--line);
        border-radius: 0.75rem;
      }
      fieldset .small {
        justify-self: start;
      }
      .help {
        margin: 0;
        font-size: var(--text-small);
        color: var(--ink-soft);
      }
      legend {
        padding-inline: 0.4rem;
        font-weight: 600;
      }
    `,
  ];

  static properties = {tools: {attribute: false}, taken: {attribute: false}};

  constructor() {
    super();
    /** @type {readonly Tool[]} */
    this.tools = [];
    /** Others, whose names they may not have. @type {readonly {name: string}[]} */
    this.taken = [];
  }

  render() {
    return html`
      ${this.tools.map((tool, index) => this.#tool(tool, index))}
      <button class="small" type="button" @click=${this.#add}>${say('Add a tool')}</button>
    `;
  }

  /**
   * @param {Tool} tool
   * @param {number} index
   */
  #tool(tool, index) {
    const problem = wrong(tool, [...this.taken, ...this.tools.filter((other) => other !== tool)]);
    const change = (/** @type {keyof Tool} */ key) => (/** @type {Event} */ event) =>
      this.#put(index, {...tool, [key]: /** @type {HTMLInputElement} */ (event.target).value});
    const asked = (/** @type {keyof Tool} */ key, /** @type {string} */ label, /** @type {number} */ rows) => {
      const id = `${key}-${index}`;
      return html`<div class="asked">
        <label for=${id}>${label}</label>
        ${rows
          ? html`<textarea class="field code" id=${id} rows=${rows} spellcheck="false" .value=${typed(this, id, tool[key])} @change=${change(key)}></textarea>`
          : html`<input class="field" id=${id} dir="auto" .value=${typed(this, id, tool[key])} @change=${change(key)} />`}
      </div>`;
    };
    return html`<fieldset>
      <legend>${tool.name || say('A tool')}</legend>
      ${asked('name', say('Name'), 0)} ${asked('description', say('What it is for'), 0)}
      ${asked('parameters', say('JSON schema of its arguments'), 6)} ${asked('result', say('Result'), 2)}
      <p class="help">${say('Each call is answered with the result; without one, you are asked in the conversation.')}</p>
      ${problem ? html`<p class="wrong">⚠ ${problem} ${say('It is not offered to the model.')}</p>` : nothing}
      <button class="small" type="button" @click=${() => this.#put(index)}>${say('Remove {0}', tool.name)}</button>
    </fieldset>`;
  }

  #add() {
    const taken = [...this.taken, ...this.tools].some(({name}) => name === EXAMPLE.name);
    this.#tell([...this.tools, taken ? {...EXAMPLE, name: `tool_${this.tools.length + 1}`} : {...EXAMPLE}]);
  }

  /**
   * @param {number} index
   * @param {Tool[]} tools what stands there from now on
   */
  #put(index, ...tools) {
    this.#tell(this.tools.toSpliced(index, 1, ...tools));
  }

  /** @param {Tool[]} tools */
  #tell(tools) {
    this.dispatchEvent(new CustomEvent('tools', {detail: tools}));
  }
}

customElements.define('tool-editor', ToolEditor);
