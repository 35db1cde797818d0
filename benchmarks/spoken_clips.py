"""Recordings of people whose words are known, and of what is no speech, for `recognition.py`.

They are fetched into the cache folder when they are first needed, with `apt-get` and `pip`, and are no part of this
project:

- *prompts*: a telephone system's, spoken by one woman, 16 kHz. Debian's `asterisk-core-sounds-en-g722`,
  CC-BY-SA 3.0. What is said is told by the list in `asterisk-core-sounds-en`.
- *read*: five sentences of "Sense and Sensibility", and *cards*: three calls of playing cards in a bad room. Debian's
  `pocketsphinx-testdata`, BSD-2-Clause, with their transcripts.
- *novel*: the opening of "A Tale of Two Cities", in one sentence of 44 s. The `moonshine-voice` wheel, MIT; the words
  are Dickens's.
- *music*: Debian's `asterisk-moh-opsound-g722`, CC-BY-SA 3.0.
"""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fetched import debian, decoded, in_wheel, levelled

from vivavoce.audio.pcm import Samples
from vivavoce.engine.models.protocols import MODEL_RATE

__all__ = ["Spoken", "music", "spoken"]

PROMPTS = [
    "agent-alreadyon",
    "agent-incorrect",
    "agent-pass",
    "auth-incorrect",
    "conf-getchannel",
    "conf-getconfno",
    "conf-invalid",
    "conf-onlyone",
    "conf-onlyperson",
    "conf-waitforleader",
    "demo-enterkeywords",
    "demo-nomatch",
    "demo-thanks",
    "dir-nomore",
    "priv-callpending",
    "priv-introsaved",
    "privacy-prompt",
    "privacy-unident",
    "queue-youarenext",
    "ss-noservice",
    "tt-weasels",
    "vm-forward",
    "vm-forward-multiple",
    "vm-helpexit",
    "vm-intro",
    "vm-invalid-password",
    "vm-invalidpassword",
    "vm-mailboxfull",
    "vm-newpassword",
    "vm-newuser",
    "vm-next",
    "vm-nobox",
    "vm-nonumber",
    "vm-rec-busy",
    "vm-rec-temp",
    "vm-reenterpassword",
    "vm-repeat",
    "vm-review-nonurgent",
    "vm-saveoper",
    "vm-starmain",
    "vm-tempgreeting2",
    "vm-tmpexists",
    "vm-tocallback",
    "vm-tomakecall",
    "vm-undelete",
    "vm-whichbox",
]
"""Recordings whose words are those of the list, to the letter."""

NOVEL = """
it was the best of times it was the worst of times it was the age of wisdom it was the age of foolishness it was the
epoch of belief it was the epoch of incredulity it was the season of light it was the season of darkness it was the
spring of hope it was the winter of despair we had everything before us we had nothing before us we were all going
direct to heaven we were all going direct the other way in short the period was so far like the present period that
some of its noisiest authorities insisted on its being received for good or for evil in the superlative degree of
comparison only
"""

PHRASES = {"goforward": "go forward ten meters"}
"""What is said in recordings whose transcripts are names of words in a grammar."""

MUSIC_S = 5


@dataclass(frozen=True, slots=True)
class Spoken:
    """A recording and its words."""

    source: str
    audio: Samples
    """At `MODEL_RATE`, its peak at half of full scale."""
    words: str


def spoken() -> list[Spoken]:
    """Return all recordings that can be had."""
    clips = []
    if folder := debian("asterisk-core-sounds-en-g722"):
        found = {path.stem: path for path in folder.rglob("*.g722")}
        said = _list_of_prompts()
        clips += [
            Spoken("prompts", decoded(found[name], "g722", MODEL_RATE), said[name])
            for name in PROMPTS
            if name in said
        ]
    if folder := debian("pocketsphinx-testdata"):
        for source, name in (("read", "transcription"), ("cards", "cards.transcription")):
            (transcripts,) = folder.rglob(name)
            clips += _transcribed(source, transcripts)
        for name, words in PHRASES.items():
            (raw,) = folder.rglob(f"{name}.raw")
            clips.append(Spoken("cards", levelled(np.fromfile(raw, "<i2").astype(np.float32)), words))
    if path := in_wheel("moonshine-voice==0.0.62", "moonshine_voice/assets/two_cities.wav"):
        clips.append(Spoken("novel", decoded(path, None, MODEL_RATE), NOVEL))
    return clips


def music() -> Iterator[Samples]:
    """Yield pieces of music, with instruments and without voices, from the middle of each recording."""
    folder = debian("asterisk-moh-opsound-g722")
    for path in sorted(folder.rglob("*.g722")) if folder else ():
        audio = decoded(path, "g722", MODEL_RATE)
        for part in (0.2, 0.5, 0.8):
            start = int(part * len(audio))
            yield levelled(audio[start : start + MUSIC_S * MODEL_RATE])


def _list_of_prompts() -> dict[str, str]:
    """Return the words of every prompt, by its name."""
    folder = debian("asterisk-core-sounds-en")
    if folder is None:
        return {}
    (path,) = folder.rglob("core-sounds-en.txt.gz")
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    named = (line.partition(":") for line in lines if not line.startswith(";"))
    return {name.strip(): words.strip() for name, _, words in named if words}


def _transcribed(source: str, transcripts: Path) -> Iterator[Spoken]:
    for line in transcripts.read_text().splitlines():
        words, _, name = line.removeprefix("<s>").partition("</s>")
        path = transcripts.with_name(f"{name.strip(' ()')}.wav")
        yield Spoken(source, decoded(path, None, MODEL_RATE), words.strip())
