import assert from 'node:assert/strict';
import {test} from 'node:test';

import {EVENTS} from '../../src/vivavoce/web/protocol.js';
import {LISTENING, SPEAKING, TURNS, get, parse, set, settled} from '../../src/vivavoce/web/shape/fields.js';
import {checked, decode, encode} from '../../src/vivavoce/web/shape/presets.js';
import {parse as parseEvent, templates} from '../../src/vivavoce/web/shape/templates.js';
import {EXAMPLE, wire, wrong} from '../../src/vivavoce/web/shape/tools.js';

const field = (/** @type {string} */ label) => {
  const found = [...SPEAKING, ...LISTENING, ...TURNS].find((one) => one.label === label);
  assert.ok(found);
  return found;
};

test('bounds and choices are those of the protocol', () => {
  const speed = field('Speed');
  assert.deepEqual([speed.path, speed.minimum, speed.maximum], ['audio.output.speed', 0.25, 1.5]);
  assert.deepEqual([...field('Eagerness').choices].sort(), ['auto', 'high', 'low', 'medium']);
  assert.deepEqual(field('Noise reduction').choices, ['far_field', 'near_field']);
  assert.ok(field('Thinking').choices.includes('low'));
});

test('a parameter knows which turn detection has it', () => {
  assert.equal(field('Silence, ms').when, 'server_vad');
  assert.equal(field('Eagerness').when, 'semantic_vad');
  assert.equal(field('Answer by itself').when, undefined);
  assert.equal(field('Answer by itself').path, 'audio.input.turn_detection.create_response');
});

test('what is set is there, and what is left alone leaves nothing behind', () => {
  const shape = set(set({}, 'audio.output.voice', 'sage'), 'instructions', 'Hi');
  assert.deepEqual(shape, {audio: {output: {voice: 'sage'}}, instructions: 'Hi'});
  assert.equal(get(shape, 'audio.output.voice'), 'sage');
  assert.equal(get(shape, 'audio.input.voice'), undefined);
  assert.deepEqual(set(shape, 'audio.output.voice', undefined), {instructions: 'Hi'});
});

test('what is typed becomes what the protocol wants', () => {
  assert.equal(parse(field('Speed'), '1.25'), 1.25);
  assert.equal(parse(field('Speed'), 'fast'), undefined);
  assert.equal(parse(field('Answer by itself'), 'false'), false);
  assert.equal(parse(field('Voice'), '  '), undefined);
});

test('only the parameters of the chosen turn detection go to the server', () => {
  const turn = {threshold: 0.7, eagerness: 'low', create_response: false};
  const sent = (/** @type {any} */ more) => settled({audio: {input: {turn_detection: {...turn, ...more}}}}).audio.input.turn_detection;
  assert.deepEqual(sent({}), {threshold: 0.7, create_response: false, type: 'server_vad'});
  assert.deepEqual(sent({type: 'semantic_vad'}), {eagerness: 'low', create_response: false, type: 'semantic_vad'});
  assert.deepEqual(settled({instructions: 'x'}), {instructions: 'x'});
});

test('there is a template for each event that a client may send', () => {
  const offered = templates().map(({type}) => type).sort();
  assert.deepEqual(offered, Object.keys(EVENTS).filter((type) => EVENTS[type].dir === 'C').sort());
  assert.equal(templates({response: 'r'}).find(({type}) => type === 'response.cancel')?.response_id, 'r');
});

test('an event that is none is refused with what was expected', () => {
  assert.deepEqual(parseEvent('{"type": "response.create"}'), {type: 'response.create'});
  assert.throws(() => parseEvent('{"a": 1}'), /Expected a "type"/);
  assert.throws(() => parseEvent('[]'), /Expected an object/);
  assert.throws(() => parseEvent('{'), SyntaxError);
});

test('a tool says what is wrong with it, and only right ones are offered', () => {
  assert.equal(wrong(EXAMPLE), '');
  assert.match(wrong({...EXAMPLE, name: 'a b'}), /letters, digits/);
  assert.match(wrong(EXAMPLE, [EXAMPLE]), /another tool/);
  assert.match(wrong({...EXAMPLE, parameters: '{'}), /no JSON/);
  assert.match(wrong({...EXAMPLE, parameters: '{"type": "string"}'}), /"type": "object"/);
  const offered = wire([EXAMPLE, {...EXAMPLE, name: 'x y'}, {name: 'plain', description: '', parameters: '', result: ''}]);
  assert.deepEqual(offered[1], {type: 'function', name: 'plain'});
  assert.equal(offered.length, 2);
});

test('a preset survives a link, in any script, and without a key', () => {
  const preset = {model: 'gpt-realtime', shape: {instructions: 'Sprich Grüße, 日本語. sk-abcdefgh12345'}, tools: [{...EXAMPLE}], ready: /** @type {import('../../src/vivavoce/web/ready/ready-made.js').Ready[]} */ (['weather'])};
  const text = encode(preset);
  assert.match(text, /^[\w-]+$/);
  const again = decode(text);
  assert.equal(again?.shape.instructions, 'Sprich Grüße, 日本語. REDACTED');
  assert.deepEqual(again?.tools, preset.tools);
  assert.deepEqual(again?.ready, ['weather']);
});

test('what is no preset is none, and nothing in one is trusted', () => {
  assert.equal(decode('%%%'), null);
  assert.equal(decode(btoa('{"model": 1}')), null);
  assert.equal(checked(null), null);
  assert.deepEqual(checked({model: '', shape: {}, tools: [], ready: ['memory', 'rocket']})?.ready, ['memory']);
  assert.deepEqual(checked({model: '', shape: {}, tools: []})?.ready, [], 'those of before had none');
  assert.deepEqual(checked({model: '', shape: {}, tools: [null, {name: 7}]})?.tools[1].name, '');
  assert.throws(() => encode({model: '', shape: {instructions: 'x'.repeat(40_000)}, tools: []}), RangeError);
});

test('a preset has the settings that Shape shows, each of its kind, and nothing else', () => {
  const turn = {type: 'server_vad', threshold: 0.7, create_response: false};
  const shape = {
    instructions: 'Be brief.',
    audio: {input: {turn_detection: turn, transcription: {language: 'de'}}, output: {voice: 'sage', speed: 1.25}},
    reasoning: {effort: 'low'},
  };
  const given = (/** @type {any} */ value) => checked({model: '', shape: value, tools: []})?.shape;
  assert.deepEqual(given(shape), shape);
  assert.deepEqual(given({...shape, tools: [{type: 'mcp', server_url: 'https://elsewhere.example'}], tracing: 'auto'}), shape);
  assert.deepEqual(given({instructions: 7, audio: {output: {speed: '1', voice: {}}}, reasoning: {effort: 'utmost'}}), {});
  assert.deepEqual(given({audio: {output: {speed: 99}, input: {turn_detection: {create_response: 'no'}}}}), {});
  for (const broken of [{audio: null}, {audio: 'x'}, {audio: {input: null}}, {audio: {input: []}}, [1]]) {
    assert.deepEqual(given(broken), {}, JSON.stringify(broken));
  }
});
