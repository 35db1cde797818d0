/**
 * What tokens cost, as far as it is known. Made by docs/reference/generate_web.py: change it in vivavoce.client.prices.
 */

/** When it was read off OpenAI's pages of its models: year and month. */
export const AS_OF = "2026-11";

/**
 * US dollars for a million tokens, by model.
 * @type {{[model: string]: import('./prices.js').Price}}
 */
export const KNOWN = {
  "gpt-realtime-1.5": {
    "text": 4.0,
    "text_cached": 0.4,
    "text_output": 16.0,
    "audio": 32.0,
    "audio_cached": 0.4,
    "audio_output": 64.0,
    "image": 5.0,
    "image_cached": 0.5
  },
  "gpt-realtime-2": {
    "text": 4.0,
    "text_cached": 0.4,
    "text_output": 24.0,
    "audio": 32.0,
    "audio_cached": 0.4,
    "audio_output": 64.0,
    "image": 5.0,
    "image_cached": 0.5
  },
  "gpt-realtime-2.1": {
    "text": 4.0,
    "text_cached": 0.4,
    "text_output": 24.0,
    "audio": 32.0,
    "audio_cached": 0.4,
    "audio_output": 64.0,
    "image": 5.0,
    "image_cached": 0.5
  },
  "gpt-realtime-2.1-mini": {
    "text": 0.6,
    "text_cached": 0.06,
    "text_output": 2.4,
    "audio": 10.0,
    "audio_cached": 0.3,
    "audio_output": 20.0,
    "image": 0.8,
    "image_cached": 0.08
  }
};
