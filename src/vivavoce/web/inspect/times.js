/**
 * Times as they are shown, in the page's language. Pure.
 */

import {fixed, moment, number, say} from '../words.js';

/** A time of day, for a log. @type {Intl.DateTimeFormatOptions} */
const CLOCK = {hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hourCycle: 'h23'};

/** Seconds after minutes. */
const PADDED = {minimumIntegerDigits: 2, minimumFractionDigits: 3, maximumFractionDigits: 3};

/**
 * @param {number} ms since the log began
 * @returns {string} seconds with their thousandths, minutes where there are some: `1:02.345`
 */
export function offset(ms) {
  const minutes = Math.floor(ms / 60_000);
  const seconds = (ms % 60_000) / 1000;
  return minutes ? `${number(minutes)}:${number(seconds, PADDED)}` : fixed(seconds, 3);
}

/**
 * @param {number} ms since 1970
 * @returns {string} the time of day here: `14:05:09.120`
 */
export function clock(ms) {
  return moment(ms, CLOCK);
}

/**
 * @param {number | null | undefined} ms
 * @returns {string} a span: `340 ms`, `1.25 s`; a dash where there is none
 */
export function span(ms) {
  if (ms === null || ms === undefined) return '–';
  return Math.abs(ms) < 1000 ? say('{0} ms', Math.round(ms)) : say('{0} s', fixed(ms / 1000, 2));
}
