/**
 * What was said in each item, by both sides, to be heard again. Pure.
 *
 * Answers come in events of their own. The user's speech is cut out of all that the microphone sent: between the times
 * that the server heard, or since the turn before. Calls over WebRTC carry no sound in events: what was sent and heard
 * there is given beside them.
 */

import {ToWire, decode} from './decoding.js';
import {Formats, rateOf} from './formats.js';
import {Overheard} from './overheard.js';
import {WIRE_RATE} from './pcm.js';

/**
 * @typedef {import('./connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {import('./inspect/event-log.js').Direction} Direction
 */

/** Samples kept of all items together: 20 minutes, 58 MB. */
const MOST_KEPT = WIRE_RATE * 1200;

/** Samples of the microphone that are kept until they belong to an item: 3 minutes. */
const MOST_WAITING = WIRE_RATE * 180;

/** Samples from where speech begins to where we are told so, as a rule in a call, and at the most: 0.8 s and 3 s. */
const USUAL_DELAY = WIRE_RATE * 0.8;
const MOST_DELAY = WIRE_RATE * 3;

export class Sounds {
  /** The oldest first. @type {Map<string, Int16Array[]>} */
  #items = new Map();
  #kept = 0;
  /** What the microphone sent last. @type {Int16Array[]} */
  #tape = [];
  /** Samples sent before those of the tape, and with them, since the session began. */
  #before = 0;
  #sent = 0;
  /** Where the present turn begins, in samples. */
  #turn = 0;
  /** Where the speech of an item begins and ends, in samples. @type {Map<string, [from: number, to: number]>} */
  #speech = new Map();
  /** Where we were when we asked for the buffer to be cleared. @type {number[]} */
  #clears = [];
  /** Samples of the tape are here what the server has: in a call neither knows what the other lost. */
  #shift = 0;
  /** The user's speech comes beside the events. */
  #media = false;
  #formats = new Formats();
  #user = new ToWire();
  #answer = new ToWire();
  /** The item that was given sound last. */
  #latest = '';
  #overheard = new Overheard((id, chunk) => this.#keep(id, chunk));

  /**
   * @param {Direction} dir
   * @param {RealtimeEvent} event
   */
  apply(dir, event) {
    this.#overheard.apply(dir, event);
    if (dir === 'C') this.#sending(event);
    else this.#receiving(event);
  }

  /**
   * Sound of a call, which is in no event.
   * @param {Direction} dir whose it is
   * @param {Int16Array} chunk the next at the wire's rate: of the microphone as it was sent, or of what is heard
   */
  take(dir, chunk) {
    if (dir === 'S') {
      this.#overheard.take(chunk);
      return;
    }
    this.#media = true;
    this.#append(chunk);
  }

  /** @param {RealtimeEvent} event */
  #sending(event) {
    if (event.type === 'input_audio_buffer.append') {
      const {hears} = this.#formats;
      this.#append(this.#user.take(decode(hears, event.audio), rateOf(hears)));
    } else if (event.type === 'input_audio_buffer.clear') {
      this.#clears.push(this.#sent);
    }
  }

  /** @param {RealtimeEvent} event */
  #receiving(event) {
    this.#formats.apply(event);
    switch (event.type) {
      case 'session.created':
        this.#tape = [];
        this.#clears = [];
        this.#before = this.#sent = this.#turn = this.#shift = 0;
        break;
      case 'response.output_audio.delta':
        this.#answered(event);
        break;
      case 'input_audio_buffer.speech_started':
        this.#align(samples(event.audio_start_ms));
        this.#speech.set(event.item_id, [samples(event.audio_start_ms) + this.#shift, Infinity]);
        break;
      case 'input_audio_buffer.speech_stopped':
        this.#speech.set(event.item_id, [
          this.#speech.get(event.item_id)?.[0] ?? this.#turn,
          samples(event.audio_end_ms) + this.#shift,
        ]);
        break;
      case 'input_audio_buffer.cleared':
        this.#turn = this.#clears.shift() ?? this.#sent;
        break;
      case 'input_audio_buffer.committed':
        this.#committed(event.item_id);
        break;
      case 'conversation.item.deleted':
        this.#forget(event.item_id);
        break;
    }
  }

  /**
   * @param {string} id
   * @returns {boolean} whether there is something to hear
   */
  has(id) {
    return this.#items.has(id);
  }

  /**
   * @param {string} id
   * @returns {Float32Array<ArrayBuffer>} at the wire's rate; empty where nothing is known
   */
  of(id) {
    const chunks = this.#items.get(id) ?? [];
    const whole = new Float32Array(chunks.reduce((total, {length}) => total + length, 0));
    let at = 0;
    for (const chunk of chunks) for (const sample of chunk) whole[at++] = sample / 32768;
    return whole;
  }

  /** @param {Int16Array} chunk */
  #append(chunk) {
    this.#tape.push(chunk);
    this.#sent += chunk.length;
    while (this.#sent - this.#before > MOST_WAITING) this.#before += this.#tape.shift()?.length ?? 0;
  }

  /** @param {RealtimeEvent} event a delta of sound */
  #answered(event) {
    const format = this.#formats.of(event);
    if (event.item_id !== this.#latest) this.#answer.end();
    this.#latest = event.item_id;
    this.#keep(event.item_id, this.#answer.take(decode(format, event.delta), rateOf(format)));
  }

  /**
   * Find the server's time in the tape: a call's are not the same where packets were lost, or none were sent for a while.
   * @param {number} began samples of the server where speech began, of which we were told now
   */
  #align(began) {
    const delay = this.#sent - began - this.#shift;
    if (this.#media && (delay < 0 || delay > MOST_DELAY)) this.#shift = this.#sent - began - USUAL_DELAY;
  }

  /** @param {string} id */
  #committed(id) {
    const [from, to] = this.#speech.get(id) ?? [this.#turn, this.#sent];
    this.#speech.delete(id);
    this.#turn = this.#sent;
    let at = this.#before;
    for (const chunk of this.#tape) {
      const part = chunk.subarray(Math.max(0, from - at), Math.max(0, to - at));
      if (part.length) this.#keep(id, part.slice());
      at += chunk.length;
    }
  }

  /**
   * @param {string} id
   * @param {Int16Array} chunk
   */
  #keep(id, chunk) {
    if (!chunk.length) return;
    const chunks = this.#items.get(id);
    if (chunks) chunks.push(chunk);
    else this.#items.set(id, [chunk]);
    this.#kept += chunk.length;
    for (const oldest of this.#items.keys()) {
      if (this.#kept <= MOST_KEPT || oldest === id) break;
      this.#forget(oldest);
    }
  }

  /** @param {string} id */
  #forget(id) {
    for (const {length} of this.#items.get(id) ?? []) this.#kept -= length;
    this.#items.delete(id);
  }
}

/** @param {unknown} ms */
function samples(ms) {
  return Math.round((Number(ms) / 1000) * WIRE_RATE);
}
