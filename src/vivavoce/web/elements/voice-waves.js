/**
 * `<voice-waves>`: the last seconds of talk on one line. Your voice rises above it in ink, the answer hangs below
 * it in the voice's colour, and an interruption is where both meet.
 */

import {LitElement, css} from '../vendor/lit.js';

/** @typedef {{input: number, output: number}} Levels */

/** Milliseconds for one bar. */
const BAR_MS = 50;

/** Pixels from one bar to the next, and of a bar. */
const PITCH = 5;
const WIDTH = 3;

/** Bars that are kept: more than the widest line shows. */
const MOST_BARS = 600;

export class VoiceWaves extends LitElement {
  static styles = css`
    :host {
      display: block;
      block-size: 5rem;
    }
    :host([hidden]) {
      display: none;
    }
    canvas {
      display: block;
      inline-size: 100%;
      block-size: 100%;
    }
  `;

  static properties = {running: {type: Boolean}, levels: {attribute: false}};

  /** @type {Levels[]} */
  #bars = [];
  #frame = 0;
  #lastBar = 0;
  #canvas = document.createElement('canvas');
  #resized = new ResizeObserver(() => this.#fit());
  #still = matchMedia('(prefers-reduced-motion: reduce)');

  constructor() {
    super();
    /** Draw what comes; off, the line rests. */
    this.running = false;
    /** @type {() => Levels} how loud both sides are now, 0 … 1 */
    this.levels = () => ({input: 0, output: 0});
    this.#canvas.setAttribute('aria-hidden', 'true');
  }

  connectedCallback() {
    super.connectedCallback();
    this.#resized.observe(this);
    this.#frame = requestAnimationFrame((now) => this.#tick(now));
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#resized.disconnect();
    cancelAnimationFrame(this.#frame);
  }

  render() {
    return this.#canvas;
  }

  #fit() {
    const {width, height} = this.getBoundingClientRect();
    this.#canvas.width = Math.round(width * devicePixelRatio);
    this.#canvas.height = Math.round(height * devicePixelRatio);
    this.#draw(width, height);
  }

  /** @param {number} now */
  #tick(now) {
    this.#frame = requestAnimationFrame((next) => this.#tick(next));
    const quiet = !this.running && this.#bars.every((bar) => bar.input === 0 && bar.output === 0);
    if (quiet || now - this.#lastBar < BAR_MS) return;
    this.#lastBar = now;
    this.#bars.push(this.running ? this.levels() : {input: 0, output: 0});
    if (this.#bars.length > MOST_BARS) this.#bars.shift();
    const {width, height} = this.getBoundingClientRect();
    this.#draw(width, height);
  }

  /**
   * @param {number} width in CSS pixels
   * @param {number} height
   */
  #draw(width, height) {
    const drawing = this.#canvas.getContext('2d');
    if (!drawing) return;
    const style = getComputedStyle(this);
    const colours = {rest: style.getPropertyValue('--line-strong'), input: style.getPropertyValue('--ink-soft')};
    const voice = style.getPropertyValue('--voice');
    drawing.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    drawing.clearRect(0, 0, width, height);
    const middle = height / 2;
    const count = Math.floor(width / PITCH);
    const inset = (width - count * PITCH + PITCH - WIDTH) / 2;
    for (let place = 0; place < count; place++) {
      const {input, output} = this.#barAt(place, count);
      const x = inset + place * PITCH;
      bar(drawing, x, middle - 1.5, 3, colours.rest);
      if (input > 0.004) bar(drawing, x, middle - reach(input, middle), reach(input, middle), colours.input);
      if (output > 0.004) bar(drawing, x, middle, reach(output, middle), voice);
    }
  }

  /**
   * @param {number} place from the left
   * @param {number} count of places
   * @returns {Levels} scrolling to the left, or, where motion is unwanted, the present level in the middle
   */
  #barAt(place, count) {
    const nothing = {input: 0, output: 0};
    if (!this.#still.matches) return this.#bars[this.#bars.length - count + place] ?? nothing;
    return Math.abs(place - count / 2) < 4 ? (this.#bars.at(-1) ?? nothing) : nothing;
  }
}

/**
 * @param {number} level root mean square, 0 … 1
 * @param {number} most pixels
 * @returns {number} pixels: -50 dB is nothing, -5 dB is all
 */
function reach(level, most) {
  const decibels = 20 * Math.log10(Math.max(level, 1e-6));
  return Math.max(0.06, Math.min(1, (decibels + 50) / 45)) * most;
}

/**
 * @param {CanvasRenderingContext2D} drawing
 * @param {number} x
 * @param {number} y
 * @param {number} height
 * @param {string} colour
 */
function bar(drawing, x, y, height, colour) {
  drawing.fillStyle = colour;
  drawing.beginPath();
  drawing.roundRect(x, y, WIDTH, height, WIDTH / 2);
  drawing.fill();
}

customElements.define('voice-waves', VoiceWaves);
