"""What is understood over a bad network, and whether speech keeps its time there.

    python benchmarks/call_quality.py [--minutes 1] [--delay-ms 100] [--jitter-ms 30] [--loss 0.05]

Recordings of people (`spoken_clips.py`) are spoken into a call at their own pace, over a network in this process that
delays, loses and reorders packets in each direction. What arrives is recognised by Whisper base, as is what was spoken.
Prints the word errors of both, the packets that were lost, and how much longer what arrived is than what was spoken,
after the first half and at the end: a drift would grow.
"""

import argparse
import asyncio
import itertools

import numpy as np
from lossy import BadNetwork
from spoken_clips import Spoken, spoken
from word_errors import errors, normalised

from vivavoce.audio.pcm import Pcm, Samples, from_pcm16, to_pcm16
from vivavoce.audio.resample import resample
from vivavoce.engine.models.protocols import MODEL_RATE, Recogniser
from vivavoce.engine.models.whisper import WhisperRecogniser
from vivavoce.engine.weights import ensure
from vivavoce.webrtc.door import without_candidates
from vivavoce.webrtc.leg import Leg
from vivavoce.webrtc.playout import FRAME_SAMPLES, RATE

PAUSE_S = 1.0
MARGIN_S = 0.4
"""What is listened to around a recording: it may come a little late."""


def script(clips: list[Spoken], minutes: float) -> tuple[Samples, list[tuple[float, Spoken]]]:
    """Return so many minutes of speech, and where in it each recording begins, in seconds."""
    parts: list[Samples] = []
    starts: list[tuple[float, Spoken]] = []
    seconds = 0.0
    for clip in itertools.cycle(clips):
        if seconds > 60 * minutes:
            break
        audio = resample(clip.audio, MODEL_RATE, RATE)
        starts.append((seconds, clip))
        parts += [audio, np.zeros(int(PAUSE_S * RATE), np.float32)]
        seconds += (len(parts[-2]) + len(parts[-1])) / RATE
    return np.concatenate(parts), starts


async def call(pcm: Pcm, network: BadNetwork) -> tuple[Pcm, float]:
    """Speak all of it; return what arrived, and how many seconds longer it was than what had been spoken by half."""
    frames = iter(np.split(pcm[: len(pcm) // FRAME_SAMPLES * FRAME_SAMPLES], len(pcm) // FRAME_SAMPLES))
    heard: list[Pcm] = []
    done = asyncio.Event()
    spoken_frames = 0
    halfway = 0.0

    def next_frame() -> Pcm | None:
        nonlocal spoken_frames, halfway
        frame = next(frames, None)
        if frame is None:
            done.set()
            return None
        spoken_frames += 1
        if spoken_frames == len(pcm) // FRAME_SAMPLES // 2:
            halfway = sum(map(len, heard)) / RATE - spoken_frames * FRAME_SAMPLES / RATE
        return frame

    caller = Leg(next_frame, lambda _: None, lambda _: None)
    called = Leg(lambda: None, heard.append, lambda _: None)
    answer = await called.answer(without_candidates(await caller.offer()))
    await caller.accept(await network.between(answer))
    await done.wait()
    await asyncio.sleep(1)
    for leg in (caller, called):
        await leg.close()
    network.close()
    return np.concatenate(heard), halfway


async def word_errors(recogniser: Recogniser, audio: Samples, starts: list[tuple[float, Spoken]]) -> float:
    """Return the share of the words that were misheard."""
    wrong = words = 0
    for start, clip in starts:
        begin = max(0, int((start - MARGIN_S) * RATE))
        end = int((start + len(clip.audio) / MODEL_RATE + MARGIN_S) * RATE)
        said = normalised(clip.words)
        heard = await recogniser.transcribe(resample(audio[begin:end], RATE, MODEL_RATE), language="en")
        wrong += errors(said, normalised(heard.text))
        words += len(said)
    return wrong / words


async def measure(arguments: argparse.Namespace) -> None:
    """Call, listen, and compare."""
    speech, starts = script(spoken(), arguments.minutes)
    network = BadNetwork(
        delay=arguments.delay_ms / 1000, jitter=arguments.jitter_ms / 1000, loss=arguments.loss
    )
    arrived, halfway = await call(to_pcm16(speech), network)
    recogniser = WhisperRecogniser(await ensure("whisper-base"))
    clean = await word_errors(recogniser, speech, starts)
    # The connection takes its time, and the first packets are held back.
    heard = from_pcm16(arrived)
    lost = network.lost / (network.lost + network.carried)
    print(f"{len(starts)} recordings, {len(speech) / RATE / 60:.1f} minutes; {lost:.1%} of the packets lost")
    print(
        f"word errors: {clean:.1%} as spoken, {await word_errors(recogniser, heard, starts):.1%} over the call"
    )
    at_the_end = (len(arrived) - len(speech)) / RATE
    print(
        f"longer than what was spoken: {halfway * 1000:+.0f} ms by half, {at_the_end * 1000:+.0f} ms at the end"
    )
    await recogniser.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=1, help="how long the call lasts")
    parser.add_argument("--delay-ms", type=float, default=100, help="in each direction")
    parser.add_argument("--jitter-ms", type=float, default=30, help="more or less than that")
    parser.add_argument("--loss", type=float, default=0.05, help="share of the packets, in each direction")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
