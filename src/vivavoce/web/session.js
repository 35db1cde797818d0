/**
 * A voice session: microphone, loudspeaker, connection and conversation, tied together by the protocol's rules.
 *
 * It draws nothing. It dispatches `change` whenever something that can be seen has changed; `phase` says in one
 * word what is going on. The page, the console and the element are views of it.
 */

import {CONFIGURE, configuration, modeChange} from './configuration.js';
import {Conversation} from './conversation.js';
import {restored, toGreet} from './opening.js';
import {WIRE_RATE, encode} from './pcm.js';
import {describe, explain} from './problems.js';
import {Responses} from './responses.js';

/**
 * @typedef {import('./connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {import('./connection.js').ConnectionHandlers} ConnectionHandlers
 * @typedef {import('./connection.js').ConnectionState} ConnectionState
 * @typedef {import('./player.js').Player} Player
 * @typedef {import('./player.js').PlayerHandlers} PlayerHandlers
 * @typedef {import('./recorder.js').Recorder} Recorder
 * @typedef {import('./recorder.js').RecorderHandlers} RecorderHandlers
 * @typedef {import('./problems.js').Problem} Problem
 * @typedef {import('./configuration.js').Mode} Mode
 * @typedef {'off' | 'connecting' | 'idle' | 'listening' | 'thinking' | 'speaking' | 'error'} Phase
 * @typedef {Pick<Player, 'play' | 'finish' | 'interrupt' | 'level' | 'close'> & Partial<Pick<Player, 'record'>>} Loudspeaker
 * @typedef {Pick<Recorder, 'flush' | 'level' | 'close'>} Microphone
 * @typedef {{open: (attempts?: number) => Promise<void>, close: () => void, hear?: (on: boolean, silent: boolean) => void,
 *   send: (event: RealtimeEvent, options?: {droppable?: boolean}) => boolean}} Endpoint
 * @typedef {object} Parts what a session is made of; `browser.js` has the real ones
 * @property {(handlers: ConnectionHandlers) => Endpoint} connection
 * @property {(handlers: PlayerHandlers) => Promise<Loudspeaker>} player
 * @property {(handlers: RecorderHandlers) => Promise<Microphone>} recorder
 * @property {boolean} [media] speech goes as media, and needs no events
 */

/** The least that a commit may hold: 100 ms. */
const LEAST_COMMIT = WIRE_RATE / 10;

/** How often a reconnect tries. */
const RECONNECT_ATTEMPTS = 6;

/** Errors that come from two sides acting at once, and need no action. */
const RACES = new Set(['response_cancel_not_active', 'conversation_already_has_active_response']);

export class VoiceSession extends EventTarget {
  /** @type {ConnectionState} */
  state = 'closed';
  /** The session's configuration has been taken; the user may speak. */
  ready = false;
  /** @type {Mode} */
  mode = 'hold';
  /** The talk button is held. */
  held = false;
  /** Hands-free, but nothing is sent. */
  muted = false;
  /** The server hears the user speak. */
  hearing = false;
  /** The loudspeaker is playing an answer. */
  playing = false;
  /** The n-th try of a reconnect; 0 otherwise. */
  attempt = 0;
  /** What the server loads before it can answer; empty otherwise. */
  loading = '';
  /** A lost connection is made again without asking, and told what was said. */
  lasting = false;
  /** The first words of the answering side; empty to let the user begin. */
  greeting = '';
  /** @type {Problem | null} */
  problem = null;
  /** What the session asks of the server beyond its own needs: `configure` changes it. @type {Record<string, any>} */
  settings = {};
  conversation = new Conversation();
  responses = new Responses();

  /** @type {Endpoint | null} */
  #connection = null;
  /** @type {Microphone | null} */
  #recorder = null;
  /** @type {Loudspeaker | null} */
  #player = null;
  /** Samples sent since the button went down. */
  #heldSamples = 0;
  /** Events that wait for the session to be ready. @type {RealtimeEvent[]} */
  #waiting = [];
  /** The microphone is wanted; false for those who only write. */
  #speaks = false;

  /** @param {Parts} parts */
  constructor(parts) {
    super();
    this.parts = parts;
  }

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

  get hasMicrophone() {
    return this.#recorder !== null;
  }

  /** The loudspeaker, for its levels and for recording what it plays; null before `start`. */
  get player() {
    return this.#player;
  }

  /** @returns {{input: number, output: number}} how loud both sides are now, 0 … 1; input only while it is sent */
  levels() {
    return {
      input: this.#sending && !this.muted ? (this.#recorder?.level() ?? 0) : 0,
      output: this.playing ? (this.#player?.level() ?? 0) : 0,
    };
  }

  /** Muted in the middle of a turn, silence is sent until the server has noticed its end. */
  get #sending() {
    return this.ready && (this.held || (this.mode === 'hands-free' && (!this.muted || this.hearing)));
  }

  /**
   * Connect. Call it from a click or key press, or browsers keep the sound off.
   * @param {{microphone?: boolean, attempts?: number}} [options] without a microphone: to write only
   */
  async start({microphone = true, attempts = 1} = {}) {
    if (this.state !== 'closed') return;
    this.problem = null;
    this.state = 'connecting';
    this.#speaks = microphone;
    const player = this.#openPlayer();
    const recorder = microphone ? this.#openRecorder() : null;
    this.#changed();
    await Promise.all([player, recorder]);
    if (this.state === 'connecting') await this.#connect(attempts);
  }

  /** @param {number} attempts */
  async #connect(attempts) {
    this.#connection = this.parts.connection({
      onevent: (event) => this.#receive(event),
      onstate: (state, problem) => this.#connectionChanged(state, problem),
      onattempt: (attempt) => this.#update({attempt: attempts > 1 ? attempt : 0}),
      onloading: (loading) => this.#update({loading}),
    });
    await this.#connection.open(attempts);
  }

  /** Connect again after the connection was lost, trying for about half a minute. */
  async reconnect() {
    await this.start({microphone: this.#speaks, attempts: RECONNECT_ATTEMPTS});
  }

  /** Hang up: everything is released, the words stay. */
  stop() {
    this.#connection?.close();
    this.#ended();
    this.#update({state: 'closed', problem: null});
  }

  /** Hang up for good: the loudspeaker is released as well. */
  close() {
    this.stop();
    this.#player?.close();
    this.#player = null;
  }

  /** Ask for the microphone again, after it was refused or went away. */
  async openMicrophone() {
    this.#speaks = true;
    this.problem = null;
    if (!this.#recorder) await this.#openRecorder();
    this.#changed();
  }

  /** The user has read the problem. */
  dismiss() {
    this.#update({problem: null});
  }

  /** @param {Mode} mode */
  async setMode(mode) {
    if (mode === this.mode) return;
    await this.release();
    this.mode = mode;
    this.hearing = false;
    this.muted = false;
    if (this.ready) {
      this.#send(modeChange(mode, this.settings));
      if (mode === 'hold') this.#send({type: 'input_audio_buffer.clear'});
    }
    this.#changed();
  }

  /** @param {boolean} muted stop sending the microphone, hands-free */
  setMuted(muted) {
    this.#update({muted});
  }

  /** The talk button goes down: silence the answer and listen. */
  press() {
    if (this.held || !this.ready || this.mode !== 'hold' || !this.#recorder) return;
    this.#heldSamples = 0;
    if (this.parts.media) this.#send({type: 'input_audio_buffer.clear'}); // the rest of what came before
    this.held = true;
    void this.interrupt();
    this.#changed();
  }

  /** The talk button goes up: what was said is a turn, unless it was too short to be one. */
  async release() {
    if (!this.held) return;
    await this.#recorder?.flush();
    if (!this.held) return;
    this.held = false;
    if (this.#heldSamples < LEAST_COMMIT) {
      this.#send({type: 'input_audio_buffer.clear'});
    } else {
      this.#send({type: 'input_audio_buffer.commit'}, ...this.responses.create());
    }
    this.#changed();
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
    this.#changed();
  }

  /**
   * Ask something else of the server, now and in the sessions to come.
   * @param {Record<string, any>} settings as in the `session` of `session.update`
   */
  configure(settings) {
    this.settings = settings;
    if (this.ready) this.#send(configuration(this.mode, this.#player !== null, settings));
  }

  /**
   * Send any event.
   * @param {RealtimeEvent} event
   * @returns {boolean} whether there was a session to send it to
   */
  send(event) {
    return this.#connection?.send(event) ?? false;
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
    this.#player?.close();
    this.#player = null;
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

  async #openPlayer() {
    if (this.#player) return;
    try {
      this.#player = await this.parts.player({onactive: (playing) => this.#update({playing})});
    } catch (error) {
      this.problem = explain(error, 'sound-failed');
    }
  }

  async #openRecorder() {
    try {
      const recorder = await this.parts.recorder({
        onframe: (samples) => this.#append(samples),
        onend: () => {
          this.#recorder = null;
          this.held = false;
          this.#update({problem: describe('microphone-lost')});
          if (this.lasting && this.state !== 'closed') void this.openMicrophone(); // there may be another
        },
      });
      this.#recorder?.close();
      this.#recorder = recorder;
      if (this.state === 'closed') this.#closeRecorder();
    } catch (error) {
      this.problem = explain(error, 'microphone-failed');
    }
  }

  /** @param {Int16Array} samples */
  #append(samples) {
    if (!this.#sending) return;
    if (this.muted) samples.fill(0);
    const event = {type: 'input_audio_buffer.append', audio: this.parts.media ? '' : encode(samples)};
    const sent = this.#connection?.send(event, {droppable: true});
    if (sent) this.#heldSamples += samples.length;
    else if (this.problem?.code !== 'congested') this.#update({problem: describe('congested')});
  }

  /** Send now, or as soon as the session is ready. @param {RealtimeEvent[]} events */
  #send(...events) {
    if (!this.ready) {
      this.#waiting.push(...events);
      return;
    }
    for (const event of events) this.#connection?.send(event);
  }

  /** Stop the sound at once and truncate the item at what was heard of it. */
  async #silence() {
    const heard = await this.#player?.interrupt();
    if (!heard) return;
    this.#send({type: 'conversation.item.truncate', ...heard});
  }

  /** @param {RealtimeEvent} event */
  #receive(event) {
    this.#send(...this.responses.apply(event));
    const changed = this.conversation.apply(event);
    const handled = this.#react(event);
    this.dispatchEvent(new CustomEvent('event', {detail: event}));
    if (changed || handled) this.#changed();
  }

  /**
   * @param {RealtimeEvent} event
   * @returns {boolean} whether anything that can be seen has changed
   */
  #react(event) {
    switch (event.type) {
      case 'session.created':
        this.#connection?.send(configuration(this.mode, this.#player !== null, this.settings));
        return false;
      case 'session.updated':
        if (!this.ready) this.#begin();
        return true;
      case 'input_audio_buffer.speech_started':
        this.hearing = this.mode === 'hands-free';
        this.responses.silence();
        void this.#silence();
        return true;
      case 'input_audio_buffer.speech_stopped':
        this.hearing = false;
        return true;
      case 'response.output_audio.delta':
        if (this.responses.mayBeHeard(event)) this.#player?.play(event.item_id, event.content_index, event.delta);
        return true;
      case 'response.output_audio.done':
        this.#player?.finish(event.item_id, event.content_index);
        return false;
      case 'response.created':
        return true;
      case 'response.done':
        return this.#responseDone(event);
      case 'error':
        return this.#failed(event);
      default:
        return false;
    }
  }

  /** The configuration is in force. */
  #begin() {
    this.ready = true;
    const known = this.lasting ? restored(this.conversation.items) : [];
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#send(...known, ...waiting);
    if (this.responses.wanted) this.#send(...this.responses.create());
    else if (this.greeting && !known.length) this.#greet();
  }

  #greet() {
    this.#send(...this.responses.create().map((event) => ({...event, response: toGreet(this.greeting)})));
  }

  /** @param {RealtimeEvent} event */
  #responseDone({response}) {
    for (const {id, content = []} of response.output) {
      for (const index of content.keys()) this.#player?.finish(id, index);
    }
    if (response.status !== 'failed') return true;
    const message = response.status_details?.error?.message ?? 'The response failed.';
    this.problem = describe('server-error', message);
    return true;
  }

  /** @param {RealtimeEvent} event */
  #failed({error}) {
    if (RACES.has(error.code) || /already shorter/.test(error.message)) return false;
    this.problem = describe(error.code === 'session_expired' ? 'session-expired' : 'server-error', error.message);
    if (error.event_id === CONFIGURE && !this.ready) this.#begin();
    return true;
  }

  /**
   * @param {ConnectionState} state
   * @param {Problem | null} problem
   */
  #connectionChanged(state, problem) {
    if (state === 'closed' && problem && this.lasting && this.state === 'open') {
      void this.#again();
      return;
    }
    if (state === 'closed') this.#ended();
    const expired = this.problem?.code === 'session-expired';
    const shown = state === 'closed' && !expired ? problem : this.problem;
    this.#update({state, problem: shown, attempt: 0, loading: ''});
  }

  /** The line was lost: the microphone is kept, and another line is tried for about half a minute. */
  async #again() {
    this.#settle();
    this.#update({state: 'connecting', problem: null});
    await this.#connect(RECONNECT_ATTEMPTS);
  }

  /** The session is over: nobody listens and nobody speaks. */
  #ended() {
    this.#closeRecorder();
    this.#settle();
  }

  /** What belonged to one connection is over with it. */
  #settle() {
    void this.#player?.interrupt();
    this.#connection = null;
    this.ready = false;
    this.held = false;
    this.hearing = false;
    this.muted = false;
    this.#waiting = [];
    this.responses = new Responses();
    this.conversation.settle();
  }

  #closeRecorder() {
    this.#recorder?.close();
    this.#recorder = null;
  }

  /** @param {Partial<Pick<VoiceSession, 'state' | 'problem' | 'playing' | 'muted' | 'attempt' | 'loading'>>} values */
  #update(values) {
    Object.assign(this, values);
    this.#changed();
  }

  #changed() {
    this.#connection?.hear?.(this.#sending, this.muted);
    this.dispatchEvent(new Event('change'));
  }
}
