import assert from 'node:assert/strict';
import {test} from 'node:test';

import {measure} from '../../src/vivavoce/web/quality.js';

const pair = (/** @type {number} */ seconds) =>
  ({type: 'candidate-pair', nominated: true, state: 'succeeded', currentRoundTripTime: seconds});
const inbound = (/** @type {number} */ packetsReceived, /** @type {number} */ packetsLost, jitter = 0) =>
  ({type: 'inbound-rtp', kind: 'audio', packetsReceived, packetsLost, jitter});

test('the figures of a call', () => {
  const {quality} = measure([pair(0.04), inbound(99, 1, 0.005), {type: 'transport'}]);
  assert.deepEqual(quality, {grade: 'good', roundTripMs: 40, loss: 0.01, jitterMs: 5});
});

test('loss is that of the time between two looks', () => {
  const first = measure([inbound(100, 0)]);
  const second = measure([inbound(190, 10)], first.count);
  assert.equal(second.quality.loss, 0.1);
  assert.equal(second.quality.grade, 'poor');
  assert.equal(measure([inbound(290, 10)], second.count).quality.loss, 0);
});

test('what the other side loses counts as well', () => {
  const theirs = {type: 'remote-inbound-rtp', kind: 'audio', fractionLost: 0.05, jitter: 0.01};
  const {quality} = measure([inbound(100, 0), theirs]);
  assert.equal(quality.loss, 0.05);
  assert.equal(quality.grade, 'fair');
});

for (const [seconds, jitter, grade] of /** @type {[number, number, string][]} */ ([
  [0.29, 0, 'good'], [0.3, 0, 'fair'], [0.8, 0, 'poor'], [0.01, 0.03, 'fair'], [0.01, 0.08, 'poor'],
])) {
  test(`${seconds * 1000} ms there and back with ${jitter * 1000} ms jitter is ${grade}`, () => {
    assert.equal(measure([pair(seconds), inbound(1, 0, jitter)]).quality.grade, grade);
  });
}

test('a call of which nothing is known yet', () => {
  assert.deepEqual(measure([]).quality, {grade: 'good', roundTripMs: null, loss: 0, jitterMs: 0});
});
