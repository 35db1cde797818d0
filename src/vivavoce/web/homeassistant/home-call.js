/**
 * A call of speech alone, straight to the endpoint: events go through Home Assistant, where its rules hold.
 *
 * There is no data channel, so that nothing can be asked of the endpoint past Home Assistant, nor read of what it was told.
 */

/**
 * @typedef {object} CallHandlers
 * @property {(stream: MediaStream) => void} ontrack the answer's sound, to be played
 * @property {() => void} onend it is over
 * @property {() => void} onunreachable it never came about
 * @typedef {{RTCPeerConnection?: typeof RTCPeerConnection, delay?: (ms: number) => Promise<void>}} Platform
 */

/** Milliseconds in which both sides find each other: in the same house, it is a tenth of that. */
const PATIENCE = 4000;

/** Milliseconds that the endpoint holds speech back, so that packets find their order, and one packet more. */
const HELD_BACK = 80;

/** States of a peer that the other side does not hear. */
const BROKEN = new Set(['disconnected', 'failed', 'closed']);

export class HomeCall {
  /** @type {MediaStreamTrack | null} */
  #microphone = null;
  #heard = false;
  #silent = false;
  #hushed = false;
  #found = false;
  #over = false;

  /**
   * @param {CallHandlers} handlers
   * @param {Platform} [platform] stand-ins for tests
   */
  constructor(handlers, {RTCPeerConnection = globalThis.RTCPeerConnection, delay} = {}) {
    this.handlers = handlers;
    this.delay = delay ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
    this.peer = new RTCPeerConnection();
    this.sender = this.peer.addTransceiver('audio', {direction: 'sendrecv'}).sender;
    this.peer.ontrack = ({track, streams}) => handlers.ontrack(streams[0] ?? new MediaStream([track]));
  }

  /** @returns {Promise<string>} */
  async offer() {
    await this.peer.setLocalDescription(await this.peer.createOffer());
    return this.peer.localDescription?.sdp ?? '';
  }

  /**
   * @param {string} answer
   * @returns {Promise<boolean>} whether both sides have found each other
   */
  async accept(answer) {
    const connected = new Promise((/** @type {(is: boolean) => void} */ resolve) => {
      this.peer.onconnectionstatechange = () => {
        if (this.peer.connectionState === 'connected') resolve((this.#found = true));
        if (!BROKEN.has(this.peer.connectionState)) return;
        resolve(false);
        if (this.#found) this.close(); // what is said until it is mended would be lost, and the other way is there at once
      };
    });
    const late = this.delay(PATIENCE).then(() => false);
    const described = this.peer.setRemoteDescription({type: 'answer', sdp: answer});
    const found = await described.then(() => Promise.race([connected, late])).catch(() => false);
    if (!found && !this.#over) this.handlers.onunreachable();
    return found && !this.#over;
  }

  /**
   * @param {boolean} on whether what the microphone gives is sent
   * @param {boolean} silent whether it is sent as silence
   */
  hear(on, silent) {
    this.#silent = silent;
    this.#listen();
    if (on === this.#heard) return;
    this.#heard = on;
    this.#attach();
  }

  /** @param {boolean} hushed the answer is kept out of the microphone now */
  hush(hushed) {
    this.#hushed = hushed;
    this.#listen();
  }

  /** @param {MediaStreamTrack | null} microphone takes over from the one before */
  replace(microphone) {
    this.#microphone = microphone;
    this.#listen();
    this.#attach();
  }

  /** @returns {Promise<void>} when what has been said so far is with the endpoint, as far as can be known */
  settled() {
    return this.delay(HELD_BACK);
  }

  close() {
    if (this.#over) return;
    this.#over = true;
    if (this.#microphone) this.#microphone.enabled = true; // others use it
    this.peer.close();
    this.handlers.onend();
  }

  #listen() {
    if (this.#microphone && !this.#over) this.#microphone.enabled = !(this.#silent || this.#hushed);
  }

  #attach() {
    if (!this.#over) void this.sender.replaceTrack(this.#heard ? this.#microphone : null);
  }
}
