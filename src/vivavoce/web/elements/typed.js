/**
 * What a field of a form shows while the form is drawn again and again.
 */

import {live, noChange} from '../vendor/lit.js';

/**
 * @param {import('../vendor/lit.js').LitElement} host of the form
 * @param {string} id of the field
 * @param {string} value
 * @returns {unknown} the value, for `.value`; what somebody is typing there is left alone
 */
export function typed(host, id, value) {
  return host.shadowRoot?.activeElement?.id === id ? noChange : live(value);
}
