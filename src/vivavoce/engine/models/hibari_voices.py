"""The protocol's voices, as hibari speaks them: each a voice of hibari, its timbre, its pace and its accent.

hibari's wheel holds the weights of one voice, "heart", which knows the sounds of American English. The others are made
of it by `vivavoce.engine.models.timbre`; where a voice of hibari that comes closer lies in its cache, that is taken.
"""

from dataclasses import dataclass
from typing import Literal

from vivavoce.engine.models.timbre import Timbre

__all__ = ["BUILT_IN", "CHARACTERS", "LONG", "PLAIN", "Cast", "Character", "in_american_sounds"]

BUILT_IN = "heart"
PLAIN = Timbre()


@dataclass(frozen=True, slots=True)
class Cast:
    """A voice of hibari, and what is made of it."""

    hibari: str
    timbre: Timbre = PLAIN
    pace: float = 1.0
    """Factor on the speed."""


@dataclass(frozen=True, slots=True)
class Character:
    """One of the protocol's voices."""

    accent: Literal["American", "British"]
    description: str
    own: Cast
    """Made of the voice in the wheel."""
    nearest: Cast | None = None
    """Made of another one that comes closer, for where that is in the cache; None where "heart" is the closest."""


def _heart(pitch: float = 1.0, formants: float = 1.0, pace: float = 1.0) -> Cast:
    return Cast(BUILT_IN, Timbre(pitch, formants), pace)


def _near(hibari: str, pitch: float = 1.0, formants: float = 1.0, pace: float = 1.0) -> Cast:
    return Cast(hibari, Timbre(pitch, formants), pace)


CHARACTERS = {
    "alloy": Character("American", "female, plain", _heart()),
    "ash": Character("American", "male, brisk", _heart(0.69, 0.91, 1.06), _near("fenrir", 1.1, 1.02, 1.06)),
    "ballad": Character(
        "British", "male, unhurried", _heart(0.62, 0.9, 0.92), _near("fable", 0.9, 0.97, 0.92)
    ),
    "coral": Character("American", "female, bright", _heart(1.08, 1.07, 1.03)),
    "echo": Character("American", "male, even", _heart(0.61, 0.88), _near("fenrir")),
    "sage": Character("American", "female, calm and low", _heart(0.84, 0.96, 0.94), _near("kore")),
    "shimmer": Character("American", "female, light", _heart(1.18, 1.13, 0.98), _near("kore", 1.18, 1.08)),
    "verse": Character("British", "male, lively", _heart(0.72, 0.93, 1.06), _near("fable")),
    "marin": Character("American", "female, warm", _heart(0.92, 0.97)),
    "cedar": Character("American", "male, deep", _heart(0.54, 0.86, 0.96), _near("fenrir", 0.9, 0.97, 0.96)),
    "fable": Character("British", "female, telling a story", _heart(0.96, 1.02, 0.97), _near("emma")),
    "onyx": Character("American", "male, the deepest", _heart(0.47, 0.82), _near("fenrir", 0.8, 0.93)),
    "nova": Character("American", "female, young", _heart(1, 1.13, 1.08), _near("kore", 1.09, 1.08, 1.08)),
}
"""By the protocol's names; the last three are older voices of OpenAI's, which some clients still ask for."""

LONG = "\N{MODIFIER LETTER TRIANGULAR COLON}"
"""What lengthens a vowel, in misaki's alphabet as in the phonetic one."""

_AMERICAN = {f"ɛ{LONG}": "ɛə", "Q": "əʊ", "ɒ": "ɔ", "a": "æ", LONG: ""}


def in_american_sounds(phonemes: str) -> str:
    """Return British phonemes, in misaki's alphabet, with those that "heart" never learned told by those it did.

    What is left of the accent are the broad a of "half", the o of "no", and that "water" ends without an r. Spoken as
    they are, the four letters that only British lexica have cost one word in eleven (`experiments/voices.py`).
    """
    for british, american in _AMERICAN.items():
        phonemes = phonemes.replace(british, american)
    return phonemes
