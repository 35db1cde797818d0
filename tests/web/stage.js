import {VoiceSession} from '../../src/vivavoce/web/session.js';

const FRAME = new Int16Array(960);

export const tick = () => new Promise((resolve) => setImmediate(resolve));

/** A session whose microphone, loudspeaker and server are the test. */
export class Stage {
  /** @type {any[]} */ sent = [];
  /** @type {any[]} */ played = [];
  /** @type {any} */ heard = null;
  /** @type {any} */ network = null;
  /** @type {any} */ mic = null;
  /** @type {any} */ speaker = null;
  /** Opens the microphone; at once, where the test does not keep it waiting. @type {() => Promise<void>} */
  admit = async () => {};
  congested = false;
  lines = 0;
  loudspeakers = 0;
  releasedMicrophones = 0;
  responses = 0;

  /** @param {{microphone?: Error, player?: Error}} [failures] */
  constructor(failures = {}) {
    const stage = this;
    this.session = new VoiceSession(/** @type {any} */ ({
      connection: (/** @type {any} */ handlers) => {
        stage.network = handlers;
        stage.lines++;
        return {
          open: async () => handlers.onstate('open', null),
          close: () => {
            stage.lines--;
            handlers.onstate('closed', null);
          },
          send: (/** @type {any} */ event) => !stage.congested && stage.sent.push(event) > 0,
        };
      },
      player: async (/** @type {any} */ handlers) => {
        if (failures.player) throw failures.player;
        stage.speaker = handlers;
        stage.loudspeakers++;
        return {
          play: (/** @type {any[]} */ ...chunk) => stage.played.push(chunk),
          finish: () => {},
          interrupt: async () => stage.heard,
          level: () => 0,
          close: () => stage.loudspeakers--,
        };
      },
      recorder: async (/** @type {any} */ handlers) => {
        await stage.admit();
        if (failures.microphone) throw failures.microphone;
        stage.mic = handlers;
        return {flush: async () => {}, level: () => 0.5, close: () => stage.releasedMicrophones++};
      },
    }));
  }

  /** @param {string} type @param {any} [fields] */
  server(type, fields = {}) {
    this.network.onevent({type, ...fields});
  }

  /** The server takes the configuration. */
  greet() {
    this.server('session.created', {session: {}});
    this.server('session.updated', {session: {}});
  }

  /** The line is lost. */
  lose(code = 'server-gone') {
    this.lines--;
    this.network.onstate('closed', {code, title: '', advice: '', remedy: 'connect', detail: ''});
  }

  async begin() {
    await this.session.start();
    this.greet();
    this.sent.length = 0;
    return this.session;
  }

  respond() {
    const id = `resp_${++this.responses}`;
    this.server('response.created', {response: {id}});
    this.audio(id);
    this.speaker.onactive(true);
    return id;
  }

  /** @param {string} response_id */
  audio(response_id) {
    this.server('response.output_audio.delta', {response_id, item_id: `of_${response_id}`, content_index: 0, delta: 'AAAA'});
  }

  /** @param {string} id @param {any} [more] */
  done(id, more = {}) {
    this.server('response.done', {response: {id, status: 'completed', output: [], ...more}});
  }

  /** @param {number} frames */
  speak(frames) {
    for (let index = 0; index < frames; index++) this.mic.onframe(FRAME);
  }

  get types() {
    return this.sent.map((event) => event.type);
  }
}
