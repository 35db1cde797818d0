"""The cast: every name a voice of its own, whatever lies in hibari's cache."""

import itertools
import math

import pytest

from vivavoce.engine.models.hibari_voices import BUILT_IN, CHARACTERS, LONG, in_american_sounds
from vivavoce.protocol.session import DEFAULT_VOICE, VOICES

PAIRS = list(itertools.combinations(CHARACTERS, 2))

PITCH, FORMANTS, PACE = 1.07, 1.05, 1.07
"""Factors that are heard: those of pitch and formants are several times what a listener just notices."""


def differ(one, other, accents):
    far = [
        abs(math.log(here / there)) >= math.log(bound) - 1e-9
        for here, there, bound in (
            (one.timbre.pitch, other.timbre.pitch, PITCH),
            (one.timbre.formants, other.timbre.formants, FORMANTS),
            (one.pace, other.pace, PACE),
        )
    ]
    return one.hibari != other.hibari or len(set(accents)) > 1 or any(far)


def test_every_name_of_the_protocol_is_there_and_the_default_is_the_plain_one():
    assert set(VOICES) | {"fable", "onyx", "nova"} == set(CHARACTERS)
    assert next(iter(CHARACTERS)) == DEFAULT_VOICE
    plain = CHARACTERS[DEFAULT_VOICE].own
    assert (plain.hibari, plain.timbre.pitch, plain.timbre.formants, plain.pace) == (BUILT_IN, 1, 1, 1)


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_any_two_differ_audibly(one, other):
    accents = CHARACTERS[one].accent, CHARACTERS[other].accent
    assert differ(CHARACTERS[one].own, CHARACTERS[other].own, accents)
    cached = [CHARACTERS[name].nearest or CHARACTERS[name].own for name in (one, other)]
    assert differ(*cached, accents)


def test_descriptions_are_their_own():
    assert len({character.description for character in CHARACTERS.values()}) == len(CHARACTERS)


@pytest.mark.parametrize(
    ("british", "american"),
    [("nQ", "nəʊ"), ("lɒk ðə kat", "lɔk ðə kæt"), (f"ðɛ{LONG}", "ðɛə"), (f"bifɔ{LONG}", "bifɔ")],
)
def test_british_sounds_are_told_by_american_ones(british, american):
    assert in_american_sounds(british) == american
