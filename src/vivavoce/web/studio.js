/**
 * All that the console knows: a voice session, its shape, every event of it, and what is read out of them.
 *
 * It draws nothing. It dispatches `change` when something that can be seen has changed, and `event` with each entry of
 * the log that is shown, or with null when it is another.
 */

import {addressesOf} from './addresses.js';
import {browserParts, callParts, sharedContext} from './browser.js';
import {Direct} from './direct.js';
import {EventLog} from './inspect/event-log.js';
import {tapped} from './inspect/tap.js';
import {keep, kept, storage} from './kept.js';
import {Prices, isFree} from './measure/prices.js';
import {Turns} from './measure/turns.js';
import {WIRE_RATE} from './pcm.js';
import {Player} from './player.js';
import {Memory} from './ready/memory.js';
import {ReadyMade} from './ready/ready-made.js';
import {describe} from './problems.js';
import {VoiceSession} from './session.js';
import {Calls} from './shape/calls.js';
import {settled} from './shape/fields.js';
import {PLAIN, checked} from './shape/presets.js';
import {wire} from './shape/tools.js';
import {Sounds} from './sounds.js';

/**
 * @typedef {import('./connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {import('./inspect/event-log.js').Direction} Direction
 * @typedef {import('./ready/ready-made.js').Ready} Ready
 * @typedef {import('./shape/calls.js').Call} Call
 * @typedef {import('./shape/presets.js').Preset} Preset
 * @typedef {'websocket' | 'webrtc'} Transport
 * @typedef {object} Shown
 * @property {EventLog} log
 * @property {Turns} turns
 * @property {Calls} calls
 * @property {Sounds} sounds
 * @property {any[]} limits the `rate_limits` that the server told of last
 * @property {import('./conversation.js').Conversation} conversation
 */

/** The model that is asked for; the preset, or `?model=` in the page's address, names another. */
const MODEL = 'gpt-realtime';

/** Where this browser keeps the preset. */
const KEPT = 'vivavoce.preset';

/** Where it keeps the preset that a link took the place of. */
const KEPT_OWN = 'vivavoce.preset.own';

/** Where this browser keeps whether maps come from the network. */
const KEPT_TILES = 'vivavoce.tiles';

export class Studio extends EventTarget {
  log = new EventLog();
  turns = new Turns();
  calls = new Calls();
  sounds = new Sounds();
  /** A recording that is looked at in place of the session. @type {import('./replaying.js').Replaying | null} */
  replaying = null;
  /** The item that is heard again now; empty for none. */
  again = '';
  /** The session as the server has it. @type {Record<string, any>} */
  effective = {};
  /** The `rate_limits` that the server told of last. @type {any[]} */
  limits = [];
  direct = new Direct(storage('tab'), storage());
  prices = new Prices(storage());
  /** Whoever answers the session costs nothing. */
  free = false;
  /** @type {Preset} */
  preset = {...PLAIN, ...checked(kept(KEPT))};
  /** What a link took the place of, until the user has said which to keep. @type {Preset | null} */
  own = checked(kept(KEPT_OWN));
  memory = new Memory(storage());
  readyMade = new ReadyMade(this.memory);
  /** What a link would have on that is off: this browser's user decides. @type {Ready[]} */
  suggested = [];
  /** Maps have pictures from the network, because somebody asked for them. */
  tiles = kept(KEPT_TILES) === true;
  /** @type {Transport} */
  transport = 'websocket';
  /** The id of the microphone that is wanted; empty for the system's. */
  microphone = '';
  /** The id of the loudspeaker that plays; empty for the system's. */
  loudspeaker = '';
  #playing = false;
  /** The session is not made of what was chosen. */
  #stale = false;
  #context = sharedContext();
  /** @type {AudioBufferSourceNode | null} */
  #source = null;

  /** @param {Pick<Location, 'origin' | 'search'>} location of the page */
  constructor(location) {
    super();
    this.location = location;
    this.session = new VoiceSession(this.#parts());
    this.session.configure(this.#settings());
    this.session.addEventListener('change', () => this.#changed());
  }

  /** @returns {string} the model that the next session asks for */
  get model() {
    return this.preset.model || new URLSearchParams(this.location.search).get('model') || MODEL;
  }

  /** @returns {Shown} what is looked at: the recording that is open, or the session */
  get shown() {
    const {log, turns, calls, sounds, limits, session} = this;
    return this.replaying?.replay ?? {log, turns, calls, sounds, limits, conversation: session.conversation};
  }

  /**
   * Look at a recording; the session goes on.
   * @param {string} name
   * @param {EventLog} recorded
   * @param {import('./inspect/soundtrack.js').Tapes} [tapes] what was recorded beside the events
   */
  async openRecording(name, recorded, tapes) {
    const {Replaying} = await import('./replaying.js');
    const replaying = new Replaying(name, recorded, {voice: () => Player.open(this.#context())}, tapes);
    this.closeRecording();
    this.replaying = replaying;
    replaying.addEventListener('change', () => this.dispatchEvent(new Event('change')));
    replaying.addEventListener('event', (event) => this.#show(/** @type {CustomEvent} */ (event).detail));
    this.#show(null);
  }

  /** Look at the session again. */
  closeRecording() {
    this.replaying?.close();
    this.replaying = null;
    this.#show(null);
  }

  /**
   * Shape the session otherwise: at once what can be changed, the model from the next session on.
   * @param {Preset} preset
   */
  apply(preset) {
    this.preset = preset;
    keep(KEPT, preset);
    this.session.configure(this.#settings());
    this.#rebuild();
  }

  /**
   * Take over the preset of a link, all but tools that it would switch on: what reaches the network, or keeps what is
   * said, is for the user to switch on.
   * @param {Preset} preset
   */
  take(preset) {
    const on = preset.ready.filter((name) => this.preset.ready.includes(name));
    this.suggested = preset.ready.filter((name) => !on.includes(name));
    if (!same(this.preset, PLAIN) && !same(this.preset, preset)) this.#setAside(this.own ?? this.preset);
    this.apply({...preset, ready: on});
  }

  /** @param {boolean} own whether the user's own preset comes back, or that of the link stays */
  decide(own) {
    const preset = own && this.own ? this.own : this.preset;
    this.#setAside(null);
    if (own) this.suggested = [];
    this.apply(preset);
  }

  /** @param {Preset | null} own */
  #setAside(own) {
    this.own = own;
    keep(KEPT_OWN, own);
  }

  /** @param {boolean} tiles maps have pictures from the network from now on */
  chooseTiles(tiles) {
    this.tiles = tiles;
    keep(KEPT_TILES, tiles);
    this.dispatchEvent(new Event('change'));
  }

  /**
   * Talk over another transport, with another microphone, from the next session on.
   * @param {{transport?: Transport, microphone?: string}} choice
   */
  choose(choice) {
    Object.assign(this, choice);
    this.#rebuild();
  }

  /**
   * Talk with another server from the next session on, with a key of the user's.
   * @param {{address: string, key: string, lasting?: boolean} | null} choice null for the server of the page
   * @throws {TypeError} for what is no address, or no key
   */
  connectTo(choice) {
    if (choice) this.direct.use(choice);
    else this.direct.forget();
    this.#rebuild();
  }

  /**
   * The browser has kept the page from connecting somewhere.
   * @param {{effectiveDirective: string, blockedURI: string}} violation of the policy that the page came with
   */
  forbidden({effectiveDirective, blockedURI}) {
    if (effectiveDirective !== 'connect-src' || !this.direct.host || new URL(blockedURI).host !== this.direct.host) return;
    this.session.stop();
    this.session.problem = describe('direct-forbidden', this.direct.address);
    this.dispatchEvent(new Event('change'));
  }

  /**
   * Choose where answers are played.
   * @param {string} device empty for the system's
   */
  async playOn(device) {
    await /** @type {any} */ (this.#context()).setSinkId(device);
    this.loudspeaker = device;
    this.dispatchEvent(new Event('change'));
  }

  /**
   * Hear an item again; the one that is heard falls silent.
   * @param {string} id
   */
  play(id) {
    const before = this.again;
    this.#source?.stop();
    this.#ended();
    const {sounds} = this.shown;
    if (before === id || !sounds.has(id)) return;
    const context = this.#context();
    const samples = sounds.of(id);
    const buffer = new AudioBuffer({length: samples.length, sampleRate: WIRE_RATE});
    buffer.copyToChannel(samples, 0);
    const source = new AudioBufferSourceNode(context, {buffer});
    source.onended = () => this.#source === source && this.#ended();
    source.connect(context.destination);
    source.start();
    this.#source = source;
    this.again = id;
    this.dispatchEvent(new Event('change'));
  }

  #ended() {
    this.#source = null;
    this.again = '';
    this.dispatchEvent(new Event('change'));
  }

  /**
   * Give the result of a function call by hand.
   * @param {string} id
   * @param {string} output
   */
  answer(id, output) {
    this.#answer(this.calls.answer(id, output));
    this.dispatchEvent(new Event('change'));
  }

  /** Forget all events. */
  clear() {
    this.log = new EventLog();
    this.turns = new Turns();
    this.#show(null);
  }

  /** @param {import('./inspect/event-log.js').Entry | null} entry of what is shown; null when it is another log */
  #show(entry) {
    this.dispatchEvent(new CustomEvent('event', {detail: entry}));
    if (!entry) this.dispatchEvent(new Event('change'));
  }

  #rebuild() {
    this.#stale = true;
    this.#changed();
  }

  /** What the session is made of follows the choice as soon as it is closed. */
  #refresh() {
    if (!this.#stale || this.session.state !== 'closed') return;
    this.#stale = false;
    this.session.rebuild(this.#parts());
  }

  #parts() {
    const {direct, model} = this;
    const token = new URLSearchParams(this.location.search).get('token');
    const page = `${this.location.origin}/${token ? `?token=${encodeURIComponent(token)}` : ''}`;
    const {socket, calls} = addressesOf(direct.address || page, {model});
    const own = direct.address ? {platform: {key: () => direct.key()}, session: {model}} : {};
    const options = {context: this.#context, device: () => this.microphone, ...own};
    const onsound = (/** @type {Direction} */ dir, /** @type {Int16Array} */ samples) => this.sounds.take(dir, samples);
    const parts = this.transport === 'webrtc' ? callParts(calls, {...options, onsound}) : browserParts(socket, options);
    return tapped(direct.address ? direct.guarded(parts) : parts, (dir, event) => this.#note(dir, event));
  }

  #settings() {
    const {shape, tools, ready} = this.preset;
    const own = this.readyMade.definitions(ready);
    const offered = [...wire(tools, own), ...own];
    const before = this.session?.settings.tools;
    return {...settled(shape), ...(offered.length || before ? {tools: offered} : {})};
  }

  #changed() {
    const {playing} = this.session;
    if (playing && !this.#playing && this.log.began !== null) this.turns.played(Date.now() - this.log.began);
    this.#playing = playing;
    if (this.session.state === 'closed') this.readyMade.end();
    this.#refresh();
    this.dispatchEvent(new Event('change'));
  }

  /**
   * @param {Direction} dir
   * @param {RealtimeEvent} event
   */
  #note(dir, event) {
    const entry = this.log.add(dir, event, Date.now());
    this.turns.feed(entry);
    this.sounds.apply(dir, event);
    if (dir === 'S') this.#heard(event);
    if (!this.replaying) this.#show(entry);
  }

  /** @param {RealtimeEvent} event */
  #heard(event) {
    if (event.session) this.effective = event.session;
    if (event.type === 'session.created') void this.#ask();
    if (event.type === 'rate_limits.updated') this.limits = event.rate_limits ?? [];
    if (event.type === 'session.created') this.readyMade.begin();
    if (event.type === 'session.updated') this.#tell();
    const results = this.calls.apply(event, this.#answerers());
    if (results.length) queueMicrotask(() => this.#answer(results)); // the session has to hear of it first
    if (event.type === 'response.done') for (const call of this.calls.begin()) void this.#run(call);
  }

  /** What is remembered is told to the model before anything is said. */
  #tell() {
    const text = this.readyMade.opening(this.preset.ready);
    if (!text) return;
    const item = {type: 'message', role: 'system', content: [{type: 'input_text', text}]};
    this.session.send({type: 'conversation.item.create', item});
  }

  /** The tools that are ours to answer; those of a server that has one of the same name are its own. */
  #answerers() {
    const {tools, ready} = this.preset;
    const told = this.effective.tools;
    const ours = [...this.readyMade.answerers(ready), ...tools];
    return Array.isArray(told) ? ours.filter(({name}) => told.some((one) => one?.name === name)) : ours;
  }

  /** @param {Call} call */
  async #run(call) {
    const {output, late} = await this.readyMade.run(call);
    const results = this.calls.answer(call.id, output);
    if (!late) this.#answer(results);
    this.dispatchEvent(new Event('change'));
  }

  async #ask() {
    this.free = !this.direct.address && (await isFree(this.location.origin));
    this.dispatchEvent(new Event('change'));
  }

  /** @param {[call_id: string, output: string][]} results */
  #answer(results) {
    if (results.length) this.session.answer(results);
  }
}

/**
 * @param {Preset} one
 * @param {Preset} other
 */
function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
