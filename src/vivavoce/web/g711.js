/**
 * G.711: the telephone's eight bits per sample, as µ-law and A-law. Pure; `vivavoce.audio.g711` is the same in Python.
 */

/** PCM16 by the code of µ-law. */
const PCMU = Int16Array.from({length: 256}, (_, code) => {
  const bits = ~code; // all are sent inverted
  const magnitude = ((((bits & 0x0f) << 1) + 33) << ((bits >> 4) & 0x07)) - 33;
  return (bits & 0x80 ? -magnitude : magnitude) << 2;
});

/** PCM16 by the code of A-law. */
const PCMA = Int16Array.from({length: 256}, (_, code) => {
  const bits = code ^ 0x55; // every other one is sent inverted
  const segment = (bits >> 4) & 0x07;
  const step = ((bits & 0x0f) << 1) | 1;
  const magnitude = segment ? (step + 32) << (segment - 1) : step;
  return (bits & 0x80 ? magnitude : -magnitude) << 3;
});

/**
 * @param {Uint8Array} codes one for each sample
 * @returns {Int16Array}
 */
export function decodePcmu(codes) {
  return Int16Array.from(codes, (code) => PCMU[code]);
}

/**
 * @param {Uint8Array} codes one for each sample
 * @returns {Int16Array}
 */
export function decodePcma(codes) {
  return Int16Array.from(codes, (code) => PCMA[code]);
}
