/** Words in the page's language: nothing that is shown goes past them. */

import assert from 'node:assert/strict';
import {readFileSync, readdirSync} from 'node:fs';
import test from 'node:test';

import {clock, offset, span} from '../../src/vivavoce/web/inspect/times.js';
import {money} from '../../src/vivavoce/web/measure/prices.js';
import {fixed, moment, number, say, translate} from '../../src/vivavoce/web/words.js';
import {unsaid} from './templates.js';

const WEB = new URL('../../src/vivavoce/web/', import.meta.url);

/** What is the same in every language: names; and what Home Assistant lists before a card is there to say it. */
const NAMES = new Set([
  'Viva Voce', 'OpenAI Realtime', 'Natural Earth', 'WebSocket', 'WebRTC', 'Space', 'setSinkId', 'VoiceError',
  'Talk with your home, by Viva Voce.',
]);

/** Where words for the reader are; what only the model or a developer reads is elsewhere. */
const FOLDERS = ['elements/', 'inspect/', 'measure/', 'shape/'];
const MODULES = ['addresses.js', 'direct.js', 'hints.js', 'keys.js', 'problems.js', 'realtime-voice.js', 'replaying.js', 'homeassistant/card.js'];

/** @param {string} language */
function speak(language) {
  globalThis.document = /** @type {any} */ ({documentElement: {lang: language}});
}

test.afterEach(() => speak('en'));

const modules = [...FOLDERS.flatMap((folder) => readdirSync(new URL(folder, WEB)).map((name) => folder + name)), ...MODULES];

for (const module of modules) {
  test(`${module} says its words in the page’s language`, () => {
    const found = unsaid(readFileSync(new URL(module, WEB), 'utf8'));
    assert.deepEqual(found.filter((text) => !NAMES.has(text)), []);
  });
}

test('words that go past are found, wherever they stand', () => {
  const found = (/** @type {string} */ source) => unsaid(source);
  assert.deepEqual(found('html`<p>Hello, ${name}</p>`'), ['Hello,']);
  assert.deepEqual(found('html`<p title="Oh dear" class="big">${say("Hello")}</p>`'), ['Oh dear']);
  assert.deepEqual(found('html`<b aria-label=${on ? "off" : say("on")} @click=${() => go("there")}></b>`'), ['off']);
  assert.deepEqual(found('html`<b>${kind === "this" ? "that" : `${many} more`}</b>`'), ['that', ' more']);
  assert.deepEqual(found('html`<ul>${all.map((one) => html`<li>One of ${one}</li>`)}</ul>`'), ['One of']);
  assert.deepEqual(found('html`${toggle("Pause", on)} ${toggle(say("Clear"))}`'), ['Pause']);
  assert.deepEqual(found('function f() { this.said = `No link: ${error}`; }'), ['No link: ']);
  assert.deepEqual(found('const MOST = 3;\nthrow new TypeError("Expected a key.")'), ['Expected a key.']);
});

test('what is said, and what nobody sees, is let through', () => {
  for (const source of [
    'html`<p class="wide open" @click=${this.go}>${say("Hello, {0}", say("you"))}</p> <!-- a note -->`',
    'const LABELS = {one: "The first", two: "The other"};',
    'export const KINDS = [kind("The first")];',
    'css`.Title { content: "Hello"; }`',
    '// It is "Hello"\n/* `Hello` */ const clean = text.replace(/["\'`] Hello/g, "");',
    'if (state === "open") this.tell("close", {});',
    'html`<b>⚠ ${problem}</b> <i>×</i>`',
  ]) {
    assert.deepEqual(unsaid(source), [], source);
  }
});

test('numbers, spans, times and money are written as the page’s language has them', () => {
  assert.deepEqual([number(1234.5), fixed(2, 2), number(-0), say('{0} of {1}', 1000, 'x')], ['1,234.5', '2.00', '0', '1,000 of x']);
  assert.deepEqual([span(340.4), span(1250), span(-0.2), span(null)], ['340 ms', '1.25 s', '0 ms', '–']);
  assert.deepEqual([offset(1234), offset(62_345)], ['1.234', '1:02.345']);
  assert.match(clock(1_700_000_000_120), /^\d\d:\d\d:\d\d\.120$/);
  speak('de');
  assert.deepEqual([number(1234.5), span(1250), offset(62_345), money(0.5)], ['1.234,5', '1,25 s', '1:02,345', '0,5000\u{a0}$']);
  assert.match(clock(1_700_000_000_120), /^\d\d:\d\d:\d\d,120$/);
  assert.equal(moment(new Date('2026-11-21T12:00'), {weekday: 'short', day: 'numeric'}), 'Sa., 21.');
});

test('a language that there is not is English', () => {
  speak('en_US');
  assert.equal(number(0.5), '0.5');
});

test('the words around values may be another order', () => {
  translate({'{0} of {1} in {2}': 'in {2}: {0} von {1}'});
  assert.equal(say('{0} of {1} in {2}', 1, 2, span(340)), 'in 340 ms: 1 von 2');
});
