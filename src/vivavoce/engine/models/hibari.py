"""hibari: a small neural synthesiser for English; the weights of its first voice are in its wheel.

All of the protocol's voices are hibari's "heart" unless other voices of hibari lie in its cache already:
nothing is ever downloaded while somebody waits for speech.
"""

import re
import textwrap
import unicodedata
from collections.abc import AsyncGenerator, Mapping
from functools import partial

import numpy as np
from hibari import SAMPLE_RATE, Hibari
from hibari.voices import voice_path

from vivavoce.engine.models.protocols import Samples, Voice
from vivavoce.engine.models.spoken import unmarked
from vivavoce.engine.models.workers import Worker
from vivavoce.errors import ModelError

__all__ = ["HibariSynthesiser", "phonemes_of", "speakable", "without_leading_silence"]

VOICES = {
    "alloy": ("heart", "American English, female"),
    "ash": ("fenrir", "American English, male"),
    "ballad": ("fable", "British English, male"),
    "coral": ("emma", "British English, female"),
    "echo": ("fenrir", "American English, male"),
    "sage": ("kore", "American English, female"),
    "shimmer": ("emma", "British English, female"),
    "verse": ("fable", "British English, male"),
    "marin": ("heart", "American English, female"),
    "cedar": ("fenrir", "American English, male"),
}
"""For each of the protocol's voices the one of hibari that comes closest."""

BUILT_IN = "heart"

SLOWEST = 0.5
"""hibari's slowest pace; slower speech is spoken at this one."""

LEADING_SILENCE_S = 0.05
"""Of the silence before a clause so much is kept: the rest would only delay the answer."""

LONGEST_PHONEMES = 400
"""hibari cuts sentences longer than this at their commas; where there are none, we cut between words. Its memory
grows with the length: 800 words at once took 1 GB and 7 s."""

AUDIBLE = 0.01
"""Amplitude, of full scale, above which a clause has begun."""

_LONG_NUMBER = re.compile(r"\d[\d,]{18,}")
_SILENT = re.compile(r"[^\w\s.,;:!?'’\"“”()/%$€£¥°+=&@–—…-]")


class HibariSynthesiser:
    """Speaks; every voice is a model of its own, loaded when it is first used."""

    def __init__(self) -> None:
        try:
            self._speakers: dict[str, Hibari] = {BUILT_IN: Hibari(BUILT_IN, threads=1)}
        except Exception as error:
            raise ModelError(f"hibari: the voice {BUILT_IN!r} cannot be loaded: {error}") from error
        self._available = {name: _available(name) for name in {hibari for hibari, _ in VOICES.values()}}
        self._voices = {name: self._describe(name) for name in VOICES}
        self._worker = Worker("hibari")

    @property
    def rate(self) -> int:
        """Samples per second of the audio that comes out."""
        return int(SAMPLE_RATE)

    @property
    def voices(self) -> Mapping[str, Voice]:
        """The voices by the protocol's names."""
        return self._voices

    async def synthesise(self, text: str, *, voice: str, speed: float = 1.0) -> AsyncGenerator[Samples, None]:
        """Stream the speech of a text, sentence by sentence; of what cannot be pronounced there is none.

        ``speed`` below 0.5 sounds as 0.5 does, hibari's slowest. Raises `ModelError` for an unknown voice.
        """
        if voice not in VOICES:
            raise ModelError(f"hibari: expected a voice out of {', '.join(VOICES)}, but got {voice!r}.")
        spoken = speakable(text)
        if not spoken:
            return
        speaker = await self._worker.do(lambda: self._speaker(voice))
        pace = max(speed, SLOWEST)
        first = True
        for phonemes in await self._worker.do(lambda: phonemes_of(speaker, spoken)):
            audio = await self._worker.do(partial(speaker.from_phonemes, phonemes, pace, seed=0))
            if len(audio):
                yield without_leading_silence(audio) if first else audio
                first = False

    async def warm_up(self) -> None:
        """Say a word."""
        async for _ in self.synthesise("Hello.", voice=next(iter(self._voices))):
            pass

    async def close(self) -> None:
        """End the thread."""
        await self._worker.close()

    def _speaker(self, voice: str) -> Hibari:
        name = VOICES[voice][0] if self._available.get(VOICES[voice][0]) else BUILT_IN
        if name not in self._speakers:
            self._speakers[name] = Hibari(name, threads=1)
        return self._speakers[name]

    def _describe(self, name: str) -> Voice:
        wanted, description = VOICES[name]
        if not self._available[wanted]:
            wanted, description = BUILT_IN, "American English, female"
        return Voice(name, f"{description} (hibari's {wanted})")


def speakable(text: str) -> str:
    """Return what of a text can be said: without markup, pictures and addresses, long numbers digit by digit."""
    shown = _SILENT.sub(" ", unmarked(text))
    # hibari takes ¹ and ፪ for decimal digits, expects every letter to have one small letter (İ has two), and knows
    # numbers of up to 36 digits.
    plain = unicodedata.normalize("NFKC", shown).replace("\N{FRACTION SLASH}", "/").replace("İ", "I")
    plain = "".join(" " if char.isdigit() and not char.isdecimal() else char for char in plain)
    plain = _LONG_NUMBER.sub(lambda number: " ".join(number[0].replace(",", "")), plain)
    plain = " ".join(plain.split())
    return plain if re.search(r"\w", plain) else ""


def phonemes_of(speaker: Hibari, text: str) -> list[str]:
    """Return what is to be said, sentence by sentence and at most `LONGEST_PHONEMES` at once, in misaki's alphabet."""
    sentences: list[str] = speaker.phonemize(text)
    return [
        part
        for sentence in sentences
        for part in textwrap.wrap(sentence, LONGEST_PHONEMES, break_on_hyphens=False)
    ]


def _available(name: str) -> bool:
    try:
        voice_path(name, download_missing=False)
    except (OSError, RuntimeError):
        return False
    return True


def without_leading_silence(audio: Samples) -> Samples:
    """Return speech at hibari's rate without the silence before it, but for a little."""
    loud = np.flatnonzero(np.abs(audio) > AUDIBLE)
    begin = int(loud[0]) - int(LEADING_SILENCE_S * SAMPLE_RATE) if len(loud) else 0
    return audio[max(0, begin) :]
