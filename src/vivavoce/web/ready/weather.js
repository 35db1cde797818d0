/**
 * `get_weather`: what the weather is, and will be, anywhere on Earth, as Open-Meteo tells it to this browser.
 *
 * It takes and gives what the server's tool of that name does (`vivavoce.tools.weather`).
 */

const FORECAST_URL = 'https://api.open-meteo.com/v1/forecast';
const GEOCODING_URL = 'https://geocoding-api.open-meteo.com/v1/search';

/** For both requests together: a listener waits. */
const WEATHER_MS = 8000;

/** The most characters of an answer; an ordinary one has 2,000. */
const LONGEST = 1_000_000;

const CURRENT = 'temperature_2m,apparent_temperature,relative_humidity_2m,precipitation,weather_code,wind_speed_10m';
const DAILY = 'weather_code,temperature_2m_max,temperature_2m_min,precipitation_probability_max';

/** @type {Record<string, Record<string, string>>} */
const UNITS = {
  metric: {temperature_unit: 'celsius', wind_speed_unit: 'kmh', precipitation_unit: 'mm'},
  imperial: {temperature_unit: 'fahrenheit', wind_speed_unit: 'mph', precipitation_unit: 'inch'},
};

/** The codes of WMO table 4677 that forecasts use, in words. @type {Record<number, string>} */
export const SKIES = {
  0: 'clear sky',
  1: 'mainly clear',
  2: 'partly cloudy',
  3: 'overcast',
  45: 'fog',
  48: 'freezing fog',
  51: 'light drizzle',
  53: 'drizzle',
  55: 'dense drizzle',
  56: 'light freezing drizzle',
  57: 'freezing drizzle',
  61: 'light rain',
  63: 'rain',
  65: 'heavy rain',
  66: 'light freezing rain',
  67: 'freezing rain',
  71: 'light snow',
  73: 'snow',
  75: 'heavy snow',
  77: 'snow grains',
  80: 'light showers',
  81: 'showers',
  82: 'violent showers',
  85: 'light snow showers',
  86: 'heavy snow showers',
  95: 'thunderstorm',
  96: 'thunderstorm with some hail',
  99: 'thunderstorm with heavy hail',
};

/** @type {import('./ready-made.js').Definition} */
export const GET_WEATHER = {
  type: 'function',
  name: 'get_weather',
  description: 'Tell the weather at a place: what it is now, and what is forecast.',
  parameters: {
    type: 'object',
    properties: {
      location: {type: 'string', minLength: 1, maxLength: 200, description: 'Name of the place, such as "Paris, France".'},
      lat: optional({type: 'number', minimum: -90, maximum: 90}, 'Latitude, if you are sure of it; otherwise it is looked up.'),
      lng: optional({type: 'number', minimum: -180, maximum: 180}, 'Longitude, likewise.'),
      days: {type: 'integer', minimum: 1, maximum: 7, default: 1, description: 'How many days are forecast; today is the first.'},
      units: optional({enum: ['imperial', 'metric']}, 'If the user wants others than usual.'),
    },
    required: ['location'],
    additionalProperties: false,
  },
};

/**
 * @typedef {object} Day temperatures in the units asked for
 * @property {string} date
 * @property {string} [sky]
 * @property {number} [highest]
 * @property {number} [lowest]
 * @property {number} [chance_of_rain_percent]
 * @typedef {object} Report the weather at a place, in words and in numbers with their units
 * @property {string} location
 * @property {number} [latitude]
 * @property {number} [longitude]
 * @property {string} time there, by the clocks of the place
 * @property {string} [sky]
 * @property {string} [temperature]
 * @property {string} [feels_like]
 * @property {string} [humidity]
 * @property {string} [precipitation]
 * @property {string} [wind]
 * @property {Day[]} [days]
 * @typedef {{location: string, lat: number | null, lng: number | null, days: number, units: string}} Question
 */

/**
 * Ask Open-Meteo, which looks the place up by its name unless its coordinates are given.
 * @param {Record<string, any>} args as the model wrote them
 * @param {object} [parts]
 * @param {typeof globalThis.fetch} [parts.fetch]
 * @param {AbortSignal} [parts.signal] gives up
 * @returns {Promise<Report>}
 * @throws {Error} in words that can be spoken
 */
export async function getWeather(args, {fetch = globalThis.fetch.bind(globalThis), signal} = {}) {
  const {location, lat, lng, days, units} = checked(args);
  const limits = AbortSignal.any([AbortSignal.timeout(WEATHER_MS), ...(signal ? [signal] : [])]);
  const ask = (/** @type {string} */ url, /** @type {Record<string, string>} */ query) => asked(fetch, url, query, limits);
  const place = lat === null || lng === null ? await find(location, ask) : {location, latitude: lat, longitude: lng};
  const forecast = await ask(FORECAST_URL, {
    latitude: place.latitude.toFixed(4),
    longitude: place.longitude.toFixed(4),
    current: CURRENT,
    daily: DAILY,
    forecast_days: String(days),
    timezone: 'auto',
    ...UNITS[units],
  });
  return report(place, forecast);
}

/**
 * @param {string} output of a call
 * @returns {Report | null} null for what is no weather
 */
export function reportOf(output) {
  const value = parsed(output);
  if (typeof value?.location !== 'string' || typeof value.time !== 'string') return null;
  const {latitude, longitude} = value;
  const placed = within(latitude, -90, 90) && within(longitude, -180, 180) ? {latitude, longitude} : {};
  const told = ['sky', 'temperature', 'feels_like', 'humidity', 'precipitation', 'wind'];
  const texts = told.flatMap((key) => (typeof value[key] === 'string' ? [[key, value[key]]] : []));
  return {location: value.location, time: value.time, ...placed, ...Object.fromEntries(texts), days: daysOf(value.days)};
}

/**
 * @param {any} days
 * @returns {Day[]}
 */
function daysOf(days) {
  if (!Array.isArray(days)) return [];
  return days
    .filter((day) => typeof day?.date === 'string')
    .map(({date, sky, highest, lowest, chance_of_rain_percent}) => ({
      date,
      ...(typeof sky === 'string' ? {sky} : {}),
      ...numbers({highest, lowest, chance_of_rain_percent}),
    }));
}

/**
 * @param {Record<string, any>} args
 * @returns {Question}
 */
function checked({location, lat = null, lng = null, days = 1, units}) {
  if (typeof location !== 'string' || !location || location.length > 200) {
    throw new Error('location: expected the name of a place, of 1 to 200 characters.');
  }
  if (lat !== null && !within(lat, -90, 90)) throw new Error('lat: expected a latitude from -90 to 90.');
  if (lng !== null && !within(lng, -180, 180)) throw new Error('lng: expected a longitude from -180 to 180.');
  if (!Number.isInteger(days) || !within(days, 1, 7)) throw new Error('days: expected 1 to 7.');
  if (units && !Object.hasOwn(UNITS, units)) throw new Error('units: expected metric or imperial.');
  return {location, lat, lng, days, units: units || 'metric'};
}

/**
 * @param {string} name
 * @param {(url: string, query: Record<string, string>) => Promise<any>} ask
 */
async function find(name, ask) {
  const found = await ask(GEOCODING_URL, {name, count: '1', language: 'en', format: 'json'});
  const place = found.results?.[0];
  if (!within(place?.latitude, -90, 90) || !within(place?.longitude, -180, 180)) {
    throw new Error(`No place called ${name} is known; it may be spelt otherwise.`);
  }
  const parts = [place.name, place.admin1, place.country].filter((part) => typeof part === 'string' && part);
  return {location: parts.join(', ') || name, latitude: place.latitude, longitude: place.longitude};
}

/**
 * @param {typeof globalThis.fetch} fetch
 * @param {string} url
 * @param {Record<string, string>} query
 * @param {AbortSignal} signal
 * @returns {Promise<Record<string, any>>}
 */
async function asked(fetch, url, query, signal) {
  let response;
  let text;
  try {
    response = await fetch(`${url}?${new URLSearchParams(query)}`, {
      signal,
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      redirect: 'error',
    });
    text = await response.text();
  } catch (error) {
    if (/** @type {any} */ (error)?.name === 'TimeoutError') throw new Error('The weather service takes too long to answer.');
    throw new Error('The weather service cannot be reached.');
  }
  const value = text.length > LONGEST ? null : parsed(text);
  if (!response.ok) {
    const reason = typeof value?.reason === 'string' ? `does not answer that: ${value.reason}` : `does not answer (status ${response.status}).`;
    throw new Error(`The weather service ${reason}`);
  }
  if (!value) throw new Error('The weather service answered something that is no weather.');
  return value;
}

/**
 * @param {{location: string, latitude: number, longitude: number}} place
 * @param {Record<string, any>} forecast
 * @returns {Report}
 */
function report({location, latitude, longitude}, {current = {}, current_units: units = {}, daily = {}}) {
  const measured = (/** @type {string} */ name) => {
    const [value, unit] = [current?.[name], String(units?.[name] ?? '')];
    if (!Number.isFinite(value)) return undefined;
    return /^[°%]/.test(unit) ? `${value}${unit}` : `${value} ${unit}`;
  };
  const dates = Array.isArray(daily?.time) ? daily.time : [];
  return {
    location,
    latitude: rounded(latitude),
    longitude: rounded(longitude),
    time: String(current?.time ?? ''),
    sky: SKIES[current?.weather_code],
    temperature: measured('temperature_2m'),
    feels_like: measured('apparent_temperature'),
    humidity: measured('relative_humidity_2m'),
    precipitation: measured('precipitation'),
    wind: measured('wind_speed_10m'),
    days: dates.map((/** @type {unknown} */ date, /** @type {number} */ index) => ({
      date: String(date),
      sky: SKIES[daily.weather_code?.[index]],
      ...numbers({
        highest: daily.temperature_2m_max?.[index],
        lowest: daily.temperature_2m_min?.[index],
        chance_of_rain_percent: daily.precipitation_probability_max?.[index],
      }),
    })),
  };
}

/**
 * @param {Record<string, any>} values
 * @returns {Record<string, number>} those that are numbers
 */
function numbers(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => Number.isFinite(value)));
}

/**
 * @param {Record<string, any>} schema
 * @param {string} description
 */
function optional(schema, description) {
  return {anyOf: [schema, {type: 'null'}], default: null, description};
}

/**
 * @param {any} value
 * @param {number} least
 * @param {number} most
 */
function within(value, least, most) {
  return Number.isFinite(value) && value >= least && value <= most;
}

/** @param {number} degrees */
function rounded(degrees) {
  return Math.round(degrees * 10_000) / 10_000;
}

/**
 * @param {string} text
 * @returns {Record<string, any> | null} null for what is no JSON object
 */
function parsed(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
