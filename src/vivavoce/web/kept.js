/**
 * What this browser keeps from one visit to the next.
 */

/**
 * @param {string} key
 * @returns {any} null for nothing
 */
export function kept(key) {
  try {
    return JSON.parse(storage()?.getItem(key) ?? 'null');
  } catch {
    return null; // somebody else's
  }
}

/**
 * @param {string} key
 * @param {unknown} value
 */
export function keep(key, value) {
  try {
    storage()?.setItem(key, JSON.stringify(value));
  } catch {
    // it is full: what was chosen lasts as long as the page
  }
}

/**
 * @param {'browser' | 'tab'} [whose] what is kept for the tab is gone with it
 * @returns {Storage | null} null where it is forbidden
 */
export function storage(whose = 'browser') {
  try {
    return whose === 'tab' ? sessionStorage : localStorage;
  } catch {
    return null;
  }
}
