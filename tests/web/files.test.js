import assert from 'node:assert/strict';
import {test} from 'node:test';

import {openFiles} from '../../src/vivavoce/web/inspect/opening-files.js';
import {readWav} from '../../src/vivavoce/web/inspect/wav.js';

/** @param {number[]} samples @param {{rate?: number, channels?: number, kind?: number, bits?: number, says?: number}} [options] */
function wav(samples, {rate = 24_000, channels = 1, kind = 1, bits = 16, says = samples.length * 2} = {}) {
  const head = Buffer.alloc(54);
  head.write('RIFF\0\0\0\0WAVEfmt ', 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(kind, 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt16LE(bits, 34);
  head.write('odd \x01\0\0\0xx', 36, 'latin1'); // a chunk of one byte, and one to fill it up
  head.write('data', 46, 'latin1');
  head.writeUInt32LE(says, 50);
  return Uint8Array.from([...head, ...new Uint8Array(Int16Array.from(samples).buffer)]).buffer;
}

/** @param {string} name @param {string | ArrayBuffer} content */
const file = (name, content) => new File([content], name);

const EVENTS = file('events.jsonl', '{"dir": "S", "event": {"type": "session.created"}, "t": 1}\n');

test('a WAV file is its channels', () => {
  assert.deepEqual(readWav(wav([1, -2, 3])), [{rate: 24_000, samples: Int16Array.of(1, -2, 3)}]);
  const [left, right] = readWav(wav([1, 2, 3, 4, 5], {rate: 8000, channels: 2, kind: 0xfffe}));
  assert.deepEqual([left.rate, left.samples, right.samples], [8000, Int16Array.of(1, 3), Int16Array.of(2, 4)]);
});

test('one that was broken off is read as far as it goes', () => {
  assert.deepEqual(readWav(wav([7, 8], {says: 0xffffffff}))[0].samples, Int16Array.of(7, 8));
});

test('what is no WAV file of 16 bits says so', () => {
  assert.throws(() => readWav(new ArrayBuffer(3)), /Expected a WAV file\./);
  assert.throws(() => readWav(new TextEncoder().encode('RIFF____WAVEfmt ').buffer), /with sound in it/);
  assert.throws(() => readWav(wav([1], {bits: 24})), /16 bits/);
  assert.throws(() => readWav(wav([1], {kind: 3})), /16 bits/);
  assert.throws(() => readWav(wav([1], {channels: 0})), /says what is in it/);
});

test('the files of a recording are opened together, whatever their order', async () => {
  const files = [file('assistant.wav', wav([2])), file('session.json', '{}'), EVENTS, file('User.WAV', wav([1]))];
  const {name, log, tapes} = await openFiles(files);
  assert.deepEqual([name, log.entries.length], ['events.jsonl', 1]);
  assert.deepEqual([tapes.C?.samples[0], tapes.S?.samples[0]], [1, 2]);
  assert.deepEqual((await openFiles([EVENTS])).tapes, {});
});

test('a file with both sides has the user left', async () => {
  const {tapes} = await openFiles([EVENTS, file('sess_1.wav', wav([1, 2], {channels: 2}))]);
  assert.deepEqual([tapes.C?.samples[0], tapes.S?.samples[0]], [1, 2]);
});

test('what does not belong together is not opened', async () => {
  await assert.rejects(openFiles([file('user.wav', wav([1]))]), /events of one recording .*; got user\.wav/);
  await assert.rejects(openFiles([EVENTS, EVENTS]), /events of one recording/);
  await assert.rejects(openFiles([EVENTS, file('sound.wav', wav([1]))]), /sound\.wav: Expected user\.wav/);
  await assert.rejects(openFiles([EVENTS, file('user.wav', 'x')]), /user\.wav: Expected a WAV file/);
  await assert.rejects(openFiles([file('a.jsonl', '{')]), /a\.jsonl: Line 1: expected JSON/);
});
