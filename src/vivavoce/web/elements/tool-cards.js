/**
 * How calls of the ready-made tools are shown in the conversation, in place of their JSON.
 */

import {html} from '../vendor/lit.js';
import {reportOf} from '../ready/weather.js';

/**
 * @typedef {import('../shape/calls.js').Call} Call
 * @typedef {import('../studio.js').Studio} Studio
 */

/**
 * @param {Studio} studio
 * @param {Call} call
 * @returns {unknown} what to show; null for a call that has no card
 */
export function card(studio, {name, output, ours, runs}) {
  const made = ours && !runs; // by hand: it may be anything
  const report = name === 'get_weather' && !made && output !== null ? reportOf(output) : null;
  if (!report) return null;
  void import('./weather-card.js'); // with its map, for those who need it
  return html`<weather-card
    .report=${report}
    ?tiles=${studio.tiles}
    @tiles=${(/** @type {CustomEvent} */ {detail}) => studio.chooseTiles(detail)}
  ></weather-card>`;
}
