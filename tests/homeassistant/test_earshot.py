"""How much of an answer can have been heard."""

import numpy as np

from custom_components.openai_realtime.earshot import Earshot


def second(seconds=1.0):
    return np.zeros(round(24_000 * seconds), np.float32)


def test_it_plays_as_fast_as_sound_goes_by():
    now = 10.0
    ear = Earshot(lambda: now)
    assert ear.heard == 0
    ear.play(second(2))
    now += 0.5
    assert ear.heard == 12_000
    now += 10
    assert ear.heard == 48_000


def test_it_waits_where_it_has_run_dry():
    now = 0.0
    ear = Earshot(lambda: now)
    ear.play(second())
    now = 5.0
    ear.play(second())
    assert ear.heard == 24_000
    now = 5.25
    assert ear.heard == 30_000
    now = 9.0
    assert ear.heard == 48_000


def test_more_of_it_is_played_after_what_there_is():
    now = 0.0
    ear = Earshot(lambda: now)
    for _ in range(4):
        ear.play(second(0.25))
    now = 0.6
    assert ear.heard == 14_400


def test_what_was_cleared_counts_no_more():
    now = 0.0
    ear = Earshot(lambda: now)
    ear.play(second())
    now = 0.5
    ear.clear()
    assert ear.heard == 0
    now = 3.0
    ear.play(second())
    assert ear.heard == 0
