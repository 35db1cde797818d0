/**
 * `<place-map>`: where a place is. The outlines of all countries come with the page; with `tiles`, pictures of
 * OpenStreetMap come from the network and lie upon them. Event `unreachable` when none of them comes.
 *
 * No word of the model's or of the network's gets to Leaflet: it takes texts for markup.
 */

import {LitElement, css, html} from '../vendor/lit.js';
import {countries} from '../map/outlines.js';
import leaflet from '../vendor/leaflet.js';
import {say} from '../words.js';
import {sharedStyles} from './shared-styles.js';

/**
 * @typedef {import('../map/outlines.js').Country} Country
 */

const TILES = 'https://tile.openstreetmap.org/{z}/{x}/{y}.png';

/** How near one is at first, and at most: the outlines have one point to some 100 km. */
const FAR = {zoom: 4, nearest: 6};
const NEAR = {zoom: 10, nearest: 18};

/** The outlines and their names lie below the pictures. */
const BELOW = 'below';

/** Names lie over the outlines, whose place Leaflet's styles set at 200. */
const OVER = 1000;

/** A country's name is shown where the country is as wide as this, in pixels. */
const ROOM = 64;

/** @type {Promise<Country[]> | null} read once for all maps */
let outlines = null;

export class PlaceMap extends LitElement {
  static styles = [
    sharedStyles,
    css`
      :host,
      .map {
        block-size: 14rem;
      }
      .map {
        z-index: 0;
        border: 1px solid var(--line);
        border-radius: 0.5rem;
        background: var(--surface);
        font: 0.75rem/1.4 var(--font-text);
      }
      .country {
        fill: var(--line);
        fill-opacity: 1;
        stroke: var(--line-strong);
        stroke-width: 1;
      }
      .name {
        translate: -50% -50%;
        color: var(--ink-soft);
        font-size: 0.75rem;
        white-space: nowrap;
        pointer-events: none;
      }
      .here {
        fill: var(--ink);
        fill-opacity: 1;
        stroke: var(--surface);
        stroke-width: 3;
      }
      .leaflet-touch .leaflet-bar {
        border: 1px solid var(--line-strong);
      }
      .leaflet-container .leaflet-control-attribution,
      .leaflet-bar a,
      .leaflet-bar a.leaflet-disabled {
        border-color: var(--line);
        background: var(--surface);
        color: var(--ink);
      }
      .leaflet-bar a.leaflet-disabled {
        color: var(--ink-faint);
      }
      .leaflet-container .leaflet-control-attribution a {
        color: inherit;
        text-decoration: underline;
      }
      @media (pointer: coarse) {
        .leaflet-touch .leaflet-bar a {
          inline-size: 2.75rem;
          block-size: 2.75rem;
          line-height: 2.75rem;
        }
      }
      @media (prefers-color-scheme: dark) {
        .leaflet-tile-pane {
          filter: brightness(0.75) contrast(0.95);
        }
      }
    `,
  ];

  static properties = {
    latitude: {type: Number},
    longitude: {type: Number},
    label: {type: String},
    tiles: {type: Boolean},
  };

  /** @type {import('leaflet').Map | null} */
  #map = null;
  /** @type {import('leaflet').CircleMarker | null} */
  #marker = null;
  /** @type {import('leaflet').TileLayer | null} */
  #pictures = null;
  /** Leaflet measures what its styles have made. */
  #styled = false;
  #resized = new ResizeObserver(() => this.#map?.invalidateSize({animate: false}));

  constructor() {
    super();
    this.latitude = 0;
    this.longitude = 0;
    /** What the place is called. */
    this.label = '';
    /** Pictures are fetched from the network. */
    this.tiles = false;
  }

  render() {
    const style = new URL('../vendor/leaflet/leaflet.css', import.meta.url).href;
    return html`<link rel="stylesheet" href=${style} @load=${this.#ready} />
      <div class="map" role="region" aria-label=${say('Map of {0}', this.label)}></div>`;
  }

  connectedCallback() {
    super.connectedCallback();
    if (this.#styled) void this.#draw(); // it was moved
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#resized.disconnect();
    this.#map?.remove();
    this.#map = null;
  }

  /** @param {Map<string, unknown>} changed */
  updated(changed) {
    if (!this.#map) return;
    if (changed.has('tiles')) this.#picture();
    if (changed.has('latitude') || changed.has('longitude')) this.#look();
  }

  #ready() {
    this.#styled = true;
    if (this.isConnected) void this.#draw();
  }

  async #draw() {
    if (this.#map) return;
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const map = leaflet.map(/** @type {HTMLElement} */ (this.renderRoot.querySelector('.map')), {
      dragging: matchMedia('(pointer: fine)').matches, // a finger scrolls the page; two move the map
      fadeAnimation: !still,
      inertia: !still,
      markerZoomAnimation: !still,
      scrollWheelZoom: false,
      zoomAnimation: !still,
      zoomControl: false, // it has words
    });
    this.#map = map;
    Object.assign(map.createPane(BELOW).style, {zIndex: 150, pointerEvents: 'none'});
    leaflet.control.zoom({zoomInTitle: say('Zoom in'), zoomOutTitle: say('Zoom out')}).addTo(map);
    map.attributionControl.setPrefix(false).addAttribution('Natural Earth');
    this.#picture();
    this.#resized.observe(this);
    outlines ??= load();
    const found = await outlines.catch(() => []); // the place stands alone then
    if (this.#map === map) this.#outline(map, found);
  }

  /**
   * @param {import('leaflet').Map} map
   * @param {Country[]} found
   */
  #outline(map, found) {
    for (const {polygons} of found) {
      const rings = polygons.map((polygon) => polygon.map((ring) => ring.map(([x, y]) => leaflet.latLng(y, x))));
      leaflet.polygon(rings, {className: 'country', interactive: false, pane: BELOW}).addTo(map);
    }
    const names = leaflet.layerGroup().addTo(map);
    const rename = () => name(map, names, found);
    map.on('zoomend', rename);
    rename();
  }

  #picture() {
    const map = /** @type {import('leaflet').Map} */ (this.#map);
    this.#pictures?.remove();
    this.#pictures = null;
    if (this.tiles) {
      const link = '<a href="https://www.openstreetmap.org/copyright" target="_blank" rel="noreferrer">OpenStreetMap</a>';
      this.#pictures = leaflet.tileLayer(TILES, {
        attribution: say('© {0} contributors', link),
        maxZoom: NEAR.nearest,
        referrerPolicy: 'origin', // it serves only those who say where they are from
      });
      let came = false;
      this.#pictures.on('tileload', () => (came = true));
      this.#pictures.on('tileerror', () => came || this.dispatchEvent(new Event('unreachable')));
      this.#pictures.addTo(map);
    }
    map.setMaxZoom(NEAR.nearest);
    this.#look(); // before the limit comes nearer: Leaflet would glide to it, and no later view stops that
    if (!this.tiles) map.setMaxZoom(FAR.nearest);
  }

  #look() {
    const map = /** @type {import('leaflet').Map} */ (this.#map);
    const here = leaflet.latLng(this.latitude, this.longitude);
    map.setView(here, (this.tiles ? NEAR : FAR).zoom, {animate: false});
    this.#marker?.remove();
    this.#marker = leaflet.circleMarker(here, {className: 'here', radius: 7, interactive: false}).addTo(map);
  }
}

/** @returns {Promise<Country[]>} */
async function load() {
  const response = await fetch(new URL('../vendor/world-atlas/countries-110m.json', import.meta.url));
  return countries(await response.json());
}

/**
 * Write the names of the countries that have room for them.
 * @param {import('leaflet').Map} map
 * @param {import('leaflet').LayerGroup} names
 * @param {Country[]} found
 */
function name(map, names, found) {
  names.clearLayers();
  for (const {name, middle, box} of found) {
    const wide = map.project([0, box.east]).x - map.project([0, box.west]).x;
    if (wide < ROOM) continue;
    const words = Object.assign(document.createElement('span'), {textContent: name});
    const icon = leaflet.divIcon({html: words, className: 'name', iconSize: undefined});
    leaflet.marker([middle[1], middle[0]], {icon, interactive: false, keyboard: false, pane: BELOW, zIndexOffset: OVER}).addTo(names);
  }
}

customElements.define('place-map', PlaceMap);
