/**
 * A voice session: microphone, loudspeaker, connection and conversation, tied together by the protocol's rules.
 *
 * It draws nothing. It dispatches `change` whenever something that can be seen has changed; `phase` says in one
 * word what is going on. The page, the console and the element are views of it.
 */

import {Answering} from './answering.js';
import {CONFIGURE, configuration, givenBack, without} from './configuration.js';
import {Conversation} from './conversation.js';
import {Lifetime, RECONNECT_ATTEMPTS} from './lifetime.js';
import {restored, toGreet} from './opening.js';
import {Outbox} from './outbox.js';
import {describe, explain, problemIn} from './problems.js';
import {Talking} from './talking.js';

/**
 * @typedef {import('./connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {import('./problems.js').Problem} Problem
 * @typedef {import('./configuration.js').Mode} Mode
 * @typedef {import('./lifetime.js').Parts} Parts
 * @typedef {'off' | 'connecting' | 'idle' | 'listening' | 'thinking' | 'speaking' | 'error'} Phase
 */

export class VoiceSession extends Lifetime {
  /** The first words of the answering side; empty to let the user begin. */
  greeting = '';
  /** What the session asks of the server beyond its own needs: `configure` changes it. @type {Record<string, any>} */
  settings = {};
  conversation = new Conversation();

  /** What this line's server was asked for last; null before it was asked. @type {Record<string, any> | null} */
  #asked = null;
  /** This line's session as the server began it. @type {Record<string, any>} */
  #own = {};
  #talking = new Talking();
  #answering = new Answering();
  #outbox = new Outbox((event) => this.send(event));

  /** @returns {Phase} what is going on, in one word */
  get phase() {
    if (this.state === 'connecting') return 'connecting';
    if (this.state === 'closed') return this.problem ? 'error' : 'off';
    if (!this.ready) return 'connecting';
    if (this.held || this.hearing) return 'listening';
    if (this.playing) return 'speaking';
    if (this.responses.busy) return 'thinking';
    return this.mode === 'hands-free' && this.hasMicrophone && !this.muted ? 'listening' : 'idle';
  }

  /** @returns {boolean} the session's configuration has been taken; the user may speak */
  get ready() {
    return this.#outbox.ready;
  }

  /** @returns {Mode} */
  get mode() {
    return this.#talking.mode;
  }

  /** @returns {boolean} the talk button is held */
  get held() {
    return this.#talking.held;
  }

  /** @returns {boolean} hands-free, but nothing is sent */
  get muted() {
    return this.#talking.muted;
  }

  /** @returns {boolean} the server hears the user speak */
  get hearing() {
    return this.#talking.hearing;
  }

  get hasMicrophone() {
    return this.#talking.hasMicrophone;
  }

  /** @returns {boolean} the loudspeaker is playing an answer */
  get playing() {
    return this.#answering.playing;
  }

  /** The loudspeaker, for its levels and for recording what it plays; null before `start`. */
  get player() {
    return this.#answering.player;
  }

  get responses() {
    return this.#answering.responses;
  }

  /** @returns {{input: number, output: number}} how loud both sides are now, 0 … 1; input only while it is sent */
  levels() {
    const input = this.#sending && !this.#talking.silent ? this.#talking.level() : 0;
    return {input, output: this.#answering.level()};
  }

  get #sending() {
    return this.ready && this.#talking.open;
  }

  /**
   * Connect. Call it from a click or key press, or browsers keep the sound off.
   * @param {{microphone?: boolean, attempts?: number}} [options] without a microphone: to write only
   */
  async start({microphone = true, attempts = 1} = {}) {
    if (this.state !== 'closed') return;
    const current = this.watch();
    this.update({state: 'connecting', problem: null});
    this.#talking.wanted = microphone;
    const player = this.#openPlayer();
    const recorder = microphone ? this.#openRecorder() : null;
    await Promise.all([player, recorder]);
    if (current()) await this.connect(attempts);
  }

  /** Connect again after the connection was lost, trying for about half a minute. */
  async reconnect() {
    await this.start({microphone: this.#talking.wanted, attempts: RECONNECT_ATTEMPTS});
  }

  /** @override */
  stop() {
    this.#talking.muted = false;
    this.#outbox.clear();
    super.stop();
  }

  /** Hang up for good: the loudspeaker is released as well. */
  close() {
    this.stop();
    this.#answering.drop();
  }

  /** Ask for the microphone again, after it was refused or went away. */
  async openMicrophone() {
    this.#talking.wanted = true;
    this.problem = null;
    if (!this.hasMicrophone) await this.#openRecorder();
    this.changed();
  }

  /** @param {Mode} mode */
  async setMode(mode) {
    if (mode === this.mode) return;
    await this.release();
    const events = this.#talking.change(mode, this.settings);
    if (this.#asked) for (const event of events) this.send(event); // else the configuration says so
    this.changed();
  }

  /** @param {boolean} muted stop sending the microphone, hands-free */
  setMuted(muted) {
    this.#talking.muted = muted;
    this.changed();
  }

  /** The talk button goes down: silence the answer and listen. */
  press() {
    if (this.held || !this.ready || this.mode !== 'hold' || !this.hasMicrophone) return;
    this.#send(...this.#talking.press(Boolean(this.parts.media)));
    void this.interrupt();
    this.changed();
  }

  /** The talk button goes up: what was said is a turn, unless it was too short to be one. */
  async release() {
    const event = await this.#talking.release();
    if (!event) return;
    this.#send(event);
    if (event.type === 'input_audio_buffer.commit') this.#send(...this.responses.create());
    this.changed();
  }

  /** Silence the answer and tell the server how much of it was heard. */
  async interrupt() {
    this.#send(...this.responses.cancel());
    await this.#silence();
  }

  /**
   * Say something in writing. Connects first when need be.
   * @param {string} text
   */
  async write(text) {
    const words = text.trim();
    if (!words) return;
    if (this.state === 'closed') void this.start({microphone: false});
    await this.interrupt();
    const content = [{type: 'input_text', text: words}];
    this.#send({type: 'conversation.item.create', item: {type: 'message', role: 'user', content}});
    if (this.ready) this.#send(...this.responses.create());
    else this.responses.wanted = true;
    this.changed();
  }

  /**
   * Ask something else of the server, now and in the sessions to come.
   * @param {Record<string, any>} settings as in the `session` of `session.update`
   */
  configure(settings) {
    const before = this.settings;
    this.settings = settings;
    if (this.#asked) this.#ask(givenBack(before, settings, this.#own));
  }

  /** @param {Record<string, any>} settings */
  #ask(settings) {
    this.#asked = settings;
    this.send(configuration(this.mode, this.player !== null, settings));
  }

  /**
   * Give the results of function calls, and have them told.
   * @param {[call_id: string, output: string][]} results
   */
  answer(results) {
    for (const [call_id, output] of results) {
      this.#send({type: 'conversation.item.create', item: {type: 'function_call_output', call_id, output}});
    }
    this.#send(...this.responses.create());
  }

  /**
   * Be made of other parts; the session has to be closed.
   * @param {Parts} parts
   */
  rebuild(parts) {
    this.#answering.drop();
    this.parts = parts;
  }

  /**
   * Have the conversation go on anew from an item: an answer, and what came after it, is given again.
   * @param {string} id
   */
  async retry(id) {
    await this.interrupt();
    const at = this.conversation.items.findIndex((item) => item.id === id);
    if (at < 0) return;
    const keep = this.conversation.items[at].role === 'user' ? at + 1 : at;
    for (const item of this.conversation.items.slice(keep)) this.forget(item.id);
    this.#send(...this.responses.create());
  }

  /**
   * Take an item out of the conversation.
   * @param {string} id
   */
  forget(id) {
    this.#send({type: 'conversation.item.delete', item_id: id});
  }

  /** Forget what was said. The session that is open does so too, with the answer that is under way. */
  async clear() {
    const said = this.conversation.clear();
    this.changed();
    if (!this.ready) return;
    await this.interrupt();
    for (const id of said) this.forget(id);
  }

  async #openPlayer() {
    const current = this.watch();
    try {
      await this.#answering.take(this.parts.player, () => this.changed(), current);
    } catch (error) {
      if (current()) this.problem = explain(error, 'sound-failed');
    }
  }

  async #openRecorder() {
    const current = this.watch();
    const onend = () => {
      this.update({problem: describe('microphone-lost')});
      if (this.lasting && this.state !== 'closed') void this.openMicrophone(); // there may be another
    };
    try {
      await this.#talking.take(this.parts.recorder, {onframe: (samples) => this.#append(samples), onend}, current);
    } catch (error) {
      if (current()) this.problem = explain(error, 'microphone-failed');
    }
  }

  /** @param {Int16Array} samples */
  #append(samples) {
    if (!this.#sending) return;
    const event = this.#talking.append(samples, Boolean(this.parts.media));
    if (this.send(event, {droppable: true})) this.#talking.sent(samples);
    else if (this.problem?.code !== 'congested') this.update({problem: describe('congested')});
  }

  /** Send now, or as soon as the session is ready. @param {RealtimeEvent[]} events */
  #send(...events) {
    this.#outbox.put(...events);
  }

  async #silence() {
    this.#send(...(await this.#answering.silence()));
  }

  /**
   * @override
   * @param {RealtimeEvent} event
   */
  receive(event) {
    this.#send(...this.#answering.apply(event));
    const changed = this.conversation.apply(event);
    const handled = this.#react(event);
    this.dispatchEvent(new CustomEvent('event', {detail: event}));
    if (changed || handled) this.changed();
  }

  /**
   * @param {RealtimeEvent} event
   * @returns {boolean} whether anything that can be seen has changed
   */
  #react(event) {
    switch (event.type) {
      case 'session.created':
        this.#own = event.session ?? {};
        this.#ask(this.settings);
        return false;
      case 'session.updated':
        if (!this.ready) this.#begin();
        return true;
      case 'input_audio_buffer.speech_started':
        this.#talking.hearing = this.mode === 'hands-free';
        this.responses.silence();
        void this.#silence();
        return true;
      case 'input_audio_buffer.speech_stopped':
        this.#talking.hearing = false;
        return true;
      case 'response.created':
      case 'response.output_audio.delta':
        return true;
      case 'response.done':
        this.problem = problemIn(event) ?? this.problem;
        return true;
      case 'error':
        return this.#failed(event);
      default:
        return false;
    }
  }

  /** @param {RealtimeEvent} event */
  #failed(event) {
    const problem = problemIn(event);
    if (!problem) return false;
    this.problem = problem;
    if (event.error?.event_id !== CONFIGURE) return true;
    const rest = without(this.#asked ?? {}, event.error.param);
    if (rest) this.#ask(rest); // the server takes all or nothing
    else if (!this.ready) this.#begin(); // with what the server has in its place
    return true;
  }

  /** The configuration is in force. */
  #begin() {
    const known = this.lasting ? restored(this.conversation.items) : [];
    if (known.length) this.conversation.keepHeard();
    this.#outbox.open(known);
    if (this.responses.wanted) this.#send(...this.responses.create());
    else if (this.greeting && !known.length) this.#greet();
  }

  #greet() {
    this.#send(...this.responses.create().map((event) => ({...event, response: toGreet(this.greeting)})));
  }

  /** @override */
  hush() {
    this.#talking.drop();
  }

  /** @override */
  settle() {
    this.#asked = null;
    this.#outbox.close();
    this.#talking.settle();
    this.#answering.settle();
    this.responses.wanted = this.#outbox.written;
    this.conversation.settle();
  }

  /** @override */
  changed() {
    this.hear(this.#sending, this.#talking.silent);
    super.changed();
  }
}
