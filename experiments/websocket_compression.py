"""Why the gateway does not compress: what deflate saves of speech, and what it costs.

Run it with a recording: ``python experiments/websocket_compression.py speech.wav`` (24 kHz, mono, 16 bit).
Measured with 3 s of synthetic speech on one core: 34 % smaller, 54 µs for each event of 40 ms.
"""

import base64
import sys
import time
import wave
import zlib

EVENT_BYTES = 24_000 * 2 * 40 // 1000
"""40 ms of audio."""


def main(path: str) -> None:
    """Deflate the events of a recording as permessage-deflate would, at its fastest level."""
    with wave.open(path) as recording:
        pcm = recording.readframes(recording.getnframes())
    events = [base64.b64encode(pcm[start : start + EVENT_BYTES]) for start in range(0, len(pcm), EVENT_BYTES)]
    deflate = zlib.compressobj(1, zlib.DEFLATED, -15)
    began = time.perf_counter()
    size = sum(len(deflate.compress(event) + deflate.flush(zlib.Z_SYNC_FLUSH)) for event in events)
    seconds = time.perf_counter() - began
    saved = 1 - size / sum(map(len, events))
    print(f"{saved:.0%} smaller, {seconds / len(events) * 1e6:.0f} µs for each event")


if __name__ == "__main__":
    main(sys.argv[1])
