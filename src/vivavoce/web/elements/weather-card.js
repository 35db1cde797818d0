/**
 * `<weather-card>`: the weather at a place, and where that is. Event `tiles` with whether maps are to have pictures
 * from the network.
 */

import {LitElement, css, html, nothing} from '../vendor/lit.js';
import {fixed, moment, number, say} from '../words.js';
import './place-map.js';
import {sharedStyles} from './shared-styles.js';

/**
 * @typedef {import('../ready/weather.js').Report} Report
 * @typedef {import('../ready/weather.js').Day} Day
 */

export class WeatherCard extends LitElement {
  static styles = [
    sharedStyles,
    css`
      :host {
        max-inline-size: 34rem;
        border: 1px solid var(--line);
        border-radius: 0.75rem;
        background: var(--surface);
        overflow: hidden;
      }
      .now,
      .days,
      .map,
      footer {
        padding: 0.9rem 1rem;
      }
      h2,
      p,
      dl,
      dd,
      ol {
        margin: 0;
        padding: 0;
      }
      h2 {
        font: 500 1.125rem var(--font-title);
      }
      .temperature {
        font: 400 2.25rem/1.2 var(--font-title);
        font-variant-numeric: lining-nums;
      }
      .soft,
      footer {
        font-size: var(--text-small);
        color: var(--ink-soft);
      }
      dl {
        display: flex;
        flex-wrap: wrap;
        gap: 0.4rem 1.5rem;
        margin-block-start: 0.5rem;
      }
      dt {
        font-size: var(--text-small);
        color: var(--ink-soft);
      }
      dd,
      .days span:last-child {
        unicode-bidi: plaintext;
      }
      .days {
        border-block-start: 1px solid var(--line);
        list-style: none;
        font-size: var(--text-small);
      }
      .days li {
        display: grid;
        grid-template-columns: 6rem minmax(0, 1fr) auto;
        gap: 0.75rem;
        font-variant-numeric: tabular-nums;
      }
      .map {
        display: grid;
        gap: 0.6rem;
        padding-block-start: 0;
      }
      .map .small {
        justify-self: start;
      }
      footer {
        padding-block-start: 0;
      }
      footer a {
        color: inherit;
      }
    `,
  ];

  static properties = {report: {attribute: false}, tiles: {type: Boolean}, unreachable: {state: true}};

  constructor() {
    super();
    /** @type {Report | null} */
    this.report = null;
    /** The map has pictures from the network. */
    this.tiles = false;
    /** The pictures do not come. */
    this.unreachable = false;
  }

  render() {
    const {report} = this;
    if (!report) return nothing;
    const {location, time, sky, temperature, days = []} = report;
    return html`
      <div class="now">
        <h2 dir="auto">${location}</h2>
        ${temperature ? html`<p class="temperature">${temperature}</p>` : nothing}
        <p>${sky ? say(sky) : nothing}</p>
        <dl>
          ${this.#fact(say('Feels like'), report.feels_like)} ${this.#fact(say('Wind'), report.wind)}
          ${this.#fact(say('Humidity'), report.humidity)} ${this.#fact(say('Precipitation'), report.precipitation)}
        </dl>
      </div>
      ${days.length > 1 ? html`<ol class="days">${days.map((day) => this.#day(day))}</ol>` : nothing} ${this.#map(report)}
      <footer>
        <p>
          ${time ? say('{0} local time.', clock(time)) : nothing}
          <a href="https://open-meteo.com/" target="_blank" rel="noreferrer">${say('Weather data by Open-Meteo.com')}</a>
        </p>
      </footer>
    `;
  }

  /**
   * @param {string} label
   * @param {string} [value]
   */
  #fact(label, value) {
    return value ? html`<div><dt>${label}</dt><dd>${value}</dd></div>` : nothing;
  }

  /** @param {Day} day */
  #day({date, sky, highest, lowest, chance_of_rain_percent: rain}) {
    const range = [lowest, highest].filter((value) => value !== undefined).map((value) => `${number(value)}°`.replace('-', '−'));
    return html`<li>
      <span>${dayOf(date)}</span>
      <span>${sky ? say(sky) : nothing}${rain === undefined ? nothing : html` <span class="soft">${say('{0} % rain', rain)}</span>`}</span>
      <span>${range.join(' … ')}</span>
    </li>`;
  }

  /** @param {Report} report */
  #map({location, latitude, longitude}) {
    if (latitude === undefined || longitude === undefined) return nothing;
    return html`<div class="map">
      <place-map
        .latitude=${latitude}
        .longitude=${longitude}
        .label=${location}
        ?tiles=${this.tiles && !this.unreachable}
        @unreachable=${() => (this.unreachable = true)}
      ></place-map>
      <p class="soft">${coordinates(latitude, longitude)}</p>
      <button class="small" type="button" aria-pressed=${this.tiles} @click=${this.#choose}>
        ${say('Streets from OpenStreetMap')}
      </button>
      <p class="soft" role="status">
        ${this.tiles && this.unreachable ? say('OpenStreetMap does not answer; these are the outlines that came with the page.') : nothing}
      </p>
    </div>`;
  }

  #choose() {
    this.unreachable = false;
    this.dispatchEvent(new CustomEvent('tiles', {detail: !this.tiles}));
  }
}

/**
 * @param {string} time in ISO 8601
 * @returns {string} hours and minutes, where there are any
 */
function clock(time) {
  return /T(\d\d:\d\d)/.exec(time)?.[1] ?? time;
}

/**
 * @param {string} date in ISO 8601
 * @returns {string} the day of the week, and which one
 */
function dayOf(date) {
  const noon = new Date(`${date}T12:00`);
  if (Number.isNaN(noon.valueOf())) return date;
  return moment(noon, {weekday: 'short', day: 'numeric', month: 'short'});
}

/**
 * @param {number} latitude
 * @param {number} longitude
 */
function coordinates(latitude, longitude) {
  const [north, east] = [fixed(Math.abs(latitude), 2), fixed(Math.abs(longitude), 2)];
  const parallel = latitude < 0 ? say('{0}° S', north) : say('{0}° N', north);
  return `${parallel}, ${longitude < 0 ? say('{0}° W', east) : say('{0}° E', east)}`;
}

customElements.define('weather-card', WeatherCard);
