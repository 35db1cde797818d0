/**
 * The answer of a call, at the loudspeaker. The server paces and truncates it; here it is played, and silenced at once.
 */

import {loudness} from './pcm.js';

/**
 * @typedef {import('./connection.js').RealtimeEvent} RealtimeEvent
 * @typedef {import('./player.js').PlayerHandlers} PlayerHandlers
 */

export class Speaker {
  /** Events for the server, once there is a call. @type {(event: RealtimeEvent) => void} */
  tell = () => {};
  /** The server plays an answer. */
  #active = false;
  /** @type {MediaStreamAudioSourceNode | null} */
  #source = null;
  /** @type {AudioWorkletNode | null} */
  #framer = null;

  /**
   * @param {AudioContext} context for the level; the sound itself goes through an `<audio>`, which echo
   *   cancellation knows, to the loudspeaker of the context
   * @param {PlayerHandlers} handlers
   * @param {(samples: Int16Array) => void} [onframe] is given what is heard, as the recorder gives the microphone
   */
  constructor(context, handlers, onframe) {
    this.context = context;
    this.handlers = handlers;
    this.onframe = onframe;
    this.element = new Audio();
    this.analyser = new AnalyserNode(context, {fftSize: 1024});
    this.samples = new Float32Array(this.analyser.fftSize);
    context.addEventListener('sinkchange', this.#follow);
    this.#follow();
  }

  /** Play where the context plays; where the browser lets no page choose, it is the system's. */
  #follow = () => {
    const {sinkId} = /** @type {AudioContext & {sinkId?: unknown}} */ (this.context);
    if (typeof sinkId !== 'string' || sinkId === this.element.sinkId) return;
    void this.element.setSinkId(sinkId).catch(() => {}); // it was unplugged
  };

  /** @param {MediaStream} stream of the other side */
  attach(stream) {
    this.#source?.disconnect();
    this.#source = new MediaStreamAudioSourceNode(this.context, {mediaStream: stream});
    this.#source.connect(this.analyser);
    if (this.onframe) void this.#overhear(this.onframe);
    this.element.srcObject = stream;
    this.element.muted = false;
    void this.element.play().catch(() => {}); // kept off by the browser until somebody clicks
  }

  /** @param {(samples: Int16Array) => void} onframe */
  async #overhear(onframe) {
    await this.context.audioWorklet.addModule(new URL('./recorder-worklet.js', import.meta.url));
    this.#framer ??= new AudioWorkletNode(this.context, 'vivavoce-recorder', {numberOfOutputs: 0});
    this.#framer.port.onmessage = ({data}) => data.type === 'frame' && !this.element.muted && onframe(data.samples);
    this.#source?.connect(this.#framer);
  }

  /** @param {RealtimeEvent} event of the server, on its way to the session */
  hear({type}) {
    if (type === 'output_audio_buffer.started') {
      this.element.muted = false;
      if (this.element.paused) void this.element.play().catch(() => {});
      this.#set(true);
    } else if (type === 'output_audio_buffer.stopped' || type === 'output_audio_buffer.cleared') {
      this.#set(false);
    }
  }

  /** Speech comes as media. */
  play() {}

  /** The server knows itself when it has played all. */
  finish() {}

  /**
   * Fall silent at once; the server truncates the answer at what it had played.
   * @returns {Promise<null>}
   */
  async interrupt() {
    if (!this.#active) return null;
    this.element.muted = true;
    this.tell({type: 'output_audio_buffer.clear'});
    this.#set(false);
    return null;
  }

  /** @returns {number} how loud the answer is now: root mean square, 0 … 1 */
  level() {
    this.analyser.getFloatTimeDomainData(this.samples);
    return loudness(this.samples);
  }

  close() {
    this.context.removeEventListener('sinkchange', this.#follow);
    this.#source?.disconnect();
    this.#source = null;
    if (this.#framer) this.#framer.port.onmessage = null;
    this.element.srcObject = null;
    this.#set(false);
  }

  /** @param {boolean} active */
  #set(active) {
    if (active === this.#active) return;
    this.#active = active;
    this.handlers.onactive?.(active);
  }
}
