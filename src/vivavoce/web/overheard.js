/**
 * Which item is heard in a call, whose answers come as media beside the events. Pure.
 *
 * The server tells when it begins and ends to play a response. The sound is behind by what the network and the browser
 * hold back, so an item goes on for a moment after its end; the silence around it is left out.
 */

import {WIRE_RATE} from './pcm.js';

/**
 * @typedef {import('./connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {import('./inspect/event-log.js').Direction} Direction
 * @typedef {object} Playing
 * @property {string} response
 * @property {string} item
 * @property {number} left samples that may still be of it
 * @property {boolean} sounded
 */

/** Samples that the sound may be behind what is told of it: 0.5 s. */
const MOST_BEHIND = WIRE_RATE * 0.5;

/** Samples that it is behind as a rule, where another answer follows at once: 0.1 s. */
const BEHIND = WIRE_RATE * 0.1;

/** Samples of silence within an item that are kept: 5 s. */
const LONGEST_PAUSE = WIRE_RATE * 5;

/** What is quieter than this in all of a frame is silence: -54 dBFS. */
const FLOOR = 64;

/** Responses of which it is known which item they are heard as. */
const MOST_RESPONSES = 16;

export class Overheard {
  /** The message that each response speaks, the oldest first. @type {Map<string, string>} */
  #items = new Map();
  /** What is heard now, and what is next. @type {Playing[]} */
  #playing = [];
  /** Silence that is of the item if more sound comes. @type {Int16Array[]} */
  #pause = [];

  /** @param {(item: string, samples: Int16Array) => void} keep */
  constructor(keep) {
    this.keep = keep;
  }

  /**
   * @param {Direction} dir
   * @param {RealtimeEvent} event
   */
  apply(dir, event) {
    switch (`${dir} ${event.type}`) {
      case 'S session.created':
        this.#items.clear();
        this.#silence();
        break;
      case 'S response.output_item.added':
        if (event.item?.type === 'message') this.#expect(event.response_id, event.item.id);
        break;
      case 'S output_audio_buffer.started':
        this.#begin(event.response_id);
        break;
      case 'S output_audio_buffer.stopped':
      case 'S output_audio_buffer.cleared':
        this.#end(event.response_id);
        break;
      case 'C output_audio_buffer.clear':
        this.#silence(); // the loudspeaker is silent already
        break;
    }
  }

  /** @param {Int16Array} samples the next that were heard; they are kept as they are */
  take(samples) {
    const [now] = this.#playing;
    if (!now || !samples.length) return;
    const own = samples.subarray(0, now.left);
    now.left -= own.length;
    if (isSilent(own)) this.#wait(now, own);
    else this.#sound(now, own);
    if (now.left > 0) return;
    this.#playing.shift();
    this.#pause = [];
    this.take(samples.subarray(own.length));
  }

  /**
   * @param {string} response
   * @param {string} item
   */
  #expect(response, item) {
    this.#items.set(response, item);
    for (const oldest of this.#items.keys()) {
      if (this.#items.size <= MOST_RESPONSES) break;
      this.#items.delete(oldest);
    }
  }

  /** @param {string} response */
  #begin(response) {
    for (const one of this.#playing) one.left = Math.min(one.left, BEHIND);
    const item = this.#items.get(response);
    if (item) this.#playing.push({response, item, left: Infinity, sounded: false});
  }

  /** @param {string} response */
  #end(response) {
    for (const one of this.#playing) if (one.response === response) one.left = Math.min(one.left, MOST_BEHIND);
  }

  #silence() {
    this.#playing = [];
    this.#pause = [];
  }

  /**
   * @param {Playing} now
   * @param {Int16Array} samples
   */
  #wait(now, samples) {
    const long = this.#pause.reduce((sum, {length}) => sum + length, 0);
    if (now.sounded && long < LONGEST_PAUSE) this.#pause.push(samples);
  }

  /**
   * @param {Playing} now
   * @param {Int16Array} samples
   */
  #sound(now, samples) {
    now.sounded = true;
    for (const part of this.#pause) this.keep(now.item, part);
    this.#pause = [];
    this.keep(now.item, samples);
  }
}

/** @param {Int16Array} samples */
function isSilent(samples) {
  return samples.every((sample) => Math.abs(sample) < FLOOR);
}
