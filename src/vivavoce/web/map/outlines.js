/**
 * The outlines of all countries, read from TopoJSON: arcs that neighbours share, as differences of integers. Pure.
 */

/**
 * @typedef {[longitude: number, latitude: number]} Position
 * @typedef {{west: number, south: number, east: number, north: number}} Box
 * @typedef {object} Country
 * @property {string} name
 * @property {Position[][][]} polygons each a list of rings: the first is the edge, the others are holes
 * @property {Position} middle of its largest part, where its name can stand
 * @property {Box} box around its largest part
 * @typedef {object} Topology as far as it is used here
 * @property {{scale: [number, number], translate: [number, number]}} transform
 * @property {[number, number][][]} arcs
 * @property {{countries: {geometries: {type: string, arcs: any, properties: {name: string}}[]}}} objects
 */

/**
 * @param {Topology} topology
 * @returns {Country[]}
 */
export function countries(topology) {
  const arcs = topology.arcs.map((arc) => positions(arc, topology.transform));
  return topology.objects.countries.geometries.map(({type, arcs: indices, properties}) => {
    const parts = /** @type {number[][][]} */ (type === 'Polygon' ? [indices] : indices);
    const polygons = parts.map((rings) => rings.map((ring) => joined(ring, arcs)));
    const box = polygons.map(([edge]) => boxOf(edge)).reduce((a, b) => (sizeOf(b) > sizeOf(a) ? b : a));
    return {name: properties.name, polygons, box, middle: [(box.west + box.east) / 2, (box.south + box.north) / 2]};
  });
}

/**
 * @param {[number, number][]} arc
 * @param {Topology['transform']} transform
 * @returns {Position[]}
 */
function positions(arc, {scale, translate}) {
  let [x, y] = [0, 0];
  return arc.map(([dx, dy]) => {
    x += dx;
    y += dy;
    return [x * scale[0] + translate[0], y * scale[1] + translate[1]];
  });
}

/**
 * @param {number[]} ring indices of arcs; ~n is arc n, backwards
 * @param {Position[][]} arcs
 * @returns {Position[]} closed; an arc begins where the one before has ended
 */
function joined(ring, arcs) {
  return ring.flatMap((index, at) => {
    const arc = index < 0 ? arcs[~index].toReversed() : arcs[index];
    return at ? arc.slice(1) : arc;
  });
}

/**
 * @param {Position[]} ring
 * @returns {Box}
 */
function boxOf(ring) {
  const box = {west: Infinity, south: Infinity, east: -Infinity, north: -Infinity};
  for (const [x, y] of ring) {
    box.west = Math.min(box.west, x);
    box.east = Math.max(box.east, x);
    box.south = Math.min(box.south, y);
    box.north = Math.max(box.north, y);
  }
  return box;
}

/** @param {Box} box */
function sizeOf({west, south, east, north}) {
  return (east - west) * (north - south);
}
