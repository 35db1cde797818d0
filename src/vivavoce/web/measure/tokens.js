/**
 * Tokens by modality, summed over responses. Pure.
 */

/**
 * @typedef {{text: number, audio: number, image: number, cached: number, total: number}} Side
 * @typedef {{input: Side, output: Side, responses: number}} Tokens
 */

/** @returns {Side} */
const none = () => ({text: 0, audio: 0, image: 0, cached: 0, total: 0});

/**
 * @param {Iterable<any>} usages those of responses; null where one is unknown
 * @returns {Tokens} cached tokens are among those of the input
 */
export function tokens(usages) {
  const sum = {input: none(), output: none(), responses: 0};
  for (const usage of usages) {
    if (!usage) continue;
    sum.responses++;
    add(sum.input, usage.input_token_details, usage.input_tokens);
    add(sum.output, usage.output_token_details, usage.output_tokens);
  }
  return sum;
}

/**
 * @param {Side} side
 * @param {any} details
 * @param {unknown} total
 */
function add(side, details, total) {
  side.text += number(details?.text_tokens);
  side.audio += number(details?.audio_tokens);
  side.image += number(details?.image_tokens);
  side.cached += number(details?.cached_tokens);
  side.total += number(total);
}

/** @param {unknown} value */
function number(value) {
  return typeof value === 'number' ? value : 0;
}

/**
 * @param {number[]} values
 * @param {number} share 0 … 1; 0.5 for the median
 * @returns {number | null} the value that so many are not above; null where there is none
 */
export function quantile(values, share) {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}
