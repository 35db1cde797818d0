/** What outlives a line, and what must not. */

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {decode} from '../../src/vivavoce/web/pcm.js';
import {Stage, tick} from './stage.js';

const loud = () => new Int16Array(960).fill(99);

test('who is muted stays muted when the line is lost and made again', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  session.lasting = true;
  await session.setMode('hands-free');
  session.setMuted(true);
  stage.lose();
  await tick();
  stage.greet();
  stage.sent.length = 0;
  stage.mic.onframe(loud());
  assert.equal(session.muted, true);
  assert.deepEqual(stage.sent, []);
});

test('who is muted stays muted over another way to talk, but is heard while holding the button', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  await session.setMode('hands-free');
  session.setMuted(true);
  await session.setMode('hold');
  session.press();
  stage.mic.onframe(loud());
  assert.deepEqual(decode(stage.sent.at(-1).audio), loud());
  assert.equal(session.levels().input, 0.5);
  await session.release();
  await session.setMode('hands-free');
  stage.sent.length = 0;
  stage.mic.onframe(loud());
  assert.deepEqual(stage.sent, []);
});

test('who has hung up begins the next session unmuted', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  await session.setMode('hands-free');
  session.setMuted(true);
  session.stop();
  await stage.begin();
  assert.equal(session.muted, false);
});

test('started, cancelled and started again while the microphone opens, there is one session', async () => {
  const stage = new Stage();
  /** @type {(() => void)[]} */
  const gates = [];
  stage.admit = () => new Promise((resolve) => gates.push(resolve));
  const first = stage.session.start();
  stage.session.close();
  const second = stage.session.start();
  await tick();
  for (const open of gates) open();
  await Promise.all([first, second]);
  assert.deepEqual([stage.lines, stage.loudspeakers, stage.releasedMicrophones], [1, 1, 1]);
  stage.session.close();
  assert.deepEqual([stage.lines, stage.loudspeakers, stage.releasedMicrophones], [0, 0, 2]);
});

test('a microphone that opens after the line was lost for good is given back', async () => {
  const stage = new Stage();
  await stage.session.start({microphone: false});
  /** @type {() => void} */
  let open = () => {};
  stage.admit = () => new Promise((resolve) => (open = resolve));
  const opening = stage.session.openMicrophone();
  stage.lose();
  open();
  await opening;
  assert.equal(stage.releasedMicrophones, 1);
  assert.equal(stage.session.hasMicrophone, false);
});

test('what was written while no line came about is said over the next, and answered', async () => {
  const stage = new Stage();
  await stage.session.write('one');
  await tick();
  stage.lose('server-unreachable');
  await stage.session.write('two');
  await tick();
  stage.greet();
  assert.deepEqual(stage.sent.map(({type, item}) => item?.content[0].text ?? type), ['session.update', 'one', 'two', 'response.create']);
});

test('who hangs up before there was a line has taken back what was written', async () => {
  const stage = new Stage();
  await stage.session.write('one');
  await tick();
  stage.session.stop();
  await stage.session.start();
  stage.greet();
  assert.deepEqual(stage.types, ['session.update']);
});

test('a line that was given up says nothing any more', async () => {
  const stage = new Stage();
  const session = await stage.begin();
  const ghost = stage.network;
  session.stop();
  await stage.begin();
  ghost.onevent({type: 'response.output_text.delta', item_id: 'a', content_index: 0, delta: 'Boo.'});
  ghost.onstate('closed', {code: 'server-gone'});
  assert.equal(session.conversation.items.length, 0);
  assert.equal(session.phase, 'idle');
});
