/**
 * How good a call is, read out of a peer's statistics. Pure.
 *
 * Limits: a delay of 150 ms one way goes unnoticed, 400 ms is the most that planners accept (ITU-T G.114), so a round
 * trip of twice that. From 2 % of lost packets on, concealment begins to be heard; from 8 % on, words go.
 */

/**
 * @typedef {'good' | 'fair' | 'poor'} Grade
 * @typedef {object} Quality of the last seconds
 * @property {Grade} grade the worst of the three
 * @property {number | null} roundTripMs null while it is not known
 * @property {number} loss 0 … 1, in the direction that loses more
 * @property {number} jitterMs how unevenly packets come
 * @typedef {{received: number, lost: number}} Count packets since the call began
 */

/** Where fair begins, and where poor does. */
const LIMITS = {roundTripMs: [300, 800], loss: [0.02, 0.08], jitterMs: [30, 80]};

/**
 * @param {Iterable<any>} reports the values of `RTCPeerConnection.getStats()`
 * @param {Count} [before] what the last call returned, so that loss is that of the time between
 * @returns {{quality: Quality, count: Count}}
 */
export function measure(reports, before = {received: 0, lost: 0}) {
  const count = {received: 0, lost: 0};
  let jitterMs = 0;
  let theirLoss = 0;
  /** @type {number | null} */
  let roundTripMs = null;
  for (const report of reports) {
    if (report.type === 'inbound-rtp' && report.kind === 'audio') {
      count.received += report.packetsReceived ?? 0;
      count.lost += report.packetsLost ?? 0;
      jitterMs = Math.max(jitterMs, (report.jitter ?? 0) * 1000);
    } else if (report.type === 'remote-inbound-rtp' && report.kind === 'audio') {
      theirLoss = Math.max(theirLoss, report.fractionLost ?? 0);
      jitterMs = Math.max(jitterMs, (report.jitter ?? 0) * 1000);
    } else if (report.type === 'candidate-pair' && report.nominated && report.state === 'succeeded') {
      if (report.currentRoundTripTime !== undefined) roundTripMs = report.currentRoundTripTime * 1000;
    }
  }
  const lost = Math.max(0, count.lost - before.lost);
  const sent = lost + Math.max(0, count.received - before.received);
  const loss = Math.max(theirLoss, sent ? lost / sent : 0);
  return {quality: {grade: gradeOf({roundTripMs, loss, jitterMs}), roundTripMs, loss, jitterMs}, count};
}

/**
 * @param {Omit<Quality, 'grade'>} measured
 * @returns {Grade}
 */
function gradeOf({roundTripMs, loss, jitterMs}) {
  const values = {roundTripMs: roundTripMs ?? 0, loss, jitterMs};
  const names = /** @type {(keyof typeof LIMITS)[]} */ (Object.keys(LIMITS));
  if (names.some((name) => values[name] >= LIMITS[name][1])) return 'poor';
  return names.some((name) => values[name] >= LIMITS[name][0]) ? 'fair' : 'good';
}
