import assert from 'node:assert/strict';
import {test} from 'node:test';

import {textOf} from '../../src/vivavoce/web/conversation.js';
import {decode} from '../../src/vivavoce/web/pcm.js';
import {VoiceError} from '../../src/vivavoce/web/problems.js';
import {Stage, tick} from './stage.js';

test('the first event configures: manual turns, transcription, PCM', async () => {
  const stage = new Stage();
  await stage.session.start();
  assert.equal(stage.session.phase, 'connecting');
  stage.server('session.created', {session: {}});
  const [{type, session}] = stage.sent;
  assert.equal(type, 'session.update');
  assert.equal(session.type, 'realtime');
  assert.deepEqual(session.output_modalities, ['audio']);
  assert.equal(session.audio.input.turn_detection, null);
  assert.deepEqual(session.audio.input.transcription, {model: 'gpt-4o-mini-transcribe'});
  assert.deepEqual(session.audio.output.format, {type: 'audio/pcm', rate: 24000});
  stage.server('session.updated', {session: {}});
  assert.equal(stage.session.phase, 'idle');
});

test('holding sends audio; releasing commits and asks for a response', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  stage.speak(5);
  assert.deepEqual(stage.types, []);
  session.press();
  assert.equal(session.phase, 'listening');
  stage.speak(3);
  await session.release();
  stage.speak(5);
  const append = 'input_audio_buffer.append';
  assert.deepEqual(stage.types, [append, append, append, 'input_audio_buffer.commit', 'response.create']);
  assert.equal(session.phase, 'thinking');
});

test('less than 100 ms is cleared, not committed', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  session.press();
  stage.speak(2);
  await session.release();
  assert.deepEqual(stage.types.slice(2), ['input_audio_buffer.clear']);
});

test('pressing while it speaks cancels, truncates at what was heard and drops stragglers', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  const id = stage.respond();
  assert.equal(session.phase, 'speaking');
  stage.heard = {item_id: `of_${id}`, content_index: 0, audio_end_ms: 730};
  session.press();
  await tick();
  assert.deepEqual(stage.sent, [
    {type: 'response.cancel'},
    {type: 'conversation.item.truncate', item_id: `of_${id}`, content_index: 0, audio_end_ms: 730},
  ]);
  stage.audio(id);
  assert.equal(stage.played.length, 1);
});

test('pressing after the response is done truncates but does not cancel', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  stage.done(stage.respond());
  stage.heard = {item_id: 'of_resp_1', content_index: 0, audio_end_ms: 730};
  session.press();
  await tick();
  assert.deepEqual(stage.types, ['conversation.item.truncate']);
});

test('when nothing was heard nothing is truncated', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  stage.respond();
  session.press();
  await tick();
  assert.deepEqual(stage.types, ['response.cancel']);
});

test('never two responses: the second waits until the first is done', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  const first = stage.respond();
  session.press();
  stage.speak(4);
  await session.release();
  assert.deepEqual(stage.types.slice(-1), ['input_audio_buffer.commit']);
  stage.done(first, {status: 'cancelled'});
  assert.deepEqual(stage.types.slice(-1), ['response.create']);
  stage.audio(stage.respond());
  assert.equal(stage.played.length, 3);
});

test('a response that was asked for but has not begun is cancelled when it begins', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  await session.write('one');
  await session.write('two');
  assert.deepEqual(stage.types, ['conversation.item.create', 'response.create', 'conversation.item.create']);
  const id = stage.respond();
  assert.deepEqual(stage.types.slice(3), ['response.cancel']);
  assert.equal(stage.played.length, 0);
  stage.done(id, {status: 'cancelled'});
  assert.deepEqual(stage.types.slice(4), ['response.create']);
});

test('a refused response.create does not block the next', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  await session.write('one');
  stage.server('error', {error: {code: 'x', message: 'No.', event_id: stage.sent[1].event_id}});
  assert.equal(session.problem?.detail, 'No.');
  assert.equal(session.phase, 'idle');
  await session.write('two');
  assert.equal(stage.types.at(-1), 'response.create');
});

test('a response that was cancelled and refused takes no other with it', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  await session.setMode('hands-free');
  await session.write('one');
  const {event_id} = stage.sent.at(-1);
  await session.interrupt();
  stage.server('error', {error: {code: 'x', message: 'No.', event_id}});
  stage.sent.length = 0;
  stage.respond();
  assert.deepEqual(stage.types, []);
  assert.equal(stage.played.length, 1);
});

test('hands-free: speech stops the answer at once and truncates; the server cancels by itself', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  await session.setMode('hands-free');
  assert.equal(stage.sent[0].session.audio.input.turn_detection.type, 'server_vad');
  stage.speak(1);
  assert.deepEqual(stage.types, ['session.update', 'input_audio_buffer.append']);
  const id = stage.respond();
  stage.heard = {item_id: `of_${id}`, content_index: 0, audio_end_ms: 400};
  stage.server('input_audio_buffer.speech_started', {item_id: 'u', audio_start_ms: 100});
  assert.equal(session.phase, 'listening');
  await tick();
  assert.deepEqual(stage.types.slice(2), ['conversation.item.truncate']);
  stage.audio(id);
  assert.equal(stage.played.length, 1);
});

test('muted hands-free sends nothing', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  await session.setMode('hands-free');
  session.setMuted(true);
  stage.speak(3);
  assert.deepEqual(stage.types, ['session.update']);
  assert.equal(session.phase, 'idle');
});

test('muted in the middle of a turn, it sends silence until the turn has ended', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  await session.setMode('hands-free');
  stage.server('input_audio_buffer.speech_started', {item_id: 'u', audio_start_ms: 100});
  session.setMuted(true);
  stage.mic.onframe(new Int16Array(960).fill(99));
  assert.deepEqual(decode(stage.sent[1].audio), new Int16Array(960));
  stage.server('input_audio_buffer.speech_stopped', {item_id: 'u', audio_end_ms: 600});
  stage.speak(3);
  assert.equal(stage.sent.length, 2);
});

test('changing to hold clears what was half said, and a held turn ends before hands-free', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  session.press();
  stage.speak(3);
  await session.setMode('hands-free');
  assert.deepEqual(stage.types.slice(3), ['input_audio_buffer.commit', 'response.create', 'session.update']);
  await session.setMode('hold');
  assert.deepEqual(stage.types.slice(6), ['session.update', 'input_audio_buffer.clear']);
  assert.equal(stage.sent[6].session.audio.input.turn_detection, null);
});

test('writing connects first, without asking for the microphone', async () => {
  const stage = new Stage();
  await stage.session.write('  hello ');
  await tick();
  stage.server('session.created', {session: {}});
  stage.server('session.updated', {session: {}});
  assert.equal(stage.mic, null);
  assert.deepEqual(stage.types, ['session.update', 'conversation.item.create', 'response.create']);
  assert.deepEqual(stage.sent[1].item.content, [{type: 'input_text', text: 'hello'}]);
});

test('a refused microphone is told, and one can still write', async () => {
  const stage = new Stage({microphone: new VoiceError('microphone-refused')});
  const session = await stage.begin();
  assert.equal(session.problem?.code, 'microphone-refused');
  assert.equal(session.phase, 'idle');
  session.press();
  assert.equal(session.held, false);
  await session.write('hello');
  assert.equal(stage.types.at(-1), 'response.create');
});

test('without a loudspeaker the answers come in writing', async () => {
  const stage = new Stage({player: new VoiceError('sound-failed')});
  await stage.session.start();
  stage.server('session.created', {session: {}});
  assert.deepEqual(stage.sent[0].session.output_modalities, ['text']);
});

test('a lost server releases the microphone and keeps the words; a new session starts clean', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  stage.server('response.output_text.delta', {item_id: 'a', content_index: 0, delta: 'hello'});
  session.press();
  stage.network.onstate('closed', {code: 'server-gone', title: '', advice: '', remedy: 'connect', detail: ''});
  assert.equal(session.phase, 'error');
  assert.equal(stage.releasedMicrophones, 1);
  assert.equal(session.held, false);
  await session.reconnect();
  assert.equal(session.problem, null);
  stage.server('session.created', {session: {}});
  stage.server('session.updated', {session: {}});
  assert.equal(session.phase, 'idle');
  assert.equal(session.conversation.items.length, 1);
});

test('a microphone that goes away ends the holding and says so', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  session.press();
  stage.mic.onend();
  assert.equal(session.held, false);
  assert.equal(session.hasMicrophone, false);
  assert.equal(session.problem?.code, 'microphone-lost');
});

test('a network that is too slow is told once', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  session.press();
  stage.congested = true;
  let changes = 0;
  session.addEventListener('change', () => changes++);
  stage.speak(5);
  assert.equal(session.problem?.code, 'congested');
  assert.equal(changes, 1);
});

test('errors of two sides acting at once are not shown; others are', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  stage.server('error', {error: {code: 'response_cancel_not_active', message: 'none'}});
  assert.equal(session.problem, null);
  stage.server('error', {error: {code: 'invalid_value', message: 'That is wrong.'}});
  assert.equal(session.problem?.detail, 'That is wrong.');
  session.dismiss();
  assert.equal(session.problem, null);
});

test('a failed response says why', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  stage.done(stage.respond(), {status: 'failed', status_details: {error: {message: 'The model is gone.'}}});
  assert.equal(session.problem?.detail, 'The model is gone.');
});

test('a refused configuration is told and does not leave it waiting', async () => {
  const stage = new Stage();
  await stage.session.start();
  stage.server('session.created', {session: {}});
  stage.server('error', {error: {code: 'invalid_value', message: 'No such model.', event_id: stage.sent[0].event_id}});
  assert.equal(stage.session.phase, 'idle');
  assert.equal(stage.session.problem?.detail, 'No such model.');
});

test('events that leave out what they are about do no harm', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  for (const type of ['response.created', 'response.done', 'conversation.item.added', 'conversation.item.done', 'error']) {
    stage.server(type);
  }
  assert.equal(session.problem?.code, 'server-error');
  const id = stage.respond();
  stage.server('response.done', {response: {id, status: 'completed'}});
  stage.speaker.onactive(false);
  assert.equal(session.phase, 'idle');
});

test('hanging up releases everything', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  session.stop();
  assert.equal(session.phase, 'off');
  assert.equal(stage.releasedMicrophones, 1);
});

test('what is asked for beyond the needs of a session goes with its first event, and again when it changes', async () => {
  const stage = new Stage();
  stage.session.configure({instructions: 'Be brief.', audio: {input: {turn_detection: {threshold: 0.7}}, output: {voice: 'sage'}}});
  await stage.session.start();
  stage.server('session.created', {session: {}});
  const [first] = stage.sent;
  stage.server('session.updated', {session: {}});
  assert.equal(first.session.instructions, 'Be brief.');
  assert.equal(first.session.audio.output.voice, 'sage');
  assert.equal(first.session.audio.output.format.type, 'audio/pcm');
  assert.equal(first.session.audio.input.turn_detection, null);
  await stage.session.setMode('hands-free');
  assert.equal(stage.sent.at(-1).session.audio.input.turn_detection.threshold, 0.7);
  stage.session.configure({instructions: 'Be long.'});
  assert.equal(stage.sent.at(-1).session.instructions, 'Be long.');
});

test('what the server refuses is left out, and the rest is asked for again', async () => {
  const stage = new Stage();
  stage.session.configure({instructions: 'Be brief.', tools: [{name: 'a'}], audio: {output: {voice: 'sage', speed: 9}}});
  await stage.session.start();
  stage.server('session.created', {session: {}});
  const refuse = (/** @type {string} */ param) => stage.server('error', {error: {event_id: 'configure', message: 'No.', param}});
  refuse('session.tools[0].name');
  assert.equal(stage.sent.at(-1).session.tools, undefined);
  assert.equal(stage.sent.at(-1).session.instructions, 'Be brief.');
  refuse('session.audio.output.speed');
  assert.equal(stage.sent.at(-1).session.audio.output.voice, 'sage');
  assert.equal(stage.sent.at(-1).session.audio.output.speed, undefined);
  assert.equal(stage.sent.length, 3);
  assert.equal(stage.session.ready, false);
  assert.equal(stage.session.problem?.detail, 'No.');
  stage.server('session.updated', {session: {}});
  assert.equal(stage.session.ready, true);
});

test('a session begins with what the server has where nothing that was asked for can be left out', async () => {
  for (const param of ['session.audio.input.transcription.model', 'session', null, 'type']) {
    const stage = new Stage();
    stage.session.configure({audio: {output: {voice: 'sage'}}});
    await stage.session.start();
    stage.server('session.created', {session: {}});
    stage.server('error', {error: {event_id: 'configure', message: 'No.', param}});
    assert.equal(stage.sent.length, 1);
    assert.equal(stage.session.ready, true);
  }
});

test('what is no longer asked for becomes again what the server began with', async () => {
  const stage = new Stage();
  const {session} = stage;
  const own = {instructions: 'Be kind.', audio: {input: {noise_reduction: null}, output: {voice: 'marin', speed: 1}}};
  const output = (/** @type {any} */ fields) => ({audio: {output: fields}});
  session.configure({instructions: 'Be brief.', tracing: 'auto', ...output({voice: 'sage', speed: 2})});
  await session.start();
  stage.server('session.created', {session: own});
  stage.server('session.updated', {session: {}});
  session.configure(output({voice: 'sage'}));
  let asked = stage.sent.at(-1).session;
  assert.equal(asked.instructions, 'Be kind.');
  assert.deepEqual([asked.audio.output.voice, asked.audio.output.speed], ['sage', 1]);
  assert.equal('tracing' in asked, false);
  assert.equal('noise_reduction' in asked.audio.input, false);
  session.configure({});
  asked = stage.sent.at(-1).session;
  assert.deepEqual([asked.instructions, asked.audio.output.voice, asked.audio.output.speed], [undefined, 'marin', undefined]);
});

test('what is asked for while the first configuration is on its way follows it', async () => {
  const stage = new Stage();
  await stage.session.start();
  stage.server('session.created', {session: {}});
  await stage.session.setMode('hands-free');
  stage.session.configure({instructions: 'Be brief.'});
  const [, mode, settings] = stage.sent;
  assert.equal(mode.session.audio.input.turn_detection.type, 'server_vad');
  assert.equal(settings.session.instructions, 'Be brief.');
  stage.server('session.updated', {session: {}});
  assert.equal(stage.sent.length, 3);
});

test('what was refused is not asked for again when only the way to talk changes', async () => {
  const stage = new Stage();
  stage.session.configure({audio: {output: {voice: 'sage'}}});
  await stage.session.start();
  stage.server('session.created', {session: {}});
  stage.server('error', {error: {event_id: 'configure', message: 'No.', param: 'session.audio.output.voice'}});
  await stage.session.setMode('hands-free');
  stage.server('session.updated', {session: {}});
  const [, rest, mode] = stage.sent;
  assert.equal(stage.sent.length, 3);
  assert.equal(rest.session.audio.output.voice, undefined);
  assert.equal(mode.session.audio.output, undefined);
});

test('an answer is given again from where it stood, and what came after it goes', async () => {
  const stage = new Stage();
  await stage.begin();
  const item = (/** @type {string} */ id, /** @type {string} */ role) =>
    stage.server('conversation.item.added', {item: {id, type: 'message', role, content: []}});
  item('u', 'user');
  item('a', 'assistant');
  item('v', 'user');
  stage.sent.length = 0;
  await stage.session.retry('a');
  assert.deepEqual(stage.sent.map(({type, item_id}) => [type, item_id]), [
    ['conversation.item.delete', 'a'],
    ['conversation.item.delete', 'v'],
    ['response.create', undefined],
  ]);
});

test('what is forgotten here is forgotten in the open session too, but for what that never had', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  const item = (/** @type {string} */ id, /** @type {string} */ role) => {
    const content = [{type: role === 'user' ? 'input_text' : 'output_text', text: id}];
    stage.server('conversation.item.added', {item: {id, type: 'message', role, content}});
  };
  item('before', 'user');
  stage.lose();
  await stage.begin();
  item('u', 'user');
  stage.respond();
  item('a', 'assistant');
  stage.server('input_audio_buffer.committed', {item_id: 'v'});
  await session.clear();
  assert.deepEqual(session.conversation.items, []);
  assert.deepEqual(stage.sent.map(({type, item_id}) => [type, item_id]), [
    ['response.cancel', undefined],
    ['conversation.item.delete', 'u'],
    ['conversation.item.delete', 'a'],
    ['conversation.item.delete', 'v'],
  ]);
});

test('what is forgotten while nobody listens is told to nobody', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  stage.server('response.output_text.delta', {item_id: 'a', content_index: 0, delta: 'hello'});
  session.stop();
  await session.clear();
  await stage.begin();
  assert.deepEqual(stage.sent, []);
  assert.deepEqual(session.conversation.items, []);
});

test('a result of a function call is sent, and told as soon as no answer is under way', async () => {
  const stage = new Stage();
  await stage.begin();
  stage.server('response.created', {response: {id: 'r'}});
  stage.sent.length = 0;
  stage.session.answer([['c', '{"sky": "clear"}']]);
  assert.deepEqual(stage.sent.map(({type}) => type), ['conversation.item.create']);
  stage.server('response.done', {response: {id: 'r', output: [], status: 'completed'}});
  assert.deepEqual(stage.sent.map(({type}) => type), ['conversation.item.create', 'response.create']);
});

test('a lasting session connects again by itself, keeps the microphone and tells what was said', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  session.lasting = true;
  const item = {id: 'u', type: 'message', role: 'user', status: 'completed', content: [{type: 'input_text', text: 'Hello.'}]};
  stage.server('conversation.item.added', {item});
  stage.network.onstate('closed', {code: 'server-gone'});
  await tick();
  assert.equal(session.problem, null);
  assert.equal(stage.releasedMicrophones, 0);
  stage.server('session.created', {session: {}});
  stage.sent.length = 0;
  stage.server('session.updated', {session: {}});
  assert.deepEqual(stage.sent.map(({type, item}) => [type, item.id]), [['conversation.item.create', 'u']]);
  session.stop();
  assert.equal(stage.releasedMicrophones, 1);
});

test('however often the line is lost, an interrupted answer stays as long as it was heard', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  session.lasting = true;
  stage.server('response.output_audio_transcript.delta', {item_id: 'a', content_index: 0, delta: 'one two three four five six'});
  session.conversation.items[0].receivedMs = 2000;
  stage.server('conversation.item.truncated', {item_id: 'a', audio_end_ms: 1000});
  for (let time = 0; time < 3; time++) {
    stage.lose();
    await tick();
    stage.sent.length = 0;
    stage.greet();
    const {item} = stage.sent[1];
    assert.equal(item.content[0].text, 'one two three');
    stage.server('conversation.item.added', {item: {...item, status: 'completed'}, previous_item_id: null});
    assert.equal(textOf(session.conversation.items[0]), 'one two three');
  }
});

test('a session greets once it is ready, unless there is something to go on with', async () => {
  const stage = new Stage();
  stage.session.greeting = 'Hi!';
  await stage.session.start();
  stage.server('session.created', {session: {}});
  assert.equal(stage.sent.length, 1);
  stage.server('session.updated', {session: {}});
  assert.equal(stage.sent[1].type, 'response.create');
  assert.match(stage.sent[1].response.instructions, /Hi!/);
});
