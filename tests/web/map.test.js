import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';

import {countries} from '../../src/vivavoce/web/map/outlines.js';

/** Two squares side by side; they share arc 1, each in its own direction. */
const NEIGHBOURS = {
  transform: {scale: /** @type {[number, number]} */ ([2, 1]), translate: /** @type {[number, number]} */ ([10, -5])},
  arcs: /** @type {[number, number][][]} */ ([
    [[1, 1], [-1, 0], [0, -1], [1, 0]],
    [[1, 0], [0, 1]],
    [[1, 0], [1, 0], [0, 1], [-1, 0]],
  ]),
  objects: {
    countries: {
      geometries: [
        {type: 'Polygon', arcs: [[0, 1]], properties: {name: 'West'}},
        {type: 'MultiPolygon', arcs: [[[2, ~1]]], properties: {name: 'East'}},
      ],
    },
  },
};

test('arcs are joined into rings, forwards and backwards', () => {
  const [west, east] = countries(NEIGHBOURS);
  assert.deepEqual(west.polygons, [[[[12, -4], [10, -4], [10, -5], [12, -5], [12, -4]]]]);
  assert.deepEqual(east.polygons, [[[[12, -5], [14, -5], [14, -4], [12, -4], [12, -5]]]]);
  assert.deepEqual(west.middle, [11, -4.5]);
  assert.deepEqual(east.box, {west: 12, south: -5, east: 14, north: -4});
});

test('the outlines that are served are those of the Earth', () => {
  const file = new URL('../../src/vivavoce/web/vendor/world-atlas/countries-110m.json', import.meta.url);
  const found = countries(JSON.parse(readFileSync(file, 'utf-8')));
  assert.equal(found.length, 177);
  for (const {name, polygons} of found) {
    assert.ok(name);
    for (const ring of polygons.flat()) {
      assert.deepEqual(ring[0], ring.at(-1), name);
      for (const [x, y] of ring) assert.ok(Math.abs(x) <= 180.001 && Math.abs(y) <= 90, `${name}: ${x}, ${y}`);
    }
  }
  const {middle} = found.find(({name}) => name === 'France') ?? assert.fail();
  assert.ok(Math.abs(middle[0] - 2) < 2 && Math.abs(middle[1] - 46.5) < 1.5, `its largest part is in Europe: ${middle}`);
});
