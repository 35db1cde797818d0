/**
 * The words and figures that elements show, in the page's language: English, unless the application gives others.
 */

/** @type {Record<string, string>} */
let table = {};

/** Formats of numbers and dates: to make one takes longer than to use it. @type {Map<string, any>} */
const formats = new Map();

/**
 * Give the words of another language. Call it before the elements are shown.
 * @param {Record<string, string>} words by their English; what is left out stays English. `{0}` stands for a value.
 */
export function translate(words) {
  table = {...table, ...words};
}

/**
 * @param {string} english
 * @param {unknown[]} values in place of `{0}`, `{1}` …; numbers are written as the page's language has them
 * @returns {string} the same in the page's language
 */
export function say(english, ...values) {
  const shown = (/** @type {unknown} */ value) => (typeof value === 'number' ? number(value) : String(value));
  return (table[english] ?? english).replace(/\{(\d)\}/g, (_, at) => shown(values[at]));
}

/**
 * @param {number} value
 * @param {Intl.NumberFormatOptions} [style]
 * @returns {string} with the digits and marks of the page's language
 */
export function number(value, style = {}) {
  return format(Intl.NumberFormat, style).format(value + 0); // not −0
}

/**
 * @param {number} value
 * @param {number} digits after the point
 * @returns {string}
 */
export function fixed(value, digits) {
  return number(value, {minimumFractionDigits: digits, maximumFractionDigits: digits});
}

/**
 * @param {Date | number} at milliseconds since 1970, for a number
 * @param {Intl.DateTimeFormatOptions} style
 * @returns {string} a date or a time of day, as the page's language has it
 */
export function moment(at, style) {
  return format(Intl.DateTimeFormat, style).format(at);
}

/**
 * @template {{new (language: string, style: any): any}} Format
 * @param {Format} Format
 * @param {object} style
 * @returns {InstanceType<Format>}
 */
function format(Format, style) {
  const language = languageOf(globalThis.document?.documentElement.lang);
  const key = `${Format.name} ${language} ${JSON.stringify(style)}`;
  if (!formats.has(key)) formats.set(key, new Format(language, style));
  return formats.get(key);
}

/**
 * @param {string} [lang] of the page
 * @returns {string} English where there is none such: `en_US` is none
 */
function languageOf(lang) {
  try {
    return Intl.getCanonicalLocales(lang || 'en')[0];
  } catch {
    return 'en';
  }
}
