/**
 * Times as they are shown. Pure.
 */

/**
 * @param {number} ms since the log began
 * @returns {string} seconds with their thousandths, minutes where there are some: `1:02.345`
 */
export function offset(ms) {
  const minutes = Math.floor(ms / 60_000);
  const seconds = ((ms % 60_000) / 1000).toFixed(3);
  return minutes ? `${minutes}:${seconds.padStart(6, '0')}` : seconds;
}

/**
 * @param {number} ms since 1970
 * @returns {string} the time of day here: `14:05:09.120`
 */
export function clock(ms) {
  const at = new Date(ms);
  const parts = [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0'));
  return `${parts.join(':')}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

/**
 * @param {number | null | undefined} ms
 * @returns {string} a span: `340 ms`, `1.25 s`; a dash where there is none
 */
export function span(ms) {
  if (ms === null || ms === undefined) return '–';
  return Math.abs(ms) < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}
