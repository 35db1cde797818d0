import assert from 'node:assert/strict';
import {test} from 'node:test';

import {SoundChecks} from '../../src/vivavoce/web/sound-check.js';

const context = /** @type {any} */ (null);

/** Checks whose microphones open, or do not, when the test says so. */
function stage() {
  /** @type {{open: () => void, refuse: () => void, onend: () => void, closed: boolean, played: boolean}[]} */
  const microphones = [];
  const checks = new SoundChecks(
    () => {},
    /** @type {any} */ ((/** @type {any} */ _context, /** @type {() => void} */ onend) =>
      new Promise((resolve, reject) => {
        const one = {open: () => resolve(one), refuse: () => reject(new Error('no')), onend, closed: false, played: false,
          play: () => (one.played = true), close: () => (one.closed = true)};
        microphones.push(one);
      })),
  );
  return {checks, microphones};
}

test('a check is there until it ends', async () => {
  const {checks, microphones} = stage();
  const begun = checks.begin(context);
  microphones[0].open();
  await begun;
  assert.equal(checks.current, microphones[0]);
  assert.ok(microphones[0].played);
  microphones[0].onend();
  assert.deepEqual([checks.current, microphones[0].closed], [null, true]);
});

test('a second click, while the microphone opens, opens no other', async () => {
  const {checks, microphones} = stage();
  const begun = [checks.begin(context), checks.begin(context)];
  microphones[0].open();
  await Promise.all(begun);
  assert.equal(microphones.length, 1);
  checks.end();
  assert.ok(microphones[0].closed);
});

test('a microphone that opens after the end is given back, and another check goes on', async () => {
  const {checks, microphones} = stage();
  const first = checks.begin(context);
  checks.end();
  const second = checks.begin(context);
  microphones[1].open();
  await second;
  microphones[0].open();
  await first;
  microphones[0].onend();
  assert.deepEqual([microphones[0].closed, microphones[0].played], [true, false]);
  assert.equal(checks.current, microphones[1]);
});

test('a refusal is told, unless nobody waits for it', async () => {
  const {checks, microphones} = stage();
  const refused = checks.begin(context);
  microphones[0].refuse();
  await assert.rejects(refused);
  const ended = checks.begin(context);
  checks.end();
  microphones[1].refuse();
  await ended;
  assert.equal(checks.current, null);
});
