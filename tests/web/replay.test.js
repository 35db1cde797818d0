import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';

import {read} from '../../src/vivavoce/web/inspect/recording.js';
import {Replay} from '../../src/vivavoce/web/inspect/replay.js';
import {Rows} from '../../src/vivavoce/web/inspect/rows.js';
import {rest, soundtrack} from '../../src/vivavoce/web/inspect/soundtrack.js';
import {summary} from '../../src/vivavoce/web/inspect/summary.js';
import {encode} from '../../src/vivavoce/web/pcm.js';
import {Replaying} from '../../src/vivavoce/web/replaying.js';

const WIRE = readFileSync(new URL('../wire/test_openai_ws__test_tool_call_round.jsonl', import.meta.url), 'utf8');

/** @param {number} ms @param {number} [level] */
const audio = (ms, level = 1) => encode(new Int16Array(ms * 24).fill(level));

/** @param {[t: number, kind: string, fields?: object][]} frames `[ms, 'S type', {…}]` */
function recording(...frames) {
  const lines = frames.map(([t, kind, fields = {}]) => {
    const [dir, type] = kind.split(' ');
    return JSON.stringify({dir, event: {type, ...fields}, t: t / 1000});
  });
  return read(lines.join('\n'));
}

/** A turn by voice: heard until 100 ms, answered with 400 ms of sound that comes in an instant. */
const TALK = /** @type {const} */ ([
  [0, 'S session.created', {session: {}}],
  [50, 'C input_audio_buffer.append', {audio: audio(40, 5)}],
  [100, 'C input_audio_buffer.append', {audio: audio(40, 6)}],
  [500, 'S input_audio_buffer.committed', {item_id: 'u'}],
  [510, 'S conversation.item.added', {item: {id: 'u', type: 'message', role: 'user', content: [{type: 'input_audio'}]}}],
  [600, 'S response.created', {response: {id: 'r'}}],
  [650, 'S conversation.item.input_audio_transcription.completed', {item_id: 'u', transcript: 'Well?'}],
  [700, 'S response.output_audio.delta', {response_id: 'r', item_id: 'a', delta: audio(200, 7)}],
  [702, 'S response.output_audio.delta', {response_id: 'r', item_id: 'a', delta: audio(200, 8)}],
  [710, 'S response.output_audio_transcript.done', {response_id: 'r', item_id: 'a', content_index: 0, transcript: 'Yes.'}],
  [720, 'S response.done', {response: {id: 'r', status: 'completed', output: []}}],
]);

/** @param {Replay} replay */
const happened = ({log}) => log.entries.map(({event}) => event.type.split('.').slice(-2).join('.'));

/** @param {import('../../src/vivavoce/web/inspect/soundtrack.js').Sound[]} sounds */
const spans = (sounds) => sounds.map(({from, until}) => [Math.round(from), Math.round(until)]);

test('a recording is open at its end, and nothing is lost of it', () => {
  const replay = new Replay('a', recording(...TALK));
  assert.deepEqual([replay.at, replay.ended, replay.playing], [1100, true, false]);
  assert.deepEqual(replay.log.entries, replay.recorded.entries);
  assert.deepEqual(replay.conversation.items.map(({id, role}) => [id, role]), [['u', 'user'], ['a', 'assistant']]);
  assert.equal(replay.turns.turns.length, 1);
  assert.equal(replay.sounds.has('a') && replay.sounds.has('u'), true);
});

for (const event of [
  {type: 'response.created'},
  {type: 'response.done'},
  {type: 'response.done', response: {status: 'completed', output: null}},
  {type: 'response.done', response: {status: 'completed', output: [null]}},
  {type: 'response.done', response: {id: 'r', status: 'completed', output: 'x'}},
  {type: 'response.done', response: {id: 'r', status: 'completed', output: [{content: 5}]}},
  {type: 'conversation.item.done', item: {id: 'x', content: 5}},
  {type: 'rate_limits.updated', rate_limits: [null]},
  {type: 'error'},
]) {
  test(`a recording is open in spite of ${JSON.stringify(event)}`, () => {
    const {type, ...fields} = event;
    const replay = new Replay('a', recording(...TALK, [730, `S ${type}`, fields], [800, 'S response.created', {response: {id: 's'}}]));
    assert.equal(replay.log.entries.length, TALK.length + 2);
    assert.equal(replay.turns.turns.at(-1)?.id, 's');
    const rows = new Rows();
    rows.show(replay.log.entries);
    for (const row of rows.rows) assert.equal(typeof summary(row), 'string');
  });
}

test('an event that says nothing of what it is about changes no words', () => {
  const replay = new Replay('a', recording([0, 'S conversation.item.added'], ...TALK));
  assert.equal(replay.log.entries.length, TALK.length + 1);
  assert.equal(replay.conversation.items.length, 2);
});

test('events happen when they did, and what is read out of them follows', () => {
  const replay = new Replay('a', recording(...TALK));
  replay.play(5000);
  assert.deepEqual([replay.at, happened(replay)], [0, ['session.created']]);
  assert.deepEqual(replay.advance(5049), []);
  assert.deepEqual(replay.advance(5060).map(({event}) => event.type), ['input_audio_buffer.append']);
  replay.advance(5649);
  assert.equal(replay.conversation.items[0].parts[0].text, '');
  replay.advance(5650);
  assert.equal(replay.conversation.items[0].parts[0].text, 'Well?');
  assert.deepEqual(Object.keys(replay.turns.turns[0].stages), ['decided', 'created', 'transcript']);
  replay.advance(5800);
  assert.equal(replay.speaking, true);
  replay.advance(99_999);
  assert.deepEqual([replay.playing, replay.speaking, replay.at], [false, false, 1100]);
});

test('a pause takes no time, and speed is a factor', () => {
  const replay = new Replay('a', recording(...TALK));
  replay.play(0);
  replay.advance(100);
  replay.pause();
  assert.deepEqual(replay.advance(10_000), []);
  replay.speed = 4;
  replay.play(20_000);
  replay.advance(20_100);
  assert.equal(replay.at, 500);
  assert.equal(happened(replay).at(-1), 'input_audio_buffer.committed');
  replay.advance(20_000); // a clock that goes back
  assert.equal(replay.at, 500);
});

test('wherever one goes, all before has happened and nothing after', () => {
  const replay = new Replay('wire', read(WIRE));
  const {entries} = replay.recorded;
  for (const at of [0, replay.length, replay.length / 2, replay.length / 3, -5, Infinity, 100]) {
    replay.seek(at);
    assert.deepEqual(replay.log.entries, entries.filter(({t}) => t <= replay.at), `at ${at}`);
  }
});

test('steps go event by event, also where several came at one time', () => {
  const replay = new Replay('a', recording([0, 'S a'], [10, 'S b'], [10, 'S c'], [20, 'S d']));
  replay.seek(0);
  const seen = [1, 1, 1, 1, -1, -1, -1, -1, -1].map((by) => {
    replay.step(/** @type {1 | -1} */ (by));
    return replay.log.entries.length;
  });
  assert.deepEqual(seen, [2, 3, 4, 4, 3, 2, 1, 0, 0]);
  assert.equal(replay.playing, false);
});

test('answers sound one piece after the other, speech when it was spoken', () => {
  const sounds = soundtrack(recording(...TALK).entries);
  assert.deepEqual(spans(sounds.C), [[10, 50], [50, 90]]);
  assert.deepEqual(spans(sounds.S), [[700, 900], [900, 1100]]);
  assert.deepEqual(sounds.S.map(({first, last}) => [first, last]), [[true, false], [false, true]]);
});

test('what was interrupted does not sound', () => {
  const cut = (/** @type {any[]} */ ...frames) => spans(soundtrack(recording(...TALK.slice(5, 9), ...frames).entries).S);
  assert.deepEqual(cut([800, 'S input_audio_buffer.speech_started']), [[700, 800]]);
  assert.deepEqual(cut([950, 'C conversation.item.truncate', {}]), [[700, 900], [900, 950]]);
  const late = [810, 'S response.output_audio.delta', {response_id: 'r', delta: audio(40)}];
  assert.deepEqual(cut([800, 'C response.cancel'], late), [[700, 800]]);
});

/** @param {string} input @param {string} output */
const session = (input, output) => ({session: {audio: {input: {format: {type: input}}, output: {format: {type: output}}}}});

test('telephone audio lasts six times as long as PCM16 of its bytes, and is decoded', () => {
  const {C, S} = soundtrack(recording([0, 'S session.updated', session('audio/pcmu', 'audio/pcma')], ...TALK.slice(1)).entries);
  assert.deepEqual([spans(C)[0], spans(S)], [[0, 240], [[700, 1900], [1900, 3100]]]);
  assert.deepEqual([C[0].rate, rest(C[0], 0).length, rest(S[0], 1300).length], [8000, 240 * 8, 600 * 8]);
  assert.deepEqual([rest(C[0], 0)[1], rest(S[0], 0)[1]], [-32_124, -5504]); // both are code 0
});

test('a response may have a format of its own', () => {
  const own = {response: {id: 'r', audio: {output: {format: {type: 'audio/pcmu'}}}}};
  const {S} = soundtrack(recording([600, 'S response.created', own], ...TALK.slice(7)).entries);
  assert.deepEqual(S.map(({format}) => format), ['audio/pcmu', 'audio/pcmu']);
});

test('no sound is made of formats of the future, nor of what is none', () => {
  const future = session('audio/x', 'audio/x');
  assert.deepEqual(soundtrack(recording([0, 'S session.updated', future], ...TALK.slice(1)).entries), {C: [], S: []});
  const [odd] = soundtrack(recording([0, 'S response.output_audio.delta', {delta: '@@@@'}]).entries).S;
  assert.equal(rest(odd, 0).length, 0);
});

/** @param {number} rate @param {[ms: number, level: number][]} parts */
const tape = (rate, ...parts) => ({rate, samples: Int16Array.from(parts.flatMap(([ms, level]) => Array(ms * rate / 1000).fill(level)))});

test('what was recorded beside the events is what is heard, but for its silence', () => {
  const entries = recording(...TALK).entries;
  const {C, S} = soundtrack(entries, {S: tape(16_000, [600, 0], [150, 700], [450, 1], [100, 900])});
  assert.deepEqual(spans(C), [[10, 50], [50, 90]]);
  assert.deepEqual([S[0], S.at(-1)].map((one) => [one?.from, one?.until]), [[600, 700], [1200, 1300]]);
  assert.deepEqual([rest(S[0], 650).length, rest(S[0], 0)[0], S[1].last, S[2].first], [50 * 16, 700, true, true]);
});

test('the items of a call are on its tapes', () => {
  const replay = new Replay('a', recording(
    [0, 'S session.created', {session: {}}],
    [40, 'C input_audio_buffer.append', {audio: ''}],
    [1000, 'S input_audio_buffer.speech_started', {item_id: 'u', audio_start_ms: 200}],
    [1500, 'S input_audio_buffer.speech_stopped', {item_id: 'u', audio_end_ms: 1000}],
    [1500, 'S input_audio_buffer.committed', {item_id: 'u'}],
    [1600, 'S response.output_item.added', {response_id: 'r', item: {id: 'a', type: 'message'}}],
    [2000, 'S output_audio_buffer.started', {response_id: 'r'}],
    [2500, 'S output_audio_buffer.stopped', {response_id: 'r'}],
  ), {C: tape(24_000, [200, 1], [800, 5], [2000, 2]), S: tape(48_000, [2000, 0], [500, 4000], [500, 0])});
  assert.deepEqual([...new Set(replay.sounds.of('u'))], [5 / 32_768]);
  assert.equal(replay.sounds.of('u').length, 800 * 24);
  assert.ok(Math.abs(replay.sounds.of('a').length / 24 - 500) < 45, `${replay.sounds.of('a').length / 24} ms`);
  assert.equal(replay.length, 2500);
});

test('the rest of a sound is what is after its beginning and before its end', () => {
  const sound = {from: 100, until: 180, audio: audio(100), format: 'audio/pcm', rate: 24_000, first: true, last: true};
  assert.deepEqual([0, 100, 140, 180, 300].map((at) => rest(sound, at).length / 24), [80, 80, 40, 0, 0]);
});

/** Loudspeakers that keep what they get. */
function stage(frames = [...TALK]) {
  let now = 0;
  /** @type {any[]} */
  const heard = [];
  let opened = 0;
  const voice = async () => {
    const place = opened++;
    return {
      push: (/** @type {string} */ _id, /** @type {number} */ _index, /** @type {Int16Array} */ samples) => heard.push(['CS'[place], samples[0], samples.length / 24]),
      finish: () => heard.push(['CS'[place], 'end']),
      interrupt: async () => heard.push(['CS'[place], 'stop']),
      level: () => place + 1,
      close: () => heard.push(['CS'[place], 'closed']),
    };
  };
  const replaying = new Replaying('a', recording(...frames), {voice: /** @type {any} */ (voice), now: () => now});
  return {replaying, heard, at: (/** @type {number} */ ms) => ((now = ms), replaying.tick())};
}

test('sound goes to the loudspeakers in time, and a pause silences them', async () => {
  const {replaying, heard, at} = stage();
  await replaying.toggle();
  assert.deepEqual(heard.splice(0), [['C', 'stop'], ['S', 'stop']]);
  at(15);
  assert.deepEqual(heard.splice(0), [['C', 5, 40], ['C', 6, 40], ['C', 'end']]);
  assert.deepEqual(replaying.levels(), {input: 1, output: 2});
  at(699);
  assert.deepEqual(heard.splice(0), []);
  at(700);
  assert.deepEqual(heard.splice(0), [['S', 7, 200], ['S', 8, 200], ['S', 'end']]);
  at(740);
  assert.deepEqual(heard.splice(0), []);
  await replaying.toggle();
  assert.deepEqual(heard.splice(0), [['C', 'stop'], ['S', 'stop']]);
  replaying.seek(850);
  assert.deepEqual(replaying.levels(), {input: 0, output: 0});
  await replaying.toggle();
  assert.deepEqual(heard.filter(([, what]) => what !== 'stop'), [['S', 7, 50], ['S', 8, 200], ['S', 'end']]);
  replaying.close();
  assert.deepEqual(heard.slice(-2), [['C', 'closed'], ['S', 'closed']]);
});

test('telephone audio goes to the loudspeakers at their rate, and none of it is lost', async () => {
  const {replaying, heard, at} = stage([[0, 'S session.updated', session('audio/pcmu', 'audio/pcma')], ...TALK.slice(1)]);
  await replaying.toggle();
  for (let ms = 0; ms < 3000; ms += 40) at(ms);
  const lengths = ['C', 'S'].map((side) => heard.filter(([whose, , ms]) => whose === side && ms).reduce((sum, [, , ms]) => sum + ms, 0));
  assert.deepEqual(lengths.map(Math.round), [480, 2400]);
  replaying.close();
});

test('at another speed it is silent', async () => {
  const {replaying, heard, at} = stage();
  replaying.hurry(2);
  await replaying.toggle();
  at(400);
  assert.equal(replaying.replay.at, 800);
  assert.deepEqual(heard.filter(([, what]) => what !== 'stop'), []);
  replaying.close();
});

test('views are told what happens, and when to begin anew', async () => {
  const {replaying, at} = stage();
  /** @type {any[]} */
  const told = [];
  replaying.addEventListener('event', (event) => told.push(/** @type {CustomEvent} */ (event).detail?.event.type ?? null));
  await replaying.toggle();
  assert.deepEqual(told.splice(0), [null]);
  at(55);
  assert.deepEqual(told.splice(0), ['input_audio_buffer.append']);
  replaying.step(1);
  replaying.seek(0);
  assert.deepEqual(told, [null, null]);
  replaying.close();
});

test('a browser without sound plays it in silence, and says so', async () => {
  const replaying = new Replaying('a', recording(...TALK), {voice: async () => Promise.reject(new Error('No sound.')), now: () => 0});
  await replaying.toggle();
  assert.match(replaying.problem, /No sound/);
  assert.equal(replaying.replay.playing, true);
  replaying.close();
});
