/**
 * How long each turn took, stage by stage, from the events of both directions. Pure: the times are the entries'.
 *
 * A turn is a response. Its stages count from the moment when the speech that it answers fell silent, as far as that
 * was sent; what was written, and what answers nothing new, counts from its `response.create`.
 */

import {decode} from '../decoding.js';
import {Formats} from '../formats.js';
import {outputOf} from '../responses.js';

/**
 * @typedef {import('../inspect/event-log.js').Entry} Entry
 * @typedef {import('../connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {'decided' | 'transcript' | 'created' | 'text' | 'audio' | 'played' | 'done'} Stage
 * @typedef {object} Turn
 * @property {string} id of the response
 * @property {string} item that it answers
 * @property {string} question what was said or written; empty while, or where, that is unknown
 * @property {string} answer
 * @property {boolean} spoken whether it answers speech
 * @property {number} anchor milliseconds since the log began
 * @property {Partial<Record<Stage, number>>} stages milliseconds from the anchor; absent for what has not happened
 * @property {string} status the response's
 * @property {string} model of the session that it is in
 * @property {any} usage the response's tokens; null before they are known
 */

/** Speech is what is at most this much quieter than the loudest of its turn: 20 dB. */
const SPEECH = 0.1;

/** Nothing below this is speech: -50 dBFS. */
const FLOOR = 0.003;

/** Frames of a turn that are looked at: two minutes of 40 ms. */
const MOST_FRAMES = 3000;

/** One sample of so many is looked at: enough for a loudness. */
const STRIDE = 4;

export class Turns {
  /** @type {Turn[]} */
  turns = [];
  /** Of the present session. */
  #model = '';
  /** What the user said, by item. @type {Map<string, string>} */
  #said = new Map();
  /** What the next response answers. @type {{item: string, spoken: boolean, anchor: number | null, decided: number | null, transcript: number | null}} */
  #asked = nothing();
  /** When each frame of the microphone was sent, and how loud it was. @type {[t: number, loudness: number][]} */
  #frames = [];
  #formats = new Formats();

  /** @param {Entry} entry */
  feed({dir, event, t}) {
    if (dir === 'C') this.#sent(event, t);
    else this.#received(event, t);
  }

  /**
   * The loudspeaker has begun to play an answer.
   * @param {number} t milliseconds since the log began
   */
  played(t) {
    const turn = this.turns.at(-1);
    if (turn?.stages.audio !== undefined) first(turn, 'played', t);
  }

  /**
   * @param {RealtimeEvent} event
   * @param {number} t
   */
  #sent(event, t) {
    switch (event.type) {
      case 'input_audio_buffer.append':
        this.#frames.push([t, loudnessOf(decode(this.#formats.hears, event.audio))]);
        if (this.#frames.length > MOST_FRAMES) this.#frames.shift();
        break;
      case 'input_audio_buffer.clear':
        this.#frames = [];
        break;
      case 'conversation.item.create':
        if (event.item?.role === 'user') {
          this.#asked = {...nothing(), item: event.item.id ?? ''};
          this.#said.set(this.#asked.item, textOf(event.item));
        }
        break;
      case 'response.create':
        this.#asked.anchor ??= t;
        break;
    }
  }

  /**
   * @param {RealtimeEvent} event
   * @param {number} t
   */
  #received(event, t) {
    this.#formats.apply(event);
    const turn = this.#turnOf(event.response_id ?? event.response?.id);
    if (event.session?.model) this.#model = String(event.session.model);
    switch (event.type) {
      case 'input_audio_buffer.speech_stopped':
      case 'input_audio_buffer.committed':
        this.#decided(event.item_id, t);
        break;
      case 'conversation.item.input_audio_transcription.completed':
        this.#transcribed(event, t);
        break;
      case 'response.created':
        this.#begun(String(event.response?.id), t);
        break;
      case 'response.output_text.delta':
      case 'response.output_audio_transcript.delta':
        if (turn) first(turn, 'text', t);
        break;
      case 'response.output_audio.delta':
        if (turn) first(turn, 'audio', t);
        break;
      case 'output_audio_buffer.started':
        if (turn) first(turn, 'audio', t);
        if (turn) first(turn, 'played', t);
        break;
      case 'response.done':
        if (turn) finish(turn, event, t);
        break;
    }
  }

  /**
   * @param {string | undefined} id
   * @returns {Turn | undefined}
   */
  #turnOf(id) {
    return id ? this.turns.findLast((turn) => turn.id === id) : undefined;
  }

  /**
   * @param {string} item
   * @param {number} t
   */
  #decided(item, t) {
    if (this.#asked.item === item && this.#asked.decided !== null) return;
    const end = silence(this.#frames) ?? t;
    this.#asked = {item, spoken: true, anchor: end, decided: t, transcript: null};
    this.#frames = [];
  }

  /**
   * @param {RealtimeEvent} event
   * @param {number} t
   */
  #transcribed({item_id, transcript}, t) {
    this.#said.set(item_id, transcript ?? '');
    if (this.#asked.item === item_id) this.#asked.transcript ??= t;
    const turn = this.turns.findLast((one) => one.item === item_id);
    if (!turn) return;
    turn.question = transcript ?? '';
    first(turn, 'transcript', t);
  }

  /**
   * @param {string} id
   * @param {number} t
   */
  #begun(id, t) {
    const {item, spoken, anchor, decided, transcript} = this.#asked;
    const turn = {
      id,
      item,
      question: this.#said.get(item) ?? '',
      answer: '',
      spoken,
      anchor: anchor ?? t,
      stages: {},
      status: 'in_progress',
      model: this.#model,
      usage: null,
    };
    if (decided !== null) first(turn, 'decided', decided);
    if (transcript !== null) first(turn, 'transcript', transcript);
    first(turn, 'created', t);
    this.turns.push(turn);
    this.#asked = nothing();
  }
}

function nothing() {
  return {item: '-', spoken: false, anchor: null, decided: null, transcript: null};
}

/**
 * @param {Turn} turn
 * @param {Stage} stage
 * @param {number} t
 */
function first(turn, stage, t) {
  turn.stages[stage] ??= t - turn.anchor;
}

/**
 * @param {Turn} turn
 * @param {RealtimeEvent} event
 * @param {number} t
 */
function finish(turn, event, t) {
  const {response} = event;
  first(turn, 'done', t);
  turn.status = response.status ?? 'completed';
  turn.usage = response.usage ?? null;
  turn.answer = outputOf(event).map(textOf).filter(Boolean).join(' ');
}

/**
 * @param {any} item
 * @returns {string} its words; of a function call, the call
 */
function textOf(item) {
  if (item.type === 'function_call') return `${item.name}(${item.arguments ?? ''})`;
  const parts = Array.isArray(item.content) ? item.content : [];
  return parts.map((/** @type {any} */ part) => part?.transcript ?? part?.text ?? '').join(' ').trim();
}

/**
 * @param {Int16Array} samples
 * @returns {number} root mean square of some of its samples, 0 … 1
 */
function loudnessOf(samples) {
  let sum = 0;
  for (let at = 0; at < samples.length; at += STRIDE) sum += samples[at] ** 2;
  return samples.length ? Math.sqrt(sum / Math.ceil(samples.length / STRIDE)) / 32768 : 0;
}

/**
 * @param {[t: number, loudness: number][]} frames
 * @returns {number | null} when the last loud one was sent; null where none is
 */
function silence(frames) {
  const loudest = frames.reduce((most, [, loudness]) => Math.max(most, loudness), 0);
  const least = Math.max(FLOOR, loudest * SPEECH);
  return frames.findLast(([, loudness]) => loudness >= least)?.[0] ?? null;
}
