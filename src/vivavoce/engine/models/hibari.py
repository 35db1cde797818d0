"""hibari: a small neural synthesiser for English; the weights of its first voice are in its wheel.

All of the protocol's voices are made of hibari's "heart" unless other voices of hibari lie in its cache already:
nothing is ever downloaded while somebody waits for speech. To make them takes the pitch, which hibari computes and
keeps to itself: that is why its version is bound.
"""

import re
import textwrap
import unicodedata
from collections.abc import AsyncGenerator, Mapping
from functools import partial

import numpy as np
from hibari import SAMPLE_RATE, Hibari, dsp
from hibari.g2p import G2P
from hibari.voices import voice_path

from vivavoce.engine.models.hibari_voices import (
    BUILT_IN,
    CHARACTERS,
    PLAIN,
    Cast,
    Character,
    in_american_sounds,
)
from vivavoce.engine.models.protocols import Samples, Voice
from vivavoce.engine.models.spoken import unmarked
from vivavoce.engine.models.timbre import shaped
from vivavoce.engine.models.workers import Worker
from vivavoce.errors import ModelError

__all__ = ["HibariSynthesiser", "phonemes_of", "speakable", "without_leading_silence"]

OUTPUTS = ("lh", "theta", "ln", "lr", "phi", "f0")
"""What hibari's network tells of each hundredth of a second or so: five parts of a spectrum, and the pitch in Hz."""

QUICKEST = 1.15
"""The quickest pace that hibari is asked for. From 1.35 on it halves many sounds: of three voices at speeds of 1.25 to
1.5, Whisper misheard 4.3 % of the words, and 0.6 % where hibari stays at this pace and the rest is made."""

ASKED = (0.2, 0.5, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.15)
CAME = (0.2, 0.5, 0.71, 0.733, 0.814, 0.899, 0.955, 0.98, 1, 1.02, 1.038, 1.06)
"""The pace that hibari is asked for, and the one that comes, measured on ten sentences: it counts in whole steps, and
many sounds take only two. What is missing is done by `vivavoce.engine.models.timbre`."""

EXACT = 0.02
"""A pace that is as close needs nothing done."""

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
    """Speaks; what reads and what speaks is loaded for an accent when a voice of that accent is first used."""

    def __init__(self) -> None:
        try:
            speaker = Hibari(BUILT_IN, threads=1)
        except Exception as error:
            raise ModelError(f"hibari: the voice {BUILT_IN!r} cannot be loaded: {error}") from error
        told = tuple(output.name for output in speaker.sess.get_outputs())
        if told != OUTPUTS:
            raise ModelError(
                f"hibari: expected a network that tells {', '.join(OUTPUTS)}, as that of hibari-tts 0.2 does, "
                f"but it tells {', '.join(told)}."
            )
        self._speakers: dict[tuple[str, str], Hibari] = {(BUILT_IN, "American"): speaker}
        self._casts = {name: _cast(character) for name, character in CHARACTERS.items()}
        self._voices = {
            name: Voice(name, _description(character, self._casts[name]))
            for name, character in CHARACTERS.items()
        }
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

        Raises `ModelError` for an unknown voice.
        """
        if voice not in CHARACTERS:
            raise ModelError(f"hibari: expected a voice out of {', '.join(CHARACTERS)}, but got {voice!r}.")
        spoken = speakable(text)
        if not spoken:
            return
        cast = self._casts[voice]
        first = True
        for phonemes in await self._worker.do(lambda: self._read(voice, spoken)):
            audio = await self._worker.do(partial(self._say, voice, phonemes, speed * cast.pace))
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
        name, accent = self._casts[voice].hibari, CHARACTERS[voice].accent
        if (name, accent) not in self._speakers:
            reader = G2P(british=accent == "British")
            self._speakers[name, accent] = Hibari(name, threads=1, g2p=reader)
        return self._speakers[name, accent]

    def _read(self, voice: str, text: str) -> list[str]:
        sentences = phonemes_of(self._speaker(voice), text)
        foreign = CHARACTERS[voice].accent == "British" and self._casts[voice].hibari == BUILT_IN
        return [in_american_sounds(sentence) for sentence in sentences] if foreign else sentences

    def _say(self, voice: str, phonemes: str, pace: float) -> Samples:
        speaker, timbre = self._speaker(voice), self._casts[voice].timbre
        tokens = speaker.ids(phonemes)
        if len(tokens) < 3:  # nothing between the pads
            return np.empty(0, np.float32)
        asked = min(pace, QUICKEST)
        given = {"ids": np.array([tokens], np.int64), "speed": np.array([asked], np.float32)}
        *spectrum, f0 = (rows[0] for rows in speaker.sess.run(OUTPUTS, given))
        audio: Samples = dsp.synth(*spectrum, f0, np.random.default_rng(0))
        missing = pace / float(np.interp(asked, ASKED, CAME))
        if timbre == PLAIN and abs(missing - 1) < EXACT:
            return audio
        return shaped(audio, f0, SAMPLE_RATE, timbre, missing)


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


def _cast(character: Character) -> Cast:
    nearest = character.nearest
    return nearest if nearest is not None and _available(nearest.hibari) else character.own


def _description(character: Character, cast: Cast) -> str:
    made = f"hibari's {cast.hibari}" if cast.timbre == PLAIN else f"made of hibari's {cast.hibari}"
    return f"{character.accent} English, {character.description} ({made})"


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
