import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Overheard} from '../../src/vivavoce/web/overheard.js';

/** @typedef {[dir: 'C' | 'S', type: string, fields?: object]} Told */

/** A call whose items are written down as `[item, level, milliseconds]`. */
function call() {
  /** @type {[string, number, number][]} */
  const kept = [];
  const overheard = new Overheard((item, samples) => {
    const last = kept.at(-1);
    if (last?.[0] === item && last[1] === samples[0]) last[2] += samples.length / 24;
    else kept.push([item, samples[0], samples.length / 24]);
  });
  return {
    kept,
    told: (/** @type {Told} */ ...[dir, type, fields]) => overheard.apply(dir, {type, ...fields}),
    heard: (/** @type {number} */ level, /** @type {number} */ ms) => {
      for (let at = 0; at < ms; at += 40) overheard.take(new Int16Array(Math.min(40, ms - at) * 24).fill(level));
    },
  };
}

/** @param {string} response @returns {Told} */
const added = (response) => ['S', 'response.output_item.added', {response_id: response, item: {id: `item of ${response}`, type: 'message'}}];

/** @param {'started' | 'stopped' | 'cleared'} what @param {string} response @returns {Told} */
const buffer = (what, response) => ['S', `output_audio_buffer.${what}`, {response_id: response}];

test('an item is what is heard from the beginning to the end of its response, and a moment after', () => {
  const {kept, told, heard} = call();
  heard(900, 400);
  told(...added('a'));
  told(...buffer('started', 'a'));
  heard(0, 120);
  heard(1000, 400);
  told(...buffer('stopped', 'a'));
  heard(1000, 120);
  heard(0, 600);
  heard(2000, 400);
  assert.deepEqual(kept, [['item of a', 1000, 520]]);
});

test('a pause is of the item where more of it comes, and no longer than five seconds', () => {
  const {kept, told, heard} = call();
  told(...added('a'));
  told(...buffer('started', 'a'));
  heard(1000, 40);
  heard(3, 400);
  heard(1000, 40);
  heard(0, 60_000);
  heard(1000, 40);
  assert.deepEqual(kept, [['item of a', 1000, 40], ['item of a', 3, 400], ['item of a', 1000, 40], ['item of a', 0, 5000], ['item of a', 1000, 40]]);
});

test('what the server cut is what was still heard of it', () => {
  const {kept, told, heard} = call();
  told(...added('a'));
  told(...buffer('started', 'a'));
  heard(1000, 200);
  told(...buffer('cleared', 'a'));
  heard(1000, 80);
  heard(0, 420);
  heard(1000, 400);
  assert.deepEqual(kept, [['item of a', 1000, 280]]);
});

test('what the user cut is silent at once, before the server knows', () => {
  const {kept, told, heard} = call();
  told(...added('a'));
  told(...buffer('started', 'a'));
  heard(1000, 200);
  told('C', 'output_audio_buffer.clear');
  heard(1000, 80);
  told(...buffer('cleared', 'a'));
  heard(1000, 80);
  assert.deepEqual(kept, [['item of a', 1000, 200]]);
});

test('of answers that follow at once, each has its own', () => {
  const {kept, told, heard} = call();
  told(...added('a'));
  told(...added('b'));
  told(...buffer('started', 'a'));
  heard(1000, 200);
  told(...buffer('stopped', 'a'));
  told(...buffer('started', 'b'));
  heard(1000, 100); // still under way
  heard(2000, 200);
  assert.deepEqual(kept, [['item of a', 1000, 300], ['item of b', 2000, 200]]);
});

test('a response that is a function call, or was never told of, is no item', () => {
  const {kept, told, heard} = call();
  told('S', 'response.output_item.added', {response_id: 'a', item: {id: 'f', type: 'function_call'}});
  told(...buffer('started', 'a'));
  heard(1000, 200);
  assert.deepEqual(kept, []);
});

test('another call begins with nothing of the one before', () => {
  const {kept, told, heard} = call();
  told(...added('a'));
  told(...buffer('started', 'a'));
  told('S', 'session.created', {session: {}});
  heard(1000, 200);
  told(...buffer('started', 'a'));
  heard(1000, 200);
  assert.deepEqual(kept, []);
});

test('of many responses without sound only the last are remembered', () => {
  const {kept, told, heard} = call();
  for (let at = 0; at < 100; at++) told(...added(`r${at}`));
  for (const response of ['r10', 'r99']) {
    told(...buffer('started', response));
    heard(1000, 200);
  }
  assert.deepEqual(kept, [['item of r99', 1000, 200]]);
});
