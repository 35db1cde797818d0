"""Clips with pauses in mid-sentence, labelled, for `turn_taking.py`: synthetic ones, and recordings of people.

Every clip is one turn. Its pause stands where a speaker draws breath (``breath``: between two clauses) or where he
looks for a word (``search``: after a word that asks for another).

- *synthetic*: hibari speaks the sentence with a semicolon at the place (it does not stop at every comma), and the
  silence that it makes there is brought to length. What is synthetic: the voice, and the melody before the pause,
  which is that of a semicolon, even where a speaker would linger on a word.
- *recorded*: prompts of a telephone system, spoken by a woman and shipped by Debian as `asterisk-core-sounds-en-g722`
  (CC-BY-SA 3.0), each a sentence, cut open in the quiet between two words. The voice and the end are real; the pause
  is put in, and the speaker did not know of it, so her melody does not announce it.
- *read*: one sentence of 44 s, the opening of "A Tale of Two Cities" as it is read aloud in an asset of the
  `moonshine-voice` wheel (MIT). Nothing is put in: the pauses are the reader's.

Recordings are fetched when they are first needed, into the cache folder, and left out where they cannot be had.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from fetched import debian, decoded, in_wheel

from vivavoce.audio.endpointing import acoustic_end
from vivavoce.audio.pcm import Samples
from vivavoce.engine.models.hibari import HibariSynthesiser

__all__ = ["PAUSES_MS", "RATE", "Clip", "read_aloud", "recorded", "synthetic"]

RATE = 24_000
PAUSES_MS = (300, 600, 1000)

LEAD_S, TAIL_S = 0.5, 4.0
"""Room before and after a turn: the longest patience is two seconds."""

ROOM = 10 ** (-55 / 20)
"""Amplitude of the noise of a quiet room, of full scale."""

SENTENCES = (
    ("Turn on the lights | in the kitchen and in the hall.", "breath"),
    ("Could you remind me | to call my mother tomorrow morning?", "breath"),
    ("What is the weather going to be | in London on Saturday?", "breath"),
    ("Set a timer for ten minutes | and another one for the rice.", "breath"),
    ("I would like to book a table | for four people at eight.", "breath"),
    ("If it rains tomorrow | should I still water the garden?", "breath"),
    ("Play some quiet music | that I can fall asleep to.", "breath"),
    ("When I was in Rome last year | I saw a beautiful old fountain.", "breath"),
    ("Can you turn the | heating down in the bedroom?", "search"),
    ("I need to buy some | batteries for the doorbell.", "search"),
    ("The name of my doctor is | Elizabeth Carpenter.", "search"),
    ("How long does it take to | drive from Berlin to Hamburg?", "search"),
    ("Please send a message to my | brother about the party.", "search"),
    ("Is there a train that goes from | Paris to Lyon tonight?", "search"),
    ("Tell me a story about a very | brave little mouse.", "search"),
    ("My flight was cancelled because of the | storm in the north.", "search"),
)
"""Sentences, the place of their pause, and what kind of pause that is."""

PROMPTS = (
    ("conf-getchannel", 2.21, "search"),
    ("conf-getconfno", 2.46, "search"),
    ("conf-onlyone", 1.95, "breath"),
    ("conf-onlyone", 2.40, "search"),
    ("confbridge-lock-no-join", 1.60, "breath"),
    ("confbridge-lock-no-join", 2.51, "search"),
    ("confbridge-pin", 4.03, "search"),
    ("privacy-prompt", 1.76, "breath"),
    ("privacy-prompt", 2.42, "search"),
    ("queue-youarenext", 3.35, "search"),
    ("vm-newpassword", 1.68, "breath"),
    ("vm-newpassword", 2.74, "search"),
    ("vm-nobox", 1.95, "breath"),
    ("vm-mailboxfull", 0.97, "breath"),
    ("vm-mailboxfull", 2.51, "search"),
    ("vm-rec-busy", 1.22, "breath"),
    ("vm-rec-busy", 3.66, "search"),
    ("vm-toforward", 0.79, "breath"),
    ("vm-toforward", 2.02, "search"),
    ("vm-tempgreeting2", 2.94, "breath"),
    ("vm-tempgreeting2", 4.10, "search"),
    ("vm-whichbox", 1.23, "breath"),
)
"""Recordings, and where in them, in seconds, it is quiet between two words."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One turn, with room before and after it."""

    source: str
    kind: str
    """"breath", "search", or "none" where no pause was put in."""
    pause_ms: int
    audio: Samples
    """24 kHz, with the noise of a quiet room."""
    pauses: int
    """How many pauses of at least 0.3 s there are in mid-sentence."""
    end_s: float
    """Where its speech ends."""


async def synthetic() -> list[Clip]:
    """Return every sentence without a pause, and with one of each length."""
    synthesiser = HibariSynthesiser()
    clips = []
    for number, (sentence, kind) in enumerate(SENTENCES):
        voice = list(synthesiser.voices)[number % len(synthesiser.voices)]
        for text, cut in ((sentence.replace(" |", ""), False), (sentence.replace(" |", ";"), True)):
            spoken = [part async for part in synthesiser.synthesise(text, voice=voice)]
            speech = 0.5 * np.concatenate(spoken)
            if not cut:
                clips.append(_clip("synthetic", "none", 0, speech))
                continue
            start, end = _longest_silence(speech)
            clips += [
                _clip("synthetic", kind, pause_ms, _paused(speech, start, end, pause_ms))
                for pause_ms in PAUSES_MS
            ]
    await synthesiser.close()
    return clips


def recorded() -> list[Clip]:
    """Return every prompt without a pause, and with one of each length at each of its places; none without Debian."""
    folder = debian("asterisk-core-sounds-en-g722")
    if folder is None:
        return []
    found = {path.stem: path for path in folder.rglob("*.g722")}
    clips, seen = [], set()
    for name, place, kind in PROMPTS:
        speech = decoded(found[name], "g722", RATE)
        if name not in seen:
            seen.add(name)
            clips.append(_clip("recorded", "none", 0, speech))
        at = round(place * RATE)
        clips += [
            _clip("recorded", kind, pause_ms, _paused(speech, at, at, pause_ms)) for pause_ms in PAUSES_MS
        ]
    return clips


def read_aloud() -> list[Clip]:
    """Return the sentence that is read aloud; none where the wheel cannot be had."""
    path = in_wheel("moonshine-voice==0.0.62", "moonshine_voice/assets/two_cities.wav")
    if path is None:
        return []
    speech = decoded(path, None, RATE)
    loud = [start for start, _ in _silences(speech, 0.3)]
    return [_clip("read", "reader's", 0, speech, pauses=len(loud))]


def _clip(source: str, kind: str, pause_ms: int, speech: Samples, pauses: int | None = None) -> Clip:
    clip = np.concatenate([np.zeros(int(LEAD_S * RATE)), speech, np.zeros(int(TAIL_S * RATE))])
    end = acoustic_end(clip.astype(np.float32), RATE)
    if end is None:
        raise SystemExit(f"there is no speech in a clip of {source}")
    noise = np.random.default_rng(len(speech)).normal(0, ROOM, len(clip))
    count = (1 if pause_ms else 0) if pauses is None else pauses
    return Clip(source, kind, pause_ms, (clip + noise).astype(np.float32), count, end)


def _paused(speech: Samples, start: int, end: int, pause_ms: int) -> Samples:
    """Bring the silence from ``start`` to ``end`` to a length, without clicks."""
    fade = np.linspace(1, 0, RATE // 100, dtype=np.float32)
    before, after = speech[:start].copy(), speech[end:].copy()
    before[-len(fade) :] *= fade
    after[: len(fade)] *= fade[::-1]
    return np.concatenate([before, np.zeros(pause_ms * RATE // 1000, np.float32), after])


def _silences(speech: Samples, least_s: float) -> Iterator[tuple[int, int]]:
    """Yield where it is quiet, 30 dB below the loudest, in mid-speech."""
    size = RATE // 100
    frames = np.abs(speech[: len(speech) // size * size]).reshape(-1, size).max(axis=1)
    loud = np.flatnonzero(frames > frames.max() * 10 ** (-30 / 20))
    for one, next_one in itertools.pairwise(loud):
        if (next_one - one - 1) * size >= least_s * RATE:
            yield int((one + 1) * size), int(next_one * size)


def _longest_silence(speech: Samples) -> tuple[int, int]:
    found = max(_silences(speech, 0.1), key=lambda silence: silence[1] - silence[0], default=None)
    if found is None:
        raise SystemExit("the synthesiser made no pause at a semicolon")
    return found
