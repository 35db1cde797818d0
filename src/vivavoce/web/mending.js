/**
 * Another way for a call whose network has broken or changed: ICE is restarted, while speech, events and the
 * conversation go on. Only where that fails is another call needed.
 */

/** Milliseconds in which a way is found; the server forgets a peer that is not heard for about half a minute. */
const PATIENCE = 20_000;

/** Milliseconds that a way has to come about once both sides know of it; then the next is tried. */
const SETTLING = 5000;

/** Milliseconds from one try to the next, where the server could not be asked. */
const PAUSE = 1000;

/**
 * @typedef {'mended' | 'refused' | 'late'} Outcome
 * @typedef {(offer: string, signal: AbortSignal) => Promise<string | null>} Exchange
 *   the server's answer to an offer; null where it will not have it; rejected where it cannot be asked
 */

/**
 * @param {RTCPeerConnection} peer
 * @param {Exchange} exchange
 * @param {{wanted: () => boolean, delay: (ms: number) => Promise<void>}} call whether it is still held
 * @returns {Promise<Outcome>}
 */
export async function mend(peer, exchange, {wanted, delay}) {
  const giveUp = new AbortController();
  const late = setTimeout(() => giveUp.abort(), PATIENCE);
  try {
    while (wanted() && !giveUp.signal.aborted) {
      const outcome = await once(peer, exchange, giveUp.signal);
      if (outcome) return outcome;
      await delay(PAUSE);
    }
    return 'late';
  } finally {
    clearTimeout(late);
  }
}

/**
 * @param {RTCPeerConnection} peer
 * @param {Exchange} exchange
 * @param {AbortSignal} signal
 * @returns {Promise<Outcome | null>} null where it is worth another try
 */
async function once(peer, exchange, signal) {
  try {
    await peer.setLocalDescription(await peer.createOffer({iceRestart: true}));
    const answer = await exchange(peer.localDescription?.sdp ?? '', signal);
    if (answer !== null) {
      await peer.setRemoteDescription({type: 'answer', sdp: answer});
      return (await connected(peer, signal)) ? 'mended' : null;
    }
    await peer.setLocalDescription({type: 'rollback'});
    return 'refused';
  } catch {
    if (peer.signalingState === 'have-local-offer') await peer.setLocalDescription({type: 'rollback'});
    return peer.connectionState === 'connected' ? 'mended' : null; // the old way may have come back
  }
}

/**
 * @param {RTCPeerConnection} peer
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>} whether it is connected, now or soon
 */
function connected(peer, signal) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(late);
      peer.removeEventListener('connectionstatechange', look);
      signal.removeEventListener('abort', done);
      resolve(peer.connectionState === 'connected');
    };
    const look = () => {
      if (peer.connectionState === 'connected') done();
    };
    const late = setTimeout(done, SETTLING);
    peer.addEventListener('connectionstatechange', look);
    signal.addEventListener('abort', done);
    look();
  });
}
