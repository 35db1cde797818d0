/**
 * The microphone as frames of PCM16: mono, 24 kHz, 40 ms.
 */

import {loudness} from './pcm.js';
import {VoiceError} from './problems.js';

/**
 * @typedef {{onframe: (samples: Int16Array) => void, onend?: () => void}} RecorderHandlers
 *   `onend`: the device went away by itself (unplugged, or taken by the system).
 */

/** What we ask of the browser: speech for a machine, with the loudspeaker's echo taken out. */
const CONSTRAINTS = {channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true};

/** Names of `getUserMedia`'s errors, and what they mean to the user. */
const REFUSALS = /** @type {const} */ ({
  NotAllowedError: 'microphone-refused',
  SecurityError: 'microphone-refused',
  NotFoundError: 'microphone-missing',
  OverconstrainedError: 'microphone-missing',
  NotReadableError: 'microphone-busy',
  AbortError: 'microphone-busy',
});

export class Recorder {
  /**
   * Ask for the microphone and start.
   * @param {AudioContext} context
   * @param {RecorderHandlers} handlers
   * @param {{deviceId?: string}} [options]
   * @returns {Promise<Recorder>}
   * @throws {VoiceError} with the code that `problems.js` explains
   */
  static async open(context, handlers, {deviceId} = {}) {
    if (!navigator.mediaDevices) throw new VoiceError('insecure-origin');
    const stream = await askForMicrophone({...CONSTRAINTS, ...(deviceId ? {deviceId: {exact: deviceId}} : {})});
    try {
      await context.audioWorklet.addModule(new URL('./recorder-worklet.js', import.meta.url));
      return new Recorder(context, stream, handlers);
    } catch (error) {
      release(stream);
      throw error;
    }
  }

  #flushes = 0;
  /** @type {Map<number, () => void>} */
  #waiting = new Map();

  /**
   * Use `Recorder.open`, which asks for the microphone first.
   * @param {AudioContext} context
   * @param {MediaStream} stream
   * @param {RecorderHandlers} handlers
   */
  constructor(context, stream, handlers) {
    this.stream = stream;
    this.handlers = handlers;
    this.source = new MediaStreamAudioSourceNode(context, {mediaStream: stream});
    this.analyser = new AnalyserNode(context, {fftSize: 1024});
    this.samples = new Float32Array(this.analyser.fftSize);
    this.node = new AudioWorkletNode(context, 'vivavoce-recorder', {numberOfOutputs: 0});
    this.source.connect(this.analyser).connect(this.node);
    this.node.port.onmessage = ({data}) => this.#receive(data);
    stream.getAudioTracks()[0].onended = () => {
      this.close();
      handlers.onend?.();
    };
  }

  /** @returns {string} the device's name, as the browser gives it */
  get label() {
    return this.stream.getAudioTracks()[0].label;
  }

  /** @returns {number} how loud the input is now: root mean square, 0 … 1 */
  level() {
    this.analyser.getFloatTimeDomainData(this.samples);
    return loudness(this.samples);
  }

  /**
   * Hand over what has gathered in the frame that is being filled.
   * @returns {Promise<void>} when it has been handed over
   */
  flush() {
    const id = ++this.#flushes;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.node.port.postMessage({type: 'flush', id});
    });
  }

  /** Release the microphone and everything else. */
  close() {
    this.node.port.onmessage = null;
    this.stream.getAudioTracks()[0].onended = null;
    release(this.stream);
    this.source.disconnect();
    this.analyser.disconnect();
    this.node.disconnect();
    for (const resolve of this.#waiting.values()) resolve();
    this.#waiting.clear();
  }

  /** @param {any} message */
  #receive(message) {
    if (message.type === 'frame') {
      this.handlers.onframe(message.samples);
    } else {
      this.#waiting.get(message.id)?.();
      this.#waiting.delete(message.id);
    }
  }
}

/** @param {MediaTrackConstraints} audio */
async function askForMicrophone(audio) {
  try {
    return await navigator.mediaDevices.getUserMedia({audio});
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    const known = REFUSALS[/** @type {keyof typeof REFUSALS} */ (name)];
    throw known ? new VoiceError(known) : new VoiceError('microphone-failed', String(error));
  }
}

/** @param {MediaStream} stream */
function release(stream) {
  for (const track of stream.getTracks()) track.stop();
}
