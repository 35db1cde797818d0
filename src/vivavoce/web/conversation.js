/**
 * The conversation as the user sees it, folded from server events. Pure: no I/O, no clock.
 *
 * Transcripts of the user's speech come late and out of step with the answer, sometimes before the item itself
 * exists, so an item is made as soon as anything names it and finds its place when the server tells it.
 */

import {Formats, duration} from './formats.js';

/**
 * @typedef {import('./connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {{kind: 'text' | 'audio', text: string}} Part
 * @typedef {'speaking' | 'pending' | 'final' | 'failed'} Transcription
 *   of the user's speech: still speaking, being recognised, recognised, or given up
 * @typedef {object} Item
 * @property {string} id
 * @property {string} type the protocol's item type: message, function_call, …
 * @property {'user' | 'assistant' | 'system' | null} role
 * @property {'in_progress' | 'completed' | 'incomplete'} status
 * @property {boolean} placed whether the server has told its place in the conversation
 * @property {boolean} current whether the session of now has it, and not only one before
 * @property {Part[]} parts
 * @property {Transcription | null} transcription
 * @property {number} receivedMs audio received, in milliseconds
 * @property {number | null} heardMs audio heard before it was interrupted; null when it was not
 * @property {string} name of a function call
 * @property {string} callId of a function call, and of its result
 * @property {string} args of a function call: JSON
 */

/** Items kept; the oldest leave first. */
const MOST_ITEMS = 1000;

export class Conversation {
  /** @type {Item[]} */
  items = [];
  /** What answers sound in. */
  formats = new Formats();

  /**
   * @param {RealtimeEvent} event from the server
   * @returns {boolean} whether anything changed
   */
  apply(event) {
    this.formats.apply(event);
    const handler = HANDLERS.get(event.type);
    if (!handler) return false;
    handler(this, event);
    return true;
  }

  /**
   * @param {string} id
   * @returns {Item | undefined}
   */
  find(id) {
    return this.items.findLast((item) => item.id === id);
  }

  /** A new session begins: what was under way is as finished as it will ever be. */
  settle() {
    this.items = this.items.filter((item) => item.parts.some((part) => part.text) || item.type !== 'message');
    for (const item of this.items) {
      item.current = false;
      if (item.status === 'in_progress') item.status = 'incomplete';
      if (item.transcription === 'speaking' || item.transcription === 'pending') item.transcription = 'failed';
    }
  }

  /**
   * Forget all items.
   * @returns {string[]} the ids of those that the session of now has
   */
  clear() {
    const current = this.items.filter((item) => item.current).map(({id}) => id);
    this.items = [];
    return current;
  }

  /** Interrupted answers become what was heard of them, where anything was: the other side will know no more. */
  keepHeard() {
    for (const item of this.items) {
      const [heard, unheard] = splitAtHeard(item);
      if (heard && unheard) Object.assign(item, {parts: [{...item.parts[0], text: heard}], receivedMs: 0, heardMs: null});
    }
  }

  /**
   * @param {string} id
   * @param {Partial<Item>} [known]
   * @returns {Item} the item of that id, made at the end if it is new
   */
  ensure(id, known = {}) {
    const found = this.find(id);
    if (found) return found;
    /** @type {Item} */
    const item = {
      id,
      type: 'message',
      role: null,
      status: 'in_progress',
      placed: false,
      current: false,
      parts: [],
      transcription: null,
      receivedMs: 0,
      heardMs: null,
      name: '',
      callId: '',
      args: '',
      ...known,
    };
    this.items.push(item);
    if (this.items.length > MOST_ITEMS) this.items.shift();
    return item;
  }

  /**
   * Put an item behind another. Without a known predecessor it goes behind all that have a place.
   * @param {Item} item
   * @param {string | null | undefined} previousId
   */
  place(item, previousId) {
    item.placed = true;
    const others = this.items.filter((other) => other !== item);
    const named = previousId ? others.findLastIndex((other) => other.id === previousId) : -1;
    const behind = named >= 0 ? named : others.findLastIndex((other) => other.placed);
    others.splice(behind + 1, 0, item);
    this.items = others;
  }

  /**
   * @param {string} id
   */
  remove(id) {
    this.items = this.items.filter((item) => item.id !== id);
  }
}

/**
 * @param {Item} item
 * @returns {string} all its words
 */
export function textOf(item) {
  return item.parts
    .map((part) => part?.text ?? '')
    .join(' ')
    .trim();
}

/**
 * Split an interrupted item's words at about the place where the sound stopped.
 * @param {Item} item
 * @returns {[heard: string, unheard: string]}
 */
export function splitAtHeard(item) {
  const text = textOf(item);
  if (item.heardMs === null || item.receivedMs === 0) return [text, ''];
  const target = Math.round(text.length * Math.min(1, item.heardMs / item.receivedMs));
  if (target >= text.length) return [text, ''];
  const space = text.lastIndexOf(' ', target);
  const cut = space < 0 ? 0 : space;
  return [text.slice(0, cut), text.slice(cut)];
}

/** @typedef {(conversation: Conversation, event: RealtimeEvent) => void} Handler */

/** @type {Handler} */
function added(conversation, {item: wire, previous_item_id}) {
  if (!wire) return;
  const item = conversation.ensure(wire.id);
  if (!item.placed) conversation.place(item, previous_item_id);
  item.current = true;
  describeItem(item, wire);
}

/** @type {Handler} */
function finished(conversation, {item: wire}) {
  if (wire) describeItem(conversation.ensure(wire.id), wire);
}

/**
 * Take over what the server says of an item, but never lose words that have come already.
 * @param {Item} item
 * @param {any} wire the protocol's item
 */
function describeItem(item, wire) {
  item.type = wire.type;
  item.role = wire.role ?? null;
  item.status = wire.status ?? 'completed';
  item.name = wire.name ?? '';
  item.callId = wire.call_id ?? '';
  item.args = wire.arguments ?? '';
  for (const [index, content] of (wire.content ?? []).entries()) {
    const part = partOf(item, index, /audio/.test(content.type) ? 'audio' : 'text');
    part.text = content.text || content.transcript || part.text;
    if (content.type === 'input_audio' && item.transcription !== 'failed' && item.transcription !== 'final') {
      item.transcription = content.transcript ? 'final' : 'pending';
    }
  }
}

/**
 * @param {Item} item
 * @param {number} index
 * @param {'text' | 'audio'} kind
 * @returns {Part}
 */
function partOf(item, index, kind) {
  while (item.parts.length <= index) item.parts.push({kind, text: ''});
  return item.parts[index];
}

/**
 * @param {'text' | 'audio'} kind
 * @returns {Handler} adds a delta to an answer's words
 */
function grow(kind) {
  return (conversation, {item_id, content_index, delta}) => {
    partOf(conversation.ensure(item_id, {role: 'assistant'}), content_index, kind).text += delta;
  };
}

/**
 * @param {'text' | 'audio'} kind
 * @returns {Handler} sets an answer's final words
 */
function complete(kind) {
  return (conversation, {item_id, content_index, text, transcript}) => {
    const part = partOf(conversation.ensure(item_id, {role: 'assistant'}), content_index, kind);
    part.text = text ?? transcript ?? part.text;
  };
}

/**
 * @param {Transcription} transcription
 * @returns {Handler} the user's speech has come to this stage
 */
function heardUser(transcription) {
  return (conversation, {item_id, content_index = 0, delta, transcript}) => {
    const item = conversation.ensure(item_id, {role: 'user'});
    if (transcription === 'pending' && item.transcription && item.transcription !== 'speaking') return;
    item.transcription = transcription;
    const part = partOf(item, content_index, 'audio');
    part.text = (transcript ?? part.text + (delta ?? '')).trimStart();
  };
}

/** @type {Map<string, Handler>} */
const HANDLERS = new Map(Object.entries({
  'conversation.item.added': added,
  'conversation.item.created': added,
  'conversation.item.done': finished,
  'response.output_item.done': finished,
  'conversation.item.deleted': (conversation, {item_id}) => conversation.remove(item_id),
  'conversation.item.truncated': (conversation, {item_id, audio_end_ms}) => {
    conversation.ensure(item_id, {role: 'assistant'}).heardMs = audio_end_ms;
  },
  'input_audio_buffer.speech_started': heardUser('speaking'),
  'input_audio_buffer.speech_stopped': heardUser('pending'),
  'input_audio_buffer.committed': (conversation, event) => {
    heardUser('pending')(conversation, event);
    const item = conversation.ensure(event.item_id);
    if (!item.placed) conversation.place(item, event.previous_item_id);
    item.current = true;
  },
  'conversation.item.input_audio_transcription.delta': (conversation, {item_id, content_index = 0, delta = ''}) => {
    const part = partOf(conversation.ensure(item_id, {role: 'user'}), content_index, 'audio');
    part.text = (part.text + delta).trimStart();
  },
  'conversation.item.input_audio_transcription.completed': heardUser('final'),
  'conversation.item.input_audio_transcription.failed': heardUser('failed'),
  'response.output_text.delta': grow('text'),
  'response.output_text.done': complete('text'),
  'response.output_audio_transcript.delta': grow('audio'),
  'response.output_audio_transcript.done': complete('audio'),
  'response.output_audio.delta': (conversation, {item_id, delta, ...event}) => {
    conversation.ensure(item_id, {role: 'assistant'}).receivedMs += duration(conversation.formats.of(event), delta);
  },
}));
