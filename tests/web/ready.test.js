import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Memory} from '../../src/vivavoce/web/ready/memory.js';
import {ReadyMade, known} from '../../src/vivavoce/web/ready/ready-made.js';
import {getWeather, reportOf} from '../../src/vivavoce/web/ready/weather.js';

const GHENT = {name: 'Ghent', admin1: 'Flanders', country: 'Belgium', latitude: 51.05, longitude: 3.716667};
const FORECAST = {
  current_units: {temperature_2m: '°C', apparent_temperature: '°C', relative_humidity_2m: '%', wind_speed_10m: 'km/h'},
  current: {
    time: '2026-11-21T07:45',
    temperature_2m: 7.0,
    apparent_temperature: -4.5,
    relative_humidity_2m: 81,
    weather_code: 61,
    wind_speed_10m: 14.5,
  },
  daily: {
    time: ['2026-11-21', '2026-11-22'],
    weather_code: [63, null],
    temperature_2m_max: [9.1, 12],
    temperature_2m_min: [2.2, null],
    precipitation_probability_max: [90],
  },
};

/** An Open-Meteo that keeps what it was asked. @param {Record<string, any>} [answers] */
function openMeteo({places = {results: [GHENT]}, forecast = FORECAST, status = 200} = {}) {
  /** @type {[URL, RequestInit][]} */
  const asked = [];
  const fetch = async (/** @type {string} */ address, /** @type {RequestInit} */ options) => {
    const url = new URL(address);
    asked.push([url, options]);
    const answer = url.host.startsWith('geocoding') ? places : forecast;
    return new Response(typeof answer === 'string' ? answer : JSON.stringify(answer), {status});
  };
  return {asked, fetch: /** @type {typeof globalThis.fetch} */ (/** @type {unknown} */ (fetch))};
}

/** @param {Record<string, string>} [kept] */
function store(kept = {}) {
  return {getItem: (/** @type {string} */ key) => kept[key] ?? null, setItem: (/** @type {string} */ key, /** @type {string} */ value) => void (kept[key] = value)};
}

test('a place is looked up and its weather told', async () => {
  const service = openMeteo();
  const report = await getWeather({location: 'Ghent', days: 2}, service);
  assert.deepEqual(JSON.parse(JSON.stringify(report)), {
    location: 'Ghent, Flanders, Belgium',
    latitude: 51.05,
    longitude: 3.7167,
    time: '2026-11-21T07:45',
    sky: 'light rain',
    temperature: '7°C',
    feels_like: '-4.5°C',
    humidity: '81%',
    wind: '14.5 km/h',
    days: [
      {date: '2026-11-21', sky: 'rain', highest: 9.1, lowest: 2.2, chance_of_rain_percent: 90},
      {date: '2026-11-22', highest: 12},
    ],
  });
  const [[search, options], [forecast]] = service.asked;
  assert.equal(search.origin + search.pathname, 'https://geocoding-api.open-meteo.com/v1/search');
  assert.equal(search.searchParams.get('name'), 'Ghent');
  assert.equal(forecast.origin + forecast.pathname, 'https://api.open-meteo.com/v1/forecast');
  assert.equal(forecast.searchParams.get('latitude'), '51.0500');
  assert.equal(forecast.searchParams.get('forecast_days'), '2');
  assert.equal(forecast.searchParams.get('temperature_unit'), 'celsius');
  assert.equal(options.credentials, 'omit');
  assert.equal(options.referrerPolicy, 'no-referrer');
});

test('a place with coordinates is not looked up', async () => {
  const service = openMeteo();
  const report = await getWeather({location: 'home', lat: 1, lng: -2, units: 'imperial'}, service);
  assert.equal(service.asked.length, 1);
  assert.equal(service.asked[0][0].searchParams.get('wind_speed_unit'), 'mph');
  assert.deepEqual([report.location, report.latitude, report.longitude], ['home', 1, -2]);
});

test('arguments that are none are refused, and nobody is asked', async () => {
  const service = openMeteo();
  for (const [args, words] of /** @type {[any, RegExp][]} */ ([
    [{}, /^location: expected/],
    [{location: 'x'.repeat(201)}, /^location: expected/],
    [{location: 'x', lat: 91, lng: 0}, /^lat: expected/],
    [{location: 'x', lat: 0, lng: 'east'}, /^lng: expected/],
    [{location: 'x', days: 1.5}, /^days: expected/],
    [{location: 'x', units: 'toString'}, /^units: expected/],
  ])) {
    await assert.rejects(getWeather(args, service), {message: words});
  }
  assert.equal(service.asked.length, 0);
});

test('what goes wrong is said in words', async () => {
  const asked = (/** @type {any} */ answers) => getWeather({location: 'Nowhere'}, openMeteo(answers));
  await assert.rejects(asked({places: {}}), /No place called Nowhere is known/);
  await assert.rejects(asked({places: {results: [{latitude: 'x', longitude: 0}]}}), /No place/);
  await assert.rejects(asked({status: 429, places: {reason: 'Too often.'}}), /does not answer that: Too often\./);
  await assert.rejects(asked({status: 502, places: '<html>'}), /\(status 502\)/);
  await assert.rejects(asked({places: '<html>'}), /no weather/);
  const away = /** @type {any} */ (async () => Promise.reject(new TypeError('Failed to fetch')));
  await assert.rejects(getWeather({location: 'x'}, {fetch: away}), /cannot be reached/);
  const late = /** @type {any} */ (async () => Promise.reject(new DOMException('late', 'TimeoutError')));
  await assert.rejects(getWeather({location: 'x'}, {fetch: late}), /takes too long/);
});

test('a result is read as weather only where it is', () => {
  const told = {location: 'Ghent', time: '2026-11-21T07:45', latitude: 51, longitude: 3, sky: 'fog', wind: 7, days: [{date: 1}, {date: 'd', highest: 'x', lowest: 3}]};
  const report = {location: 'Ghent', time: '2026-11-21T07:45', latitude: 51, longitude: 3, sky: 'fog', days: [{date: 'd', lowest: 3}]};
  assert.deepEqual(reportOf(JSON.stringify(told)), report);
  assert.equal(reportOf(JSON.stringify({...told, latitude: 200}))?.latitude, undefined);
  for (const none of ['', 'null', '[]', '"x"', '{"error":"x"}', '{"location":"x"}']) assert.equal(reportOf(none), null);
});

test('what is remembered is kept, changed and forgotten', () => {
  const kept = {};
  const memory = new Memory(store(kept));
  assert.equal(memory.run('set_memory', {key: 'colour', value: 'green'}), 'Remembered.');
  assert.equal(memory.run('set_memory', {key: '__proto__', value: 'odd'}), 'Remembered.');
  memory.run('set_memory', {key: 'colour', value: 'blue'});
  assert.equal(memory.latest, 'colour');
  const another = new Memory(store(kept));
  assert.deepEqual([...another.known], [['colour', 'blue'], ['__proto__', 'odd']]);
  assert.deepEqual(another.run('get_memory', {key: 'colour'}), {colour: 'blue'});
  assert.equal(Object.keys(/** @type {any} */ (another.run('get_memory', {}))).length, 2);
  assert.equal(another.run('delete_memory', {key: 'colour'}), 'Forgotten.');
  assert.deepEqual([...memory.known.keys()], ['__proto__']);
  assert.throws(() => memory.run('delete_memory', {key: 'colour'}), /Nothing is remembered as colour/);
  assert.throws(() => memory.run('set_memory', {key: '', value: 'x'}), /^Error: key: expected/);
  assert.throws(() => memory.run('set_memory', {key: 'k', value: 7}), /^Error: value: expected/);
  memory.clear();
  assert.equal(another.known.size, 0);
});

test('a hundred things are remembered', () => {
  const memory = new Memory(store());
  for (let n = 0; n < 100; n++) memory.remember(`k${n}`, 'v');
  memory.remember('k7', 'w');
  assert.throws(() => memory.remember('more', 'v'), /No more than 100/);
  assert.equal(memory.known.size, 100);
});

test('without a storage it is remembered as long as the page is there', () => {
  const full = {getItem: () => null, setItem: () => assert.fail('full')};
  for (const memory of [new Memory(null), new Memory(full)]) {
    memory.remember('colour', 'green');
    assert.equal(memory.known.get('colour'), 'green');
  }
  assert.equal(new Memory(store({'vivavoce.memory': 'somebody else’s'})).known.size, 0);
  assert.equal(new Memory(store({'vivavoce.memory': '[1]'})).known.size, 0);
});

test('the model is told once in a session, if there is anything and it is wanted', () => {
  const memory = new Memory(store());
  const ready = new ReadyMade(memory);
  const opening = () => (ready.begin(), ready.opening(['memory']));
  assert.equal(opening(), '');
  memory.remember('colour', '<b>green</b>');
  assert.match(opening(), /\{"colour":"<b>green<\/b>"\}$/);
  assert.equal(ready.opening(['memory']), '');
  ready.begin();
  assert.equal(ready.opening(['weather']), '');
  memory.told = false;
  assert.equal(opening(), '');
  memory.remember('size', 'tall');
  assert.equal(memory.told, false);
});

test('a failure is a result too', async () => {
  const ready = new ReadyMade(new Memory(null), openMeteo({places: {}}).fetch);
  const run = async (/** @type {string} */ name, /** @type {string} */ args) => (await ready.run({name, args})).output;
  assert.equal(await run('set_memory', '{"key":"a","value":"b"}'), 'Remembered.');
  assert.equal(await run('get_memory', '{}'), '{"a":"b"}');
  assert.match(await run('get_weather', '{"location":"x"}'), /^\{"error":"No place called x/);
  assert.match(await run('get_weather', '{'), /^\{"error":"The arguments are no JSON/);
  assert.match(await run('get_weather', '[]'), /^\{"error":"Expected arguments in an object/);
});

test('what a session asked for is given up with it', async () => {
  /** @type {AbortSignal | undefined} */
  let signal;
  const never = (/** @type {any} */ _, /** @type {any} */ options) => {
    signal = options.signal;
    return new Promise((_, reject) => options.signal.addEventListener('abort', () => reject(options.signal.reason)));
  };
  const ready = new ReadyMade(new Memory(null), /** @type {any} */ (never));
  ready.begin();
  const running = ready.run({name: 'get_weather', args: '{"location":"x"}'});
  await Promise.resolve();
  ready.end();
  assert.equal((await running).late, true);
  assert.equal(signal?.aborted, true);
});

test('only tools that there are can be on', () => {
  assert.deepEqual(known(['memory', 'rocket', 'weather']), ['weather', 'memory']);
  assert.deepEqual(known(undefined), []);
  assert.deepEqual(known('weather'), []);
});
