/**
 * The words that elements show, in the page's language: English, unless the application gives others.
 */

/** @type {Record<string, string>} */
let table = {};

/**
 * Give the words of another language. Call it before the elements are shown.
 * @param {Record<string, string>} words by their English; what is left out stays English. `{0}` stands for a value.
 */
export function translate(words) {
  table = {...table, ...words};
}

/**
 * @param {string} english
 * @param {unknown[]} values in place of `{0}`, `{1}` …
 * @returns {string} the same in the page's language
 */
export function say(english, ...values) {
  return (table[english] ?? english).replace(/\{(\d)\}/g, (_, at) => String(values[at]));
}
