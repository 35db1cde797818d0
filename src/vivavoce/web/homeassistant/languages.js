/**
 * The card's words, in the language of Home Assistant's page.
 */

import {translate} from '../words.js';

/** What is otherwise in a dashboard than on a page of its own, in English. */
const HERE = {
  'Browsers give the microphone and loudspeaker only to https and to localhost. Open this page as http://localhost on the computer that serves it, or serve it over https. You can still write.':
    'Browsers give the microphone and loudspeaker only to https. Open Home Assistant by an address that begins with https. You can still write.',
};

/** @type {Record<string, () => Promise<{words: Record<string, string>}>>} */
const LANGUAGES = {
  de: () => import('./words-de.js'),
  fr: () => import('./words-fr.js'),
};

/**
 * Show all words in a language from now on, as far as they are known in it.
 * @param {string} language such as de or fr-CA
 */
export async function speak(language) {
  translate(HERE);
  const load = LANGUAGES[language.split('-')[0]];
  if (load) translate((await load()).words);
}
